"""Reserve points for a redemption, and end that once: settle, give back, or refund what was settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from uptake.ledger.accounts import AVAILABLE, DEBT, HELD, REDEEMED, person
from uptake.ledger.again import again_where_lost
from uptake.ledger.elapse import bring_up_to_date, give_back
from uptake.ledger.lots import LotState, draw
from uptake.ledger.models import Hold, Kind, Refund, Resolution, Transfer
from uptake.ledger.post import (
    NotEnoughPoints,
    Refusal,
    Sheet,
    check_key,
    content_of,
    known_entries,
    open_sheet,
)


class InDebt(NotEnoughPoints):
    """The person owes points: nothing can be reserved before they are paid."""


class UnknownHold(Refusal):
    """No hold of this key is in the book."""


class AlreadyResolved(Refusal):
    """The hold was settled, given back or timed out before (or, for a refund, refunded)."""


class NotSettled(Refusal):
    """Only a hold that was settled can be refunded."""


class MoreThanHeld(Refusal):
    """More points were asked to be settled than the hold has."""


@dataclass(frozen=True, slots=True)
class Grace:
    """How long points can be spent that come back after their lot expired."""

    last_date: date
    expires_at: datetime
    """The start of the business date after `last_date`."""


@dataclass(frozen=True, slots=True)
class Held:
    """What became of a deed on a hold."""

    hold: str
    points: int
    """Held, settled, given back or refunded."""
    replayed: bool


@again_where_lost
def hold(
    *,
    book: int,
    key: str,
    owner: str,
    points: int,
    cause: str,
    now: datetime,
    times_out_at: datetime | None = None,
    grace: Grace | None = None,
    reason: str = "",
    explanation: dict[str, object] | None = None,
) -> Held:
    """Reserve available points of a person, lots in spend order. `grace` is for the points of a hold that times out.

    Raises KeyConflict, InDebt, NotEnoughPoints.
    """
    check_key(key)
    assert points >= 0, "A hold is of whole points"
    assert times_out_at is None or grace is not None, "A hold that times out says how long its points then live"
    content = content_of("hold", owner, points, cause, reason)
    with transaction.atomic():
        sheet = open_sheet(books=[book], now=now)
        if known_entries({(book, key): content}):
            return Held(key, points, replayed=True)
        bring_up_to_date(sheet, [(book, owner)])
        debt = sheet.balance(book, person(owner, DEBT))
        has = sheet.balance(book, person(owner, AVAILABLE))
        if debt:
            raise InDebt(person(owner, DEBT), -debt, points)
        if has < points:
            raise NotEnoughPoints(person(owner, AVAILABLE), has, points)
        entry = sheet.entry(
            book=book,
            key=key,
            kind=Kind.HELD,
            content=content,
            owner=owner,
            points=points,
            reason=reason,
            cause=cause,
            explanation=explanation or {},
            effective_at=now,
        )
        for lot, part in draw(sheet.spendable_lots(book, owner), points) if points else []:
            sheet.move(entry, Kind.HELD, person(owner, AVAILABLE), person(owner, HELD), part, lot=lot)
        sheet.holds.append(
            Hold(
                book=book,
                key=key,
                owner=owner,
                points=points,
                held_at=now,
                times_out_at=times_out_at,
                grace_last_date=grace.last_date if grace else None,
                grace_expires_at=grace.expires_at if grace else None,
            )
        )
        sheet.post()
    return Held(key, points, replayed=False)


@again_where_lost
def settle(
    *,
    book: int,
    key: str,
    hold: str,
    cause: str,
    now: datetime,
    grace: Grace,
    points: int | None = None,
    reason: str = "",
    explanation: dict[str, object] | None = None,
) -> Held:
    """Redeem a hold, whole or `points` of it; the rest goes back. `points` 0 redeems nothing and gives all back.

    Raises KeyConflict, UnknownHold, AlreadyResolved, MoreThanHeld.
    """
    return _resolve(Kind.SETTLED, book, key, hold, points, cause, now, grace, reason, explanation or {})


@again_where_lost
def release(
    *,
    book: int,
    key: str,
    hold: str,
    cause: str,
    now: datetime,
    grace: Grace,
    reason: str = "",
    explanation: dict[str, object] | None = None,
) -> Held:
    """Give a hold back. Raises KeyConflict, UnknownHold, AlreadyResolved."""
    return _resolve(Kind.RELEASED, book, key, hold, 0, cause, now, grace, reason, explanation or {})


@again_where_lost
def refund(
    *,
    book: int,
    key: str,
    hold: str,
    cause: str,
    now: datetime,
    grace: Grace,
    reason: str = "",
    explanation: dict[str, object] | None = None,
) -> Held:
    """Give back all that a settled hold redeemed. Raises KeyConflict, UnknownHold, NotSettled, AlreadyResolved."""
    check_key(key)
    content = content_of("refund", hold, cause, reason)
    with transaction.atomic():
        sheet = open_sheet(books=[book], now=now)
        row = _find(sheet, hold)
        resolution = _resolution_of(row)
        if known_entries({(book, key): content}):
            return Held(hold, resolution.settled if resolution else 0, replayed=True)
        bring_up_to_date(sheet, [(book, row.owner)])
        resolution = resolution or next((r for r in sheet.resolutions if r.hold_id == row.pk), None)
        if resolution is None or resolution.kind != Kind.SETTLED:
            raise NotSettled(f"Hold {hold!r} was not settled")
        if Refund.objects.filter(resolution=resolution).exists():
            raise AlreadyResolved(f"Hold {hold!r} was refunded")
        entry = sheet.entry(
            book=book,
            key=key,
            kind=Kind.REFUNDED,
            content=content,
            owner=row.owner,
            points=resolution.settled,
            reason=reason,
            cause=cause,
            explanation=explanation or {},
            effective_at=now,
        )
        parts = _settled_parts(sheet, resolution)
        end = (grace.last_date, grace.expires_at)
        give_back(sheet, entry, Kind.REFUNDED, REDEEMED, parts, at=sheet.clocks[book], grace=end)
        sheet.refunds.append(Refund(resolution=resolution, key=key, at=now))
        sheet.post()
    return Held(hold, resolution.settled, replayed=False)


def _resolve(
    kind: Kind,
    book: int,
    key: str,
    hold: str,
    points: int | None,
    cause: str,
    now: datetime,
    grace: Grace,
    reason: str,
    explanation: dict[str, object],
) -> Held:
    check_key(key)
    assert points is None or points >= 0, "Whole points are settled"
    content = content_of(kind.value, hold, points, cause, reason)
    with transaction.atomic():
        sheet = open_sheet(books=[book], now=now)
        row = _find(sheet, hold)
        known = known_entries({(book, key): content})
        if known:
            return Held(hold, known[book, key], replayed=True)
        bring_up_to_date(sheet, [(book, row.owner)])
        if _resolution_of(row) or any(done.hold_id == row.pk for done in sheet.resolutions):
            raise AlreadyResolved(f"Hold {hold!r} was resolved")
        settled = row.points if points is None else points
        if settled > row.points:
            raise MoreThanHeld(f"Hold {hold!r} has {row.points} points, {settled} were asked")
        entry = sheet.entry(
            book=book,
            key=key,
            kind=kind,
            content=content,
            owner=row.owner,
            points=settled if kind == Kind.SETTLED else row.points,
            reason=reason,
            cause=cause,
            explanation=explanation,
            effective_at=now,
        )
        held = person(row.owner, HELD)
        rest: list[tuple[LotState, int]] = []
        left = settled
        for lot, amount in sheet.draws_of([row])[row.pk].draws:
            part = min(left, amount)
            left -= part
            if part:
                sheet.move(entry, Kind.SETTLED, held, REDEEMED, part, lot=lot)
            if amount > part:
                rest.append((lot, amount - part))
        end = (grace.last_date, grace.expires_at)
        give_back(sheet, entry, Kind.RELEASED, held, rest, at=sheet.clocks[book], grace=end)
        sheet.resolutions.append(Resolution(hold=row, kind=kind, key=key, settled=settled, at=now))
        sheet.post()
    return Held(hold, entry.points, replayed=False)


def _find(sheet: Sheet, key: str) -> Hold:
    (book,) = sheet.heads
    found = Hold.objects.filter(book=book, key=key).first()
    if found is None:
        raise UnknownHold(f"Book {book} has no hold {key!r}")
    return found


def _resolution_of(row: Hold) -> Resolution | None:
    return Resolution.objects.filter(hold=row).first()


def _settled_parts(sheet: Sheet, resolution: Resolution) -> list[tuple[LotState, int]]:
    """Which lots a settled hold redeemed from, in the order it did."""
    (book,) = sheet.heads
    rows = Transfer.objects.filter(book=book, key=resolution.key, kind=Kind.SETTLED).order_by("part")
    parts = [(lot_id, amount) for lot_id, amount in rows.values_list("lot_id", "amount") if lot_id is not None]
    sheet.load_lots_by_id([lot_id for lot_id, _ in parts])
    return [(sheet.lots_by_id[lot_id], amount) for lot_id, amount in parts]
