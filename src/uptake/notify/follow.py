"""Follow the messages to everybody by bookmark: for the one poller of a process, which hands them on to its listeners.

PostgreSQL gives out ids before commit, so a message with a lower id may appear later. A reader therefore goes by
(transaction id, id) and only below the oldest transaction still running: it never passes a message not yet visible.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from uptake.notify.models import Message

_SETTLED = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + notify_transactions_before()"


@dataclass(frozen=True, slots=True, order=True)
class Bookmark:
    """How far a reader has read. As text (`str`, `Bookmark.parse`) it is the id of a server-sent event."""

    txid: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.txid}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Bookmark:
        """The bookmark `str` wrote. ValueError for anything else, as a browser may send back anything."""
        txid, _, number = text.partition("-")
        if not (txid.isascii() and txid.isdigit() and number.isascii() and number.isdigit() and len(text) <= 40):
            raise ValueError("Not a bookmark")
        return cls(int(txid), int(number))


@dataclass(frozen=True, slots=True)
class News:
    """Messages in the order of the record, and where to go on."""

    messages: list[Message]
    bookmark: Bookmark


def messages_after(bookmark: Bookmark, *, limit: int = 500, person_id: int | None = None) -> News:
    """The next messages to everybody, or to one person when a page resumes, that no open transaction can precede."""
    rows = Message.objects.filter(_after(bookmark)).order_by("txid", "id")
    if connection.vendor == "postgresql":
        rows = rows.filter(txid__lt=_settled())
    if person_id is not None:
        rows = rows.filter(person_id=person_id)
    found = list(rows[:limit])
    return News(found, Bookmark(found[-1].txid, found[-1].id) if found else bookmark)


def last_bookmark() -> Bookmark:
    """Where a reader begins that wants only what comes from now on."""
    rows = Message.objects.order_by("-txid", "-id")
    if connection.vendor == "postgresql":
        rows = rows.filter(txid__lt=_settled())
    last = rows.values_list("txid", "id").first()
    return Bookmark(*last) if last else Bookmark()


def _after(bookmark: Bookmark) -> Q:
    return Q(txid__gt=bookmark.txid) | Q(txid=bookmark.txid, id__gt=bookmark.id)


def _settled() -> int:
    """The number of the oldest transaction that may still write; every one below it is done."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLED)
        oldest: int = cursor.fetchone()[0]
    return oldest
