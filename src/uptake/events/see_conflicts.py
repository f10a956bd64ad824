"""Marks conflicts as seen: somebody has looked at both contents. Nothing about the events changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.models import Conflict, of_event_seen


@transaction.atomic
def see_conflicts(*, conflicts: Sequence[int], by: Viewer, now: datetime) -> int:
    """Marks these (by id) as seen where the viewer manages the data; gives how many were unseen. Raises NotAllowed.

    Repeating it changes nothing.
    """
    if not by.may(Deed.MANAGE_DATA):
        raise NotAllowed
    held = Conflict.objects.filter(of_event_seen(by, Deed.MANAGE_DATA), pk__in=list(conflicts)).unseen()
    keys = list(held.order_by("pk").values_list("pk", flat=True))
    marked = Conflict.objects.filter(pk__in=keys, seen_at__isnull=True).update(seen_at=now)
    if marked:
        note(deed="conflict.seen", actor=by, organization=None, subject="", details={"conflicts": keys[:1000]}, now=now)
    return marked
