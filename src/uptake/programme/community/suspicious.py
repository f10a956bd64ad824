"""Rings among the recognitions of a company's last days, read for those who manage its rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Sum

from uptake.directory.models import Organization
from uptake.programme.community.models import Recognition
from uptake.programme.community.rings import Given, Ring, rings

DAYS: Final = 90


def suspicious_rings(company: Organization, now: datetime, *, days: int = DAYS) -> list[Ring]:
    """The rings of the last days, the most closed first."""
    rows = (
        Recognition.objects.filter(company=company, given_at__gt=now - timedelta(days=days))
        .order_by()
        .values_list("giver_id", "receiver_id")
        .annotate(points=Sum("points"), times=Count("pk"))
    )
    return rings({(giver, receiver): Given(points, times) for giver, receiver, points, times in rows})
