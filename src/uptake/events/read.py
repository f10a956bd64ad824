"""Reads events and corrections by bookmark, in the order (txid, id), never past what is not visible yet.

PostgreSQL hands out ids before commit, so a reader going by id alone would pass an event whose transaction is still
open and never see it. Each row therefore carries the number of its transaction (its id, and what servers before this
one have counted: see `carry_on`), and only rows of transactions older than every open one are read: nothing can appear
before them any more. SQLite has one writer, so there ids are enough.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db import connection as database
from django.db import models
from django.db.models import Q

from uptake.events.models import Bookmark, Correction, Event


class Position(NamedTuple):
    """How far was read: the transaction and the id of the last row."""

    txid: int = 0
    id: int = 0


START = Position()
Row = TypeVar("Row", Event, Correction)


def events_after(
    position: Position, *, limit: int, until: Position | None = None, which: Q | None = None
) -> models.QuerySet[Event]:
    """The next events after a position, at most `limit`, oldest first; also quarantined and superseded ones.

    The next position is that of the last row: `Position(event.txid, event.id)`. `until`: the last that is given.
    `which`: only such.
    """
    rows = Event.objects.all() if which is None else Event.objects.filter(which)
    return _after(rows, position, limit, until)


def corrections_after(position: Position, *, limit: int, until: Position | None = None) -> models.QuerySet[Correction]:
    """The next corrections after a position, at most `limit`, oldest first; `until`: the last that is given."""
    return _after(Correction.objects.all(), position, limit, until)


def positions_of(reader: str) -> tuple[Position, Position]:
    """(position in events, position in corrections) of a reader; the start for one that never read."""
    row = Bookmark.objects.filter(pk=reader).first()
    if row is None:
        return START, START
    return Position(row.event_txid, row.event_id), Position(row.correction_txid, row.correction_id)


def waiting(reader: str) -> int:
    """How many events a reader has still to read, those of open transactions included."""
    return Event.objects.filter(later_than(positions_of(reader)[0])).count()


def move_bookmark(
    reader: str, *, now: datetime, events: Position | None = None, corrections: Position | None = None
) -> None:
    """Notes how far a reader has read. Call it in the transaction that did what reading asked for."""
    moved: dict[str, int | datetime] = {"moved_at": now}
    if events is not None:
        moved |= {"event_txid": events.txid, "event_id": events.id}
    if corrections is not None:
        moved |= {"correction_txid": corrections.txid, "correction_id": corrections.id}
    if not Bookmark.objects.filter(pk=reader).update(**moved):
        Bookmark.objects.update_or_create(pk=reader, defaults=moved)


def _after(rows: models.QuerySet[Row], position: Position, limit: int, until: Position | None) -> models.QuerySet[Row]:
    if until is not None:
        rows = rows.exclude(later_than(until))
    if database.vendor == "sqlite":
        return rows.filter(id__gt=position.id).order_by("id")[:limit]
    table = rows.model._meta.db_table
    return rows.extra(  # noqa: S610 (the names are ours)
        where=[
            f"({table}.txid, {table}.id) > (%s, %s)",
            f"{table}.txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint + events_transactions_before()",
        ],
        params=[position.txid, position.id],
    ).order_by("txid", "id")[:limit]


def later_than(position: Position) -> Q:
    """The rows after a position, also those that are not visible to a reader yet."""
    if database.vendor == "sqlite":
        return Q(id__gt=position.id)
    return Q(txid__gt=position.txid) | Q(txid=position.txid, id__gt=position.id)
