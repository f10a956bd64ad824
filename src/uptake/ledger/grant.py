"""Grant points and take them back, many at once; each by its key, once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import transaction

from uptake.ledger.accounts import AVAILABLE, DEBT, EXPIRED, ISSUED, PENDING, owner_of, person
from uptake.ledger.again import again_where_lost
from uptake.ledger.elapse import bring_up_to_date
from uptake.ledger.lots import LotState, draw
from uptake.ledger.models import Entry, Kind, Transfer
from uptake.ledger.post import (
    KeyConflict,
    NotEnoughPoints,
    Refusal,
    Sheet,
    UnknownLot,
    check_key,
    content_of,
    known_entries,
    open_sheet,
)
from uptake.ledger.rows import are_written_behind, writing_behind


class MoreThanGranted(Refusal):
    """A take-back of more than is left of what the lot was granted, earlier take-backs counted."""

    def __init__(self, lot: str, left: int, asked: int) -> None:
        super().__init__(f"Lot {lot!r} has {left} points left to take back, {asked} were asked")
        self.lot = lot
        self.left = left
        self.asked = asked


@dataclass(slots=True, kw_only=True)
class Grant:
    """Points for a person. The first grant of a lot makes it; further ones add to it and keep its dates."""

    book: int
    key: str
    """Of this grant: unique in the book."""
    lot: str
    """Key of the lot: one per award (event revision and rule)."""
    owner: str
    points: int
    """A whole number above 0."""
    cause: str
    """`event/<id>`, `request/<id>` …"""
    happened_at: datetime
    """With source, event_key and rule_order: the canonical order of what earned it."""
    available_from: datetime
    """Later than now: the points are pending until then."""
    source: str = ""
    event_key: str = ""
    rule_order: int = 0
    last_date: date | None = None
    """The last business date on which the points can be spent; None: they never expire."""
    expires_at: datetime | None = None
    """The start of the business date after it."""
    inactive_days: int | None = None
    """Every deed of the owner by the last date makes it so many days after the deed (`postpone`); None: it stays."""
    reason: str = ""
    explanation: Mapping[str, Any] = field(default_factory=dict)
    effective_at: datetime | None = None
    """When it counts; None: when it happened."""
    paid_from: str = ISSUED
    """Another account that pays: `budget/<x>` or `escrow/<x>`."""


class Granted(NamedTuple):
    """What became of a grant."""

    key: str
    points: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Points of a lot that must be taken back from its owner, wherever they are now."""

    book: int
    key: str
    lot: str
    points: int
    """A whole number above 0."""
    cause: str
    reason: str = ""
    explanation: Mapping[str, Any] = field(default_factory=dict)
    effective_at: datetime | None = None
    """When it counts; None: now."""
    paid_to: str = ISSUED
    """Where they go: back to the issuer, or to the budget that paid them."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Where the points of a take-back were found; the four sum up to the points asked."""

    key: str
    own: int
    expired: int
    """Had expired already: nothing moved."""
    others: int
    """From other lots of the person, in spend order."""
    debt: int
    replayed: bool

    @property
    def points(self) -> int:
        return self.own + self.expired + self.others + self.debt


@again_where_lost
def grant(grants: Sequence[Grant], *, now: datetime) -> list[Granted]:
    """Grant points to many people in one transaction; the results stand in the order of the grants.

    Debt is paid first. A grant to a lot that has expired expires at once. Raises KeyConflict and, for a grant paid
    from a budget, NotEnoughPoints; then nothing of the batch is written.
    """
    if not grants:
        return []
    for item in grants:
        _check(item)
    with transaction.atomic(savepoint=not are_written_behind()), writing_behind():
        sheet = open_sheet(books={item.book for item in grants}, now=now)
        results: list[Granted] = []
        contents = [_content_of_grant(item) for item in grants]
        seen = _seen(grants, contents)
        fresh = [item for item in grants if (item.book, item.key) not in seen]
        _prepare_grants(sheet, fresh)
        for item, content in zip(grants, contents, strict=True):
            place = (item.book, item.key)
            replayed = place in seen
            if not replayed:
                _grant(sheet, item, content)
                seen.add(place)
            results.append(Granted(item.key, item.points, replayed))
        sheet.post()
    return results


