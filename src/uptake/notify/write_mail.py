"""Write mails to people, many at once, each by its key, once, for when their readers want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import translation

from uptake.notify.models import Mail, Topic, Way
from uptake.notify.own_words import owns_of
from uptake.notify.rhythm import Habit, due
from uptake.notify.wishes import habits_of, languages_of, wanting
from uptake.notify.wordings import NOBODYS, mail_of

AT_ONCE = 500
LONGEST_SUBJECT = 200
AT_ANY_HOUR = Habit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to be: of a kind of message, in the words of the reader's place and language; or its words themselves."""

    person_id: int
    key: str
    """Unique for the person."""
    topic: Topic
    kind: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What fills the gaps of the kind's words, in the reader's language."""
    subject: str = ""
    text: str = ""
    """Without a kind: plain text."""


@transaction.atomic
def write_mail(letters: Sequence[Letter], *, now: datetime) -> int:
    """Puts the letters into the queue, but for those whose topic their reader does not want; how many were put there.

    Those whose key the person was written under before are left as they were.
    """
    people = {one.person_id for one in letters}
    kinds = {one.kind for one in letters if one.kind}
    owns = owns_of(people, now.date(), kinds) if kinds else {}
    languages = languages_of(people) if kinds else {}
    wanted, habits = wanting(people, Way.MAIL), habits_of(people, now.date())
    rows = []
    for one in letters:
        if one.topic not in wanted[one.person_id]:
            continue
        subject, text = one.subject, one.text
        if one.kind:
            with translation.override(languages[one.person_id]):
                subject, text = mail_of(one.kind, one.facts, owns.get(one.person_id, NOBODYS))
        next_at, together = due(one.topic, habits.get(one.person_id, AT_ANY_HOUR), now)
        rows.append(
            Mail(
                person_id=one.person_id,
                key=one.key,
                topic=one.topic,
                subject=" ".join(subject.split())[:LONGEST_SUBJECT],
                text=text,
                written_at=now,
                next_at=next_at,
                together=together,
            )
        )
    Mail.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    return len(rows)
