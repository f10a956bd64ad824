"""Frees points that wait in redemptions: as many open ones as it takes are turned down, for a finding called real."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.viewer import Viewer
from uptake.programme.rewards.models import OPEN, Redemption, Reward
from uptake.programme.rewards.resolve import void
from uptake.programme.turns import Turn, wait_for_turn


def would_void(*, person: int, company: int, points: int, before: datetime, now: datetime) -> list[Redemption]:
    """The redemptions that hold so many points and were asked for before an instant, the latest first; fewer where
    there are no more."""
    rows = Redemption.objects.filter(person_id=person, company_id=company, state__in=OPEN, price__gt=0)
    rows = rows.filter(requested_at__lte=before, times_out_at__gt=now).select_related("reward")
    found: list[Redemption] = []
    for row in rows.order_by("-requested_at", "-pk"):
        if points <= 0:
            break
        found.append(row)
        points -= row.price
    return found


@transaction.atomic
def void_for(*, person: int, company: int, points: int, before: datetime, cause: str, by: Viewer, now: datetime) -> int:
    """Turns them down; gives how many points that freed. Their places in the stock and in the person's limit are free.

    Meanwhile the person redeems nothing, and the desk does nothing to these: rewards are locked before the ledger is,
    as everywhere.
    """
    wait_for_turn(Turn.SPENDING, person)
    rows = would_void(person=person, company=company, points=points, before=before, now=now)
    list(Reward.objects.select_for_update(no_key=True).filter(pk__in={row.reward_id for row in rows}).order_by("pk"))
    still = set(Redemption.objects.filter(pk__in=[row.pk for row in rows], state__in=OPEN).values_list("pk", flat=True))
    chosen = [row for row in rows if row.pk in still]
    for row in chosen:
        void(redemption=row.pk, cause=cause, by=by, key=f"void/{cause}", now=now)
    return sum(row.price for row in chosen)
