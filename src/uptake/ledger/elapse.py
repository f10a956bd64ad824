"""What time alone does to points: pending lots mature, lots expire, holds time out; each once, at its own instant.

`bring_up_to_date` is called by every door for the people it touches, and by the reads without writing: what a person
sees and can spend is right although the job is late.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet

from uptake.ledger.accounts import AVAILABLE, DEBT, EXPIRED, HELD, PENDING, person
from uptake.ledger.again import again_where_lost
from uptake.ledger.lots import LotState
from uptake.ledger.models import ChainHead, Deadline, Hold, Kind, Lot, Resolution
from uptake.ledger.post import OWN_KEYS, EntryState, OpenHold, Sheet, content_of, open_sheet
from uptake.ledger.rows import rows_of_pairs

MATURES: Final = 0
EXPIRES: Final = 1
TIMES_OUT: Final = 2
"""What happens first at one instant."""


def mature(*, now: datetime, limit: int = 1000) -> int:
    """Make the pending lots available whose day has come; returns how many people were brought up to date.

    At most `limit` lots are looked at: call again until 0. The people concerned are brought up to date wholly, so
    that everything that happened to them happens in order of time.
    """
    return _elapse(Lot.objects.filter(pending__gt=0, available_from__lte=now).order_by("available_from"), now, limit)


def expire(*, now: datetime, limit: int = 1000) -> int:
    """Expire the lots whose last date is over; otherwise as `mature`."""
    return _elapse(Lot.objects.filter(available__gt=0, expires_at__lte=now).order_by("expires_at"), now, limit)


def time_out(*, now: datetime, limit: int = 1000) -> int:
    """Give back the holds nobody resolved in time; otherwise as `mature`."""
    return _elapse(Deadline.objects.filter(at__lte=now).order_by("at"), now, limit)


@again_where_lost
def _elapse(due: QuerySet[Lot] | QuerySet[Deadline], now: datetime, limit: int) -> int:
    due = due.exclude(book__in=ChainHead.objects.filter(closed_at__isnull=False).values("book"))
    people = {(row.book, row.owner) for row in due.only("book", "owner")[:limit]}
    if not people:
        return 0
    with transaction.atomic():
        sheet = open_sheet(books={book for book, _ in people}, now=now)
        bring_up_to_date(sheet, people)
        sheet.post()
    return len(people)


def bring_up_to_date(sheet: Sheet, people: Collection[tuple[int, str]]) -> None:
    """Do on the sheet all that time alone has done to these people up to and including the sheet's clock."""
    if not people:
        return
    steps = _Steps()
    latest = max(sheet.clocks.values())
    for lot in _due_lots(sheet, people, latest):
        clock = sheet.clocks[lot.book]
        if lot.pending and lot.available_from <= clock:
            steps.add(lot.available_from, MATURES, lot.key, lot)
        else:
            _push_expiry(steps, sheet, lot)
    for hold in sheet.draws_of(_due_holds(people, latest)).values():
        assert hold.row.times_out_at is not None, "A hold that is due has its instant"
        if hold.row.times_out_at <= sheet.clocks[hold.row.book]:
            steps.add(hold.row.times_out_at, TIMES_OUT, hold.row.key, hold)
    concerned = {(thing.book, thing.owner) for *_, thing in steps.waiting if isinstance(thing, LotState)}
    concerned |= {(thing.row.book, thing.row.owner) for *_, thing in steps.waiting if isinstance(thing, OpenHold)}
    parts = (PENDING, AVAILABLE, HELD, DEBT)
    sheet.load_accounts((book, person(owner, part)) for book, owner in concerned for part in parts)
    while steps.waiting:
        at, what, _, _, thing = heapq.heappop(steps.waiting)
        if isinstance(thing, OpenHold):
            for lot in _time_out(sheet, thing, at):
                _push_expiry(steps, sheet, lot)
        elif what == MATURES:
            _mature(sheet, thing)
            _push_expiry(steps, sheet, thing)
        elif thing.available:
            _expire(sheet, thing, at)


def give_back(
    sheet: Sheet,
    entry: EntryState,
    kind: Kind,
    source: str,
    parts: Iterable[tuple[LotState, int]],
    *,
    at: datetime,
    grace: tuple[date, datetime],
) -> list[LotState]:
    """Points return to the lots they came from; those whose lot has expired by `at` to a new lot with days of grace.

    `grace` is the last date of such a lot and the instant it expires. What comes back pays debt first.
    """
    back: list[LotState] = []
    for number, (lot, points) in enumerate(parts, start=1):
        target = person(lot.owner, AVAILABLE)
        if lot.expired_by(at):
            last_date, expires_at = grace
            fresh = sheet.new_lot(
                book=lot.book,
                key=f"back/{entry.key}/{number}",
                owner=lot.owner,
                happened_at=lot.happened_at,
                source=lot.source,
                event_key=lot.event_key,
                rule_order=lot.rule_order,
                available_from=at,
                last_date=last_date,
                expires_at=expires_at,
                renews=lot,
            )
            sheet.move(entry, kind, source, target, points, lot=lot, new_lot=fresh)
            back.append(fresh)
        else:
            sheet.move(entry, kind, source, target, points, lot=lot)
            back.append(lot)
        sheet.pay_debt(entry, back[-1], points)
    return back


