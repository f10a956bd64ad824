"""Mark a person's messages as read; once read, they stay read since then."""

from __future__ import annotations

from datetime import datetime

from uptake.notify.models import Message


def mark_read(*, person_id: int, up_to: int, now: datetime) -> int:
    """Mark this person's unread messages up to the id `up_to`; returns how many there were."""
    return Message.objects.filter(person_id=person_id, id__lte=up_to, read_at__isnull=True).update(read_at=now)


def mark_one_read(*, person_id: int, message_id: int, now: datetime) -> int:
    """Mark one message of this person as read; 0 where it was, or is somebody else's."""
    return Message.objects.filter(person_id=person_id, pk=message_id, read_at__isnull=True).update(read_at=now)