@contextmanager
def granting(
    people: Collection[tuple[int, str]], *, lots: int, now: datetime
) -> Iterator[Callable[[Sequence[Grant]], None]]:
    """Inside, what this gives grants new lots to these people (book, owner), part after part, in one transaction.

    All that must be known, for at most about `lots` lots, is locked and read beforehand, so that the database takes
    one part while the next is worked out. Only for keys and lots that cannot be there yet: the database refuses
    (IntegrityError) what is.
    """
    with transaction.atomic(savepoint=not are_written_behind()), writing_behind():
        sheet = open_sheet(books={book for book, _ in people}, now=now)
        _load_people(sheet, people)
        sheet.expect(books={book for book, _ in people}, new_lots=lots)

        def add(grants: Sequence[Grant]) -> None:
            for item in grants:
                _check(item)
                _grant(sheet, item, _content_of_grant(item))
            sheet.post()

        yield add


@again_where_lost
def take_back(takings: Sequence[Taking], *, now: datetime) -> list[Taken]:
    """Take points back in one transaction, in the order given: own lot, its expired part, other lots, debt.

    Held points are not touched. Raises KeyConflict, UnknownLot, MoreThanGranted; then nothing is written.
    """
    if not takings:
        return []
    for item in takings:
        check_key(item.key)
        assert item.points > 0, "A take-back is of at least one point"
    with transaction.atomic(savepoint=not are_written_behind()):
        sheet = open_sheet(books={item.book for item in takings}, now=now)
        contents = [_content_of_taking(item) for item in takings]
        seen = _seen(takings, contents)
        fresh = [item for item in takings if (item.book, item.key) not in seen]
        sheet.load_lots_by_key((item.book, item.lot) for item in fresh)
        for item in fresh:
            if (item.book, item.lot) not in sheet.lots:
                raise UnknownLot(f"Book {item.book} has no lot {item.lot!r}")
        bring_up_to_date(sheet, {(item.book, sheet.lots[item.book, item.lot].owner) for item in fresh})
        done: dict[tuple[int, str], Taken] = {}
        for item, content in zip(takings, contents, strict=True):
            if (item.book, item.key) not in seen and (item.book, item.key) not in done:
                done[item.book, item.key] = _take_back(sheet, item, content)
        sheet.post()
        told: set[tuple[int, str]] = set()
        results: list[Taken] = []
        for item in takings:
            place = (item.book, item.key)
            first = done.get(place)
            if first is not None and place not in told:
                results.append(first)
            else:
                results.append(_taken_before(item))
            told.add(place)
    return results


def _seen(items: Sequence[Grant | Taking], contents: Sequence[str]) -> set[tuple[int, str]]:
    """The keys posted before. KeyConflict for other content, there or inside this batch."""
    asked: dict[tuple[int, str], str] = {}
    for item, content in zip(items, contents, strict=True):
        if asked.setdefault((item.book, item.key), content) != content:
            raise KeyConflict(item.book, item.key)
    return set(known_entries(asked))


def _content_of_grant(item: Grant) -> str:
    return content_of("grant", item.lot, item.owner, item.points, item.cause, item.reason, item.paid_from)


def _content_of_taking(item: Taking) -> str:
    return content_of("take_back", item.lot, item.points, item.cause, item.reason, item.paid_to)


def _prepare_grants(sheet: Sheet, fresh: Sequence[Grant]) -> None:
    """Read what the grants touch in a few queries, whatever their number."""
    sheet.load_lots_by_key((item.book, item.lot) for item in fresh)
    sheet.load_accounts((item.book, item.paid_from) for item in fresh)
    _load_people(sheet, {(item.book, item.owner) for item in fresh})
    unknown = {(item.book, item.lot) for item in fresh} - sheet.lots.keys()
    sheet.expect(books={item.book for item in fresh}, new_lots=len(unknown))


def _load_people(sheet: Sheet, people: Collection[tuple[int, str]]) -> None:
    """Read the accounts of the people and do what time alone has done to them."""
    codes = {(book, person(owner, part)) for book, owner in people for part in (AVAILABLE, DEBT, PENDING)}
    sheet.load_accounts(codes | {(book, EXPIRED) for book, _ in people})
    bring_up_to_date(sheet, people)


