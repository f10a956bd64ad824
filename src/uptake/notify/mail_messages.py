"""Writes mails of messages for those who asked for them by mail: votes, answers, levels, points."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation

from uptake.notify.follow import Bookmark, last_bookmark
from uptake.notify.models import Follower, Message, Way, Wish
from uptake.notify.notices import line_of
from uptake.notify.topics import MAILED, topic_of
from uptake.notify.wishes import languages_of, wanting
from uptake.notify.wordings import kinds, values_of
from uptake.notify.write_mail import Letter, write_mail

NAME = "mails"


@transaction.atomic
def mail_messages(*, now: datetime, limit: int = 500) -> int:
    """How many messages since the bookmark became mails. It begins with what is told after its first run."""
    head = last_bookmark()
    first = {"txid": head.txid, "message": head.id}
    place, _made = Follower.objects.select_for_update(no_key=True).get_or_create(name=NAME, defaults=first)
    if Bookmark(place.txid, place.message) >= head:
        return 0
    asked = Wish.objects.filter(person=OuterRef("person_id"), way=Way.MAIL, wanted=True)
    after = Q(txid__gt=place.txid) | Q(txid=place.txid, id__gt=place.message)
    until = Q(txid__lt=head.txid) | Q(txid=head.txid, id__lte=head.id)
    rows = list(Message.objects.filter(after, until, Exists(asked)).order_by("txid", "id")[:limit])
    written = write_mail(_letters(rows), now=now)
    place.txid, place.message = (rows[-1].txid, rows[-1].pk) if len(rows) == limit else (head.txid, head.id)
    place.save(update_fields=["txid", "message"])
    return written


def _letters(rows: list[Message]) -> list[Letter]:
    people = {one.person_id for one in rows}
    wanted, languages = wanting(people, Way.MAIL), languages_of(people)
    letters, known = [], frozenset(kinds())
    for one in rows:
        topic = topic_of(one.kind)
        if topic in MAILED or topic not in wanted[one.person_id]:
            continue
        with translation.override(languages[one.person_id]):
            line, facts = line_of(one.kind, one.content), values_of(one.kind, one.content)
        link = f"{settings.URL.geturl().rstrip('/')}{line['href'] or '/messages/'}"
        kind = one.kind if one.kind in known else ""
        text = "\n\n".join(part for part in (str(line["sub"]), link) if part) + "\n"
        letters.append(
            Letter(
                person_id=one.person_id,
                key=f"message/{one.pk}",
                topic=topic,
                kind=kind,
                facts={**facts, "link": link},
                subject=str(line["title"]),
                text=text,
            )
        )
    return letters