def _due_lots(sheet: Sheet, people: Collection[tuple[int, str]], latest: datetime) -> list[LotState]:
    """The lots of these people that mature or expire by `latest`: few, and found by their instant."""
    clock = connection.ops.adapt_datetimefield_value(latest)
    ids: list[int] = []
    for due in ("t.pending > 0 AND t.available_from <= %s", "t.available > 0 AND t.expires_at <= %s"):
        rows = rows_of_pairs("ledger_lot", "t.id", "owner", people, also=f"WHERE {due}", values=[clock], by_pair=False)
        ids += [row[0] for row in rows]
    sheet.load_lots_by_id(ids)
    return [sheet.lots_by_id[lot_id] for lot_id in ids]


def _due_holds(people: Collection[tuple[int, str]], latest: datetime) -> list[Hold]:
    clock = connection.ops.adapt_datetimefield_value(latest)
    rows = rows_of_pairs(
        "ledger_deadline", "t.hold_id", "owner", people, also="WHERE t.at <= %s", values=[clock], by_pair=False
    )
    return list(Hold.objects.filter(pk__in=[row[0] for row in rows])) if rows else []


@dataclass(slots=True)
class _Steps:
    """What is due, in order of time; at one instant as the constants say, then by key, then as it was found."""

    waiting: list[tuple[datetime, int, str, int, LotState | OpenHold]] = field(default_factory=list)
    added: int = 0

    def add(self, at: datetime, what: int, key: str, thing: LotState | OpenHold) -> None:
        self.added += 1
        heapq.heappush(self.waiting, (at, what, key, self.added, thing))


def _push_expiry(steps: _Steps, sheet: Sheet, lot: LotState) -> None:
    if lot.available and lot.expires_at is not None and lot.expires_at <= sheet.clocks[lot.book]:
        steps.add(lot.expires_at, EXPIRES, lot.key, lot)


def _mature(sheet: Sheet, lot: LotState) -> None:
    points = lot.pending
    entry = _entry(sheet, Kind.MATURED, lot.book, lot.key, lot.owner, points, lot.available_from)
    sheet.move(entry, Kind.MATURED, person(lot.owner, PENDING), person(lot.owner, AVAILABLE), points, lot=lot)
    sheet.pay_debt(entry, lot, points)


def _expire(sheet: Sheet, lot: LotState, at: datetime) -> None:
    points = lot.available
    # What a late deed made valid again may expire once more, on another last date.
    again = "" if lot.inactive_days is None else f"/{lot.last_date}"
    entry = _entry(sheet, Kind.EXPIRED, lot.book, lot.key, lot.owner, points, at, again=again)
    sheet.move(entry, Kind.EXPIRED, person(lot.owner, AVAILABLE), EXPIRED, points, lot=lot)


def _time_out(sheet: Sheet, hold: OpenHold, at: datetime) -> list[LotState]:
    row = hold.row
    assert row.grace_last_date is not None, "hold_that_times_out_has_grace"
    assert row.grace_expires_at is not None, "hold_that_times_out_has_grace"
    entry = _entry(sheet, Kind.TIMED_OUT, row.book, row.key, row.owner, row.points, at)
    sheet.resolutions.append(Resolution(hold=row, kind=Kind.TIMED_OUT, key=entry.key, settled=0, at=at))
    grace = (row.grace_last_date, row.grace_expires_at)
    return give_back(sheet, entry, Kind.TIMED_OUT, person(row.owner, HELD), hold.draws, at=at, grace=grace)


def _entry(
    sheet: Sheet, kind: Kind, book: int, key: str, owner: str, points: int, at: datetime, *, again: str = ""
) -> EntryState:
    """The entry of a step of time: its key is the lot's or the hold's, so that it happens once (as `again` tells)."""
    return sheet.entry(
        book=book,
        key=f"{OWN_KEYS}{kind.value}/{key}{again}",
        kind=kind,
        content=content_of(kind.value, key, owner),
        owner=owner,
        points=points,
        reason=kind.value,
        cause="time",
        explanation={"of": key, "at": at},
        effective_at=at,
    )