def _check(item: Grant) -> None:
    check_key(item.key)
    check_key(item.lot)
    assert item.points > 0, "A grant is of at least one point"
    assert (item.last_date is None) == (item.expires_at is None), "The last date and its end come together"
    assert item.inactive_days is None or item.last_date is not None, "What can be postponed has a last date"


def _grant(sheet: Sheet, item: Grant, content: str) -> None:
    lot = sheet.lots.get((item.book, item.lot))
    if lot is None:
        lot = sheet.new_lot(
            book=item.book,
            key=item.lot,
            owner=item.owner,
            happened_at=item.happened_at,
            source=item.source,
            event_key=item.event_key,
            rule_order=item.rule_order,
            available_from=item.available_from,
            last_date=item.last_date,
            expires_at=item.expires_at,
            inactive_days=item.inactive_days,
        )
    assert lot.owner == item.owner, f"Lot {lot.key} belongs to another person"
    if item.paid_from != ISSUED:
        assert owner_of(item.paid_from) is None, "A person pays nobody's grant"
        has = sheet.balance(item.book, item.paid_from)
        if has < item.points:
            raise NotEnoughPoints(item.paid_from, has, item.points)
    entry = sheet.entry(
        book=item.book,
        key=item.key,
        kind=Kind.GRANTED,
        content=content,
        owner=item.owner,
        lot=lot,
        points=item.points,
        reason=item.reason,
        cause=item.cause,
        explanation=item.explanation,
        effective_at=item.effective_at or item.happened_at,
    )
    available = person(item.owner, AVAILABLE)
    clock = sheet.clocks[item.book]
    if lot.expired_by(clock):
        sheet.move(entry, Kind.GRANTED, item.paid_from, available, item.points, lot=lot)
        sheet.move(entry, Kind.EXPIRED, available, EXPIRED, item.points, lot=lot)
    elif lot.available_from > clock:
        sheet.move(entry, Kind.GRANTED, item.paid_from, person(item.owner, PENDING), item.points, lot=lot)
    else:
        sheet.move(entry, Kind.GRANTED, item.paid_from, available, item.points, lot=lot)
        sheet.pay_debt(entry, lot, item.points)


def _take_back(sheet: Sheet, item: Taking, content: str) -> Taken:
    lot = sheet.lots[item.book, item.lot]
    left = lot.amount - lot.reversed if lot.renews_id is None else 0
    if item.points > left:
        raise MoreThanGranted(item.lot, left, item.points)
    entry = sheet.entry(
        book=item.book,
        key=item.key,
        kind=Kind.TAKEN_BACK,
        content=content,
        owner=lot.owner,
        lot=lot,
        points=item.points,
        reason=item.reason,
        cause=item.cause,
        explanation=item.explanation,
        effective_at=item.effective_at,
    )
    rest = item.points
    own = 0
    for place in (PENDING, AVAILABLE):
        part = min(rest, getattr(lot, place))
        if part:
            sheet.move(entry, Kind.TAKEN_BACK, person(lot.owner, place), item.paid_to, part, lot=lot)
        own += part
        rest -= part
    expired = min(rest, lot.expired - lot.reversed_expired)
    rest -= expired
    entry.unmoved = expired
    lot.reversed += item.points
    lot.reversed_expired += expired
    others: list[tuple[LotState, int]] = []
    if rest:
        others = draw((other for other in sheet.spendable_lots(lot.book, lot.owner) if other is not lot), rest)
    for other, part in others:
        sheet.move(entry, Kind.TAKEN_BACK, person(lot.owner, AVAILABLE), item.paid_to, part, lot=other)
        rest -= part
    if rest:
        sheet.move(entry, Kind.DEBT_INCURRED, ISSUED, person(lot.owner, DEBT), rest)
    return Taken(item.key, own, expired, sum(part for _, part in others), rest, replayed=False)


def _taken_before(item: Taking) -> Taken:
    """The result of a take-back posted before, read from what it posted."""
    entry = Entry.objects.get(book=item.book, key=item.key)
    own = others = debt = 0
    for kind, lot_id, amount in Transfer.objects.filter(book=item.book, key=item.key).values_list(
        "kind", "lot_id", "amount"
    ):
        if kind == Kind.DEBT_INCURRED:
            debt += amount
        elif lot_id == entry.lot_id:
            own += amount
        else:
            others += amount
    return Taken(item.key, own, entry.unmoved, others, debt, replayed=True)
