"""Write mails to people, many at once, each by its key, once, for when their readers want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from uptake.notify.models import Mail, Topic, Way
from uptake.notify.rhythm import Habit, due
from uptake.notify.wishes import habits_of, wanting

AT_ONCE = 500
LONGEST_SUBJECT = 200
AT_ANY_HOUR = Habit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to be, in the reader's language: plain text."""

    person_id: int
    key: str
    """Unique for the person."""
    topic: Topic
    subject: str
    text: str


@transaction.atomic
def write_mail(letters: Sequence[Letter], *, now: datetime) -> int:
    """Puts the letters into the queue, but for those whose topic their reader does not want; how many were put there.

    Those whose key the person was written under before are left as they were.
    """
    people = {one.person_id for one in letters}
    wanted, habits = wanting(people, Way.MAIL), habits_of(people, now.date())
    rows = []
    for one in letters:
        if one.topic not in wanted[one.person_id]:
            continue
        next_at, together = due(one.topic, habits.get(one.person_id, AT_ANY_HOUR), now)
        rows.append(
            Mail(
                person_id=one.person_id,
                key=one.key,
                topic=one.topic,
                subject=" ".join(one.subject.split())[:LONGEST_SUBJECT],
                text=one.text,
                written_at=now,
                next_at=next_at,
                together=together,
            )
        )
    Mail.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    return len(rows)
