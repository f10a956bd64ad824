"""Write mails to people, many at once, each by its key, once; and keep which kinds of mail somebody does not want."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from uptake.notify.models import Mail, Topic, Unwanted

AT_ONCE = 500
LONGEST_SUBJECT = 200


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
    unwanted = set(Unwanted.objects.filter(person_id__in=people).values_list("person_id", "topic"))
    rows = [
        Mail(
            person_id=one.person_id,
            key=one.key,
            topic=one.topic,
            subject=" ".join(one.subject.split())[:LONGEST_SUBJECT],
            text=one.text,
            written_at=now,
            next_at=now,
        )
        for one in letters
        if (one.person_id, one.topic) not in unwanted
    ]
    Mail.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    return len(rows)


@transaction.atomic
def choose_mail(*, person_id: int, wanted: Collection[str]) -> None:
    """Keeps that the person wants mails of these topics and of no other. Concerns nobody else, so no audit."""
    Unwanted.objects.filter(person_id=person_id, topic__in=set(wanted)).delete()
    others = [Unwanted(person_id=person_id, topic=topic) for topic in Topic.values if topic not in wanted]
    Unwanted.objects.bulk_create(others, ignore_conflicts=True)
