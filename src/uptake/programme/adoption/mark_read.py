"""Mark an announcement as read by somebody, once; that they read it is an event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.place import membership_on
from uptake.directory.viewer import Viewer
from uptake.events.record_own import OwnDeed, record_own
from uptake.programme.adoption.models import Announcement, ReadMark, at_own_places


@transaction.atomic
def mark_read(*, announcement: Announcement, by: Viewer, now: datetime) -> bool:
    """Whether it was new to the viewer. Who it was not meant for, and what nobody was told, leaves no mark."""
    if by.person_id is None or announcement.published_at is None:
        return False
    if not Announcement.objects.filter(at_own_places("organization", by), pk=announcement.pk).exists():
        return False
    _mark, new = ReadMark.objects.get_or_create(
        announcement=announcement, person_id=by.person_id, defaults={"read_at": now}
    )
    where = membership_on(by.person_id, by.today) if new else None
    if where is not None and where.company_id is not None:
        about = f"announcement/{announcement.pk}"
        deed = OwnDeed(where.company_id, by.person_id, "announcement.read", f"{about}/{by.person_id}", now, about)
        record_own([deed], now=now)
    return new
