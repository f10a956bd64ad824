"""Lots that expire by inactivity live on with every deed of their owner; one statement, however many lots and people.

What the ledger is told are runs of dates on which somebody did something. A lot that was alive on a date of the run is
alive through its end; one whose last date was over before the run began stays as it is. So the last date of a lot
depends on the dates of the deeds alone, not on when or in which order they came to be known: where a late deed shows
that points expired for want of it, they are valid again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction

from uptake.ledger.accounts import AVAILABLE, DEBT, EXPIRED, person
from uptake.ledger.again import again_where_lost
from uptake.ledger.elapse import bring_up_to_date
from uptake.ledger.lots import LotState
from uptake.ledger.models import Kind
from uptake.ledger.post import OWN_KEYS, Sheet, content_of, open_sheet
from uptake.ledger.rows import are_written_behind


class Active(NamedTuple):
    """Dates on which an owner did something, none more than `inactive_days` after the one before."""

    book: int
    owner: str
    inactive_days: int
    """Of the lots this is about."""
    first: date
    last_date: date
    """`inactive_days` after the last date of the run."""
    expires_at: datetime
    """The start of the business date after it."""
    cause: str
    """`event/<id>` of a deed, for what becomes valid again."""


@again_where_lost
def postpone(runs: Sequence[Active], *, now: datetime) -> int:
    """Let the lots of these owners live on; gives how many. Told again, it changes nothing."""
    if not runs:
        return 0
    with transaction.atomic(savepoint=not are_written_behind()):
        sheet = open_sheet(books={run.book for run in runs}, now=now)
        rows = _postponed(runs)
        wrongly = [row[0] for row in rows if row[1] > 0]
        if wrongly:
            sheet.load_lots_by_id(wrongly)
            _revive(sheet, [sheet.lots_by_id[pk] for pk in wrongly], runs)
            sheet.post()
    return len(rows)


def _postponed(runs: Sequence[Active]) -> list[tuple[int, int]]:
    """Sets the last dates; (id, points that expired and were not taken back since) of each lot that lives longer."""
    given = orjson.dumps([[*run[:4], run.last_date, _plain(run.expires_at)] for run in runs]).decode()
    names = ("book", "owner", "inactive_days", "first", "last_date", "expires_at")
    if connection.vendor == "postgresql":
        types = ("bigint", "text", "int", "date", "date", "timestamptz")
        columns = ", ".join(f"(e->>{n})::{t} AS {name}" for n, (name, t) in enumerate(zip(names, types, strict=True)))
        told = f"SELECT {columns} FROM json_array_elements(%s::json) e"  # noqa: S608 - our own words
    else:
        columns = ", ".join(f"json_extract(e.value, '$[{n}]') AS {name}" for n, name in enumerate(names))
        told = f"SELECT {columns} FROM json_each(%s) e"  # noqa: S608 - our own words
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE ledger_lot SET last_date = r.last_date, expires_at = r.expires_at FROM ({told}) r"  # noqa: S608
            " WHERE ledger_lot.book = r.book AND ledger_lot.owner = r.owner"
            " AND ledger_lot.inactive_days IS NOT NULL AND ledger_lot.inactive_days = r.inactive_days"
            " AND ledger_lot.last_date >= r.first AND ledger_lot.last_date < r.last_date"
            " RETURNING ledger_lot.id, ledger_lot.expired - ledger_lot.reversed_expired",
            [given],
        )
        return list(cursor.fetchall())


def _plain(at: datetime) -> str:
    """The instant as the database keeps it."""
    if connection.vendor == "postgresql":
        return at.isoformat()
    return str(connection.ops.adapt_datetimefield_value(at.astimezone(UTC)))


def _revive(sheet: Sheet, lots: Sequence[LotState], runs: Sequence[Active]) -> None:
    """Points that expired and should not have are available again; debt is paid first. What was taken back stays so."""
    causes: dict[tuple[int, str], str] = {}
    for run in runs:
        causes.setdefault((run.book, run.owner), run.cause)
    people: Collection[tuple[int, str]] = {(lot.book, lot.owner) for lot in lots}
    parts = {(book, person(owner, part)) for book, owner in people for part in (AVAILABLE, DEBT)}
    sheet.load_accounts(parts | {(book, EXPIRED) for book, _ in people})
    bring_up_to_date(sheet, people)
    for lot in sorted(lots, key=lambda one: (one.book, one.key)):
        if lot.expired_by(sheet.clocks[lot.book]):
            continue  # it expired later than was thought, but it did
        points = lot.expired - lot.reversed_expired
        explanation: dict[str, Any] = {"of": lot.key, "last_date": str(lot.last_date), "inactive": lot.inactive_days}
        entry = sheet.entry(
            book=lot.book,
            key=f"{OWN_KEYS}{Kind.REVIVED.value}/{lot.key}/{lot.last_date}",
            kind=Kind.REVIVED,
            content=content_of(Kind.REVIVED.value, lot.key, lot.owner, str(lot.last_date)),
            owner=lot.owner,
            points=points,
            reason=Kind.REVIVED.value,
            cause=causes[lot.book, lot.owner],
            explanation=explanation,
            effective_at=None,
        )
        sheet.move(entry, Kind.REVIVED, EXPIRED, person(lot.owner, AVAILABLE), points, lot=lot)
        sheet.pay_debt(entry, lot, points)
