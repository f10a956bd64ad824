"""The innermost door: a sheet on which the doors of the ledger write moves, and which it then posts to the books.

One sheet is one database transaction. It locks the chain heads of its books in rising order, so the doors of a book
take turns and everything it read stays true until it is posted.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import Q

from uptake.ledger.accounts import AVAILABLE, DEBT, ISSUED, person, place_of
from uptake.ledger.chain import START, canonical, exact, link, stamps
from uptake.ledger.lots import COUNTS, FACTS, LotState
from uptake.ledger.models import Account, ChainHead, Deadline, Entry, Hold, Kind, Lot, Refund, Resolution, Transfer
from uptake.ledger.rows import (
    in_pieces,
    insert_rows,
    replace_rows,
    reserve_ids,
    rows_of_pairs,
    update_rows,
    writing_behind,
)

OWN_KEYS: Final = "time/"
"""Keys the ledger makes itself begin so; callers' keys must not."""
LONGEST_KEY: Final = 220
_TICK: Final = timedelta(microseconds=1)
_LOT: Final = (*FACTS, *COUNTS)
_TRANSFER: Final = (
    *("book", "seq", "key", "part", "kind", "reason", "cause", "source_id", "target_id", "amount"),
    *("lot_id", "new_lot_id", "effective_at", "posted_at", "previous_hash", "hash", "explanation"),
)


class Refusal(Exception):
    """A deed the ledger does not do. Nothing was written."""


class KeyConflict(Refusal):
    """The key was used before, with other content."""

    def __init__(self, book: int, key: str) -> None:
        super().__init__(f"Key {key!r} of book {book} was used with other content")
        self.book = book
        self.key = key


class NotEnoughPoints(Refusal):
    """The account has fewer points than the deed needs."""

    def __init__(self, code: str, has: int, needs: int) -> None:
        super().__init__(f"{code} has {has} points, {needs} are needed")
        self.code = code
        self.has = has
        self.needs = needs


class BookClosed(Refusal):
    """Nothing is written in the book until somebody has looked and opens it again."""

    def __init__(self, book: int, since: datetime) -> None:
        super().__init__(f"Book {book} is closed since {since.isoformat()}")
        self.book = book
        self.since = since


class UnknownLot(Refusal):
    """No lot of this key is in the book."""


@dataclass(slots=True)
class EntryState:
    """One entry while its moves are written."""

    book: int
    key: str
    kind: str
    fingerprint: str
    owner: str
    lot: LotState | None
    points: int
    reason: str
    cause: str
    explanation: dict[str, Any]
    effective_at: datetime
    unmoved: int = 0
    parts: int = 0


class Move(NamedTuple):
    """One transfer before it has its place in the chain."""

    entry: EntryState
    part: int
    kind: str
    source: str
    target: str
    amount: int
    lot: LotState | None
    new_lot: LotState | None
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class OpenHold:
    """A hold not yet resolved and the points it has of each lot, in the order they were drawn."""

    row: Hold
    draws: tuple[tuple[LotState, int], ...]


@dataclass(slots=True)
class _AccountState:
    id: int | None
    before: int
    balance: int


@dataclass(slots=True, eq=False)
class Sheet:
    """What one door reads and is about to write. Read-only sheets (`locked` False) are for looking ahead in time."""

    clocks: dict[int, datetime]
    heads: dict[int, ChainHead]
    locked: bool
    lots: dict[tuple[int, str], LotState] = field(default_factory=dict)
    lots_by_id: dict[int, LotState] = field(default_factory=dict)
    lots_of: dict[tuple[int, str], list[LotState]] = field(default_factory=lambda: defaultdict(list))
    entries: list[EntryState] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    _accounts: dict[tuple[int, str], _AccountState] = field(default_factory=dict)
    _live: set[tuple[int, str]] = field(default_factory=set)
    _issuing: dict[tuple[int, str], int] = field(default_factory=dict)
    _lot_ids: list[int] = field(default_factory=list)
    _account_ids: list[int] = field(default_factory=list)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────

    def load_accounts(self, accounts: Iterable[tuple[int, str]]) -> None:
        """Read the accounts (book, code); those that do not exist stand at 0 and are made when needed."""
        wanted = {account for account in accounts if account not in self._accounts and account[1] != ISSUED}
        if not wanted:
            return
        lock = "ORDER BY t.id"
        if self.locked and connection.features.has_select_for_no_key_update:
            lock += " FOR NO KEY UPDATE OF t"
        for row_id, book, code, balance in rows_of_pairs(
            "ledger_account", "t.id, t.book, t.code, t.balance", "code", wanted, also=lock
        ):
            self._accounts[book, code] = _AccountState(row_id, balance, balance)
        for account in wanted:
            self._accounts.setdefault(account, _AccountState(None, 0, 0))

    def balance(self, book: int, code: str) -> int:
        """What stands on the account now, with the moves of this sheet."""
        assert code != ISSUED, "The issuing account's balance is derived, not read"
        return self._account(book, code).balance

    def _account(self, book: int, code: str) -> _AccountState:
        state = self._accounts.get((book, code))
        if state is None:
            self.load_accounts([(book, code)])
            state = self._accounts[book, code]
        return state

    def load_lots(self, where: Q) -> list[LotState]:
        """Read lots; a lot this sheet knows already keeps its state."""
        found: list[LotState] = []
        for row in Lot.objects.filter(where).order_by("id").values_list(*FACTS, *COUNTS):
            lot = self.lots.get((row[1], row[2]))
            if lot is None:
                lot = LotState(*row)
                self._keep(lot)
                self.lots_by_id[lot.id] = lot
            found.append(lot)
        return found

    def load_lots_by_key(self, lots: Iterable[tuple[int, str]]) -> None:
        wanted = {lot for lot in lots if lot not in self.lots}
        if wanted:
            self.load_lots_by_id(row[0] for row in rows_of_pairs("ledger_lot", "t.id", "key", wanted))

    def load_lots_by_id(self, ids: Iterable[int]) -> None:
        """Read lots by their ids, those unknown to this sheet."""
        for piece in in_pieces(sorted(set(ids) - self.lots_by_id.keys())):
            self.load_lots(Q(id__in=piece))

    def expect(self, *, books: Collection[int], new_lots: int) -> None:
        """Read beforehand what will be asked when this is posted, so that nothing must wait for it then."""
        # SQLite gives the same ids again until the rows are there: all are asked for at once.
        if new_lots:
            self._lot_ids = reserve_ids(Lot, len(self._lot_ids) + new_lots)
        self._issuing |= _issuing_accounts(set(books) - {book for book, _ in self._issuing})
        missing = sum(code.endswith(AVAILABLE) and one.id is None for (_, code), one in self._accounts.items())
        if missing:
            self._account_ids = reserve_ids(Account, len(self._account_ids) + missing)

    def spendable_lots(self, book: int, owner: str) -> list[LotState]:
        """The lots of a person with available points."""
        if (book, owner) not in self._live:
            self.load_lots(Q(book=book, owner=owner, available__gt=0))
            self._live.add((book, owner))
        return [lot for lot in self.lots_of[book, owner] if lot.available]

    def pending_lots(self, book: int, owner: str) -> list[LotState]:
        """The lots of a person whose points are not available yet."""
        self.load_lots(Q(book=book, owner=owner, pending__gt=0))
        return [lot for lot in self.lots_of[book, owner] if lot.pending]

    def draws_of(self, holds: Collection[Hold]) -> dict[int, OpenHold]:
        """What each hold drew from which lot, by hold id."""
        drawn: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        by_book: dict[int, list[str]] = defaultdict(list)
        for hold in holds:
            by_book[hold.book].append(hold.key)
        for book, keys in by_book.items():
            for piece in in_pieces(keys):
                rows = Transfer.objects.filter(book=book, key__in=piece, kind=Kind.HELD).order_by("key", "part")
                for key, lot_id, amount in rows.values_list("key", "lot_id", "amount"):
                    assert lot_id is not None, "A hold draws from lots"
                    drawn[book, key].append((lot_id, amount))
        self.load_lots_by_id(lot_id for parts in drawn.values() for lot_id, _ in parts)
        return {
            hold.pk: OpenHold(hold, tuple((self.lots_by_id[i], n) for i, n in drawn[hold.book, hold.key]))
            for hold in holds
        }

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────

    def new_lot(
        self,
        *,
        book: int,
        key: str,
        owner: str,
        happened_at: datetime,
        source: str,
        event_key: str,
        rule_order: int,
        available_from: datetime,
        last_date: date | None,
        expires_at: datetime | None,
        inactive_days: int | None = None,
        renews: LotState | None = None,
    ) -> LotState:
        lot = LotState(
            0, book, key, owner, happened_at, source, event_key, rule_order, available_from, last_date, expires_at,
            None, inactive_days,
        )  # fmt: skip
        lot.is_new = True
        lot.renews = renews
        self._keep(lot)
        return lot

    def entry(
        self,
        *,
        book: int,
        key: str,
        kind: Kind,
        content: str,
        owner: str,
        points: int,
        reason: str,
        cause: str,
        explanation: Mapping[str, Any],
        effective_at: datetime | None,
        lot: LotState | None = None,
    ) -> EntryState:
        """Begin an entry; `content` is the fingerprint its key stands for."""
        made = EntryState(
            book,
            key,
            kind.value,
            content,
            owner,
            lot,
            points,
            reason or kind.value,
            cause,
            exact(explanation),
            effective_at or self.clocks[book],
        )
        self.entries.append(made)
        return made

    def move(
        self,
        entry: EntryState,
        kind: Kind,
        source: str,
        target: str,
        amount: int,
        *,
        lot: LotState | None = None,
        new_lot: LotState | None = None,
        effective_at: datetime | None = None,
    ) -> None:
        """Write one transfer. The doors have asked whether the points are there; here it is an assertion."""
        assert amount > 0, "A transfer moves at least one point"
        if source != ISSUED:
            paying = self._account(entry.book, source)
            assert paying.balance >= amount, f"{source} would stand at {paying.balance - amount}"
            paying.balance -= amount
        if target != ISSUED:
            self._account(entry.book, target).balance += amount
        if lot is not None:
            lot.take_from(place_of(source), amount)
            if new_lot is None:
                lot.put_to(place_of(target), amount)
            else:
                lot.renewed += amount
                new_lot.amount += amount
                new_lot.put_to(place_of(target), amount)
        entry.parts += 1
        self.moves.append(
            Move(
                entry,
                entry.parts,
                kind.value,
                source,
                target,
                amount,
                lot,
                new_lot,
                effective_at or entry.effective_at,
            )
        )

    def pay_debt(self, entry: EntryState, lot: LotState, at_most: int) -> None:
        """Points that became available pay what the person owes first."""
        owed = person(lot.owner, DEBT)
        paid = min(at_most, self.balance(lot.book, owed))
        if paid:
            self.move(entry, Kind.DEBT_PAID, person(lot.owner, "available"), ISSUED, paid, lot=lot)
            self.move(entry, Kind.DEBT_CLEARED, owed, ISSUED, paid)

    def post(self) -> None:
        """Write what is on the sheet to the database: lots, accounts, entries, transfers in the chain, holds, heads.

        More may be written on the sheet afterwards, and posted.
        """
        assert self.locked, "A sheet for looking ahead is never posted"
        with writing_behind():
            # What reads comes first, and the rows of which there are most last, so that nothing waits for them.
            ids = self._write_accounts()
            self._write_lots()
            self._write_chain(ids)
        self._write_holds()
        Refund.objects.bulk_create(self.refunds)
        for written in (self.entries, self.moves, self.holds, self.resolutions, self.refunds):
            written.clear()

    def _write_holds(self) -> None:
        Hold.objects.bulk_create(self.holds)
        deadlines = [(one, one.times_out_at) for one in self.holds if one.times_out_at is not None]
        Deadline.objects.bulk_create(
            Deadline(hold=hold, book=hold.book, owner=hold.owner, at=at) for hold, at in deadlines
        )
        Resolution.objects.bulk_create(self.resolutions)
        for resolved in in_pieces([one.hold_id for one in self.resolutions]):
            Deadline.objects.filter(hold_id__in=resolved).delete()

    def _keep(self, lot: LotState) -> None:
        self.lots[lot.book, lot.key] = lot
        self.lots_of[lot.book, lot.owner].append(lot)

    def _write_lots(self) -> None:
        touched = {id(lot): lot for move in self.moves for lot in (move.lot, move.new_lot) if lot is not None}
        touched |= {id(entry.lot): entry.lot for entry in self.entries if entry.lot is not None}
        fresh = [lot for lot in touched.values() if lot.is_new]
        if fresh:
            if len(fresh) > len(self._lot_ids):  # points given back made lots that nobody expected
                self._lot_ids = reserve_ids(Lot, len(fresh))
            for lot, lot_id in zip(fresh, self._lot_ids, strict=False):
                lot.id = lot_id
            del self._lot_ids[: len(fresh)]
        changed = [[lot.id, *(getattr(lot, n) for n in COUNTS)] for lot in touched.values() if not lot.is_new]
        for lot in fresh:
            if lot.renews is not None:
                lot.renews_id = lot.renews.id
            lot.is_new = False
        update_rows(Lot, COUNTS, changed)
        insert_rows(Lot, _LOT, list(map(attrgetter(*_LOT), fresh)))

    def _write_accounts(self) -> dict[tuple[int, str], int]:
        ids: dict[tuple[int, str], int] = {}
        used = {(m.entry.book, code) for m in self.moves for code in (m.source, m.target)}
        issuing = {(book, code) for book, code in used if code == ISSUED}
        self._issuing |= _issuing_accounts({book for book, _ in issuing - self._issuing.keys()})
        ids |= self._issuing
        missing = sorted(key for key in used if key[1] != ISSUED and self._accounts[key].id is None)
        changed: list[list[int]] = []
        if missing:
            if len(missing) > len(self._account_ids):
                self._account_ids = reserve_ids(Account, len(missing))
            for key, row_id in zip(missing, self._account_ids, strict=False):
                state = self._accounts[key]
                state.id, state.before = row_id, state.balance
            del self._account_ids[: len(missing)]
            fresh = [(self._accounts[key].id, *key, self._accounts[key].balance) for key in missing]
            insert_rows(Account, ("id", "book", "code", "balance"), fresh)
        for key in used:
            if key[1] == ISSUED:
                continue
            state = self._accounts[key]
            assert state.id is not None, "Every account has its row by now"
            ids[key] = state.id
            if state.balance != state.before:
                changed.append([state.id, state.balance])
                state.before = state.balance
        update_rows(Account, ("balance",), changed)
        return ids

    def _write_chain(self, ids: dict[tuple[int, str], int]) -> None:
        times: list[datetime] = []
        posted: dict[int, datetime] = {}
        for move in self.moves:
            entry = move.entry
            head, at = self.heads[entry.book], self.clocks[entry.book]
            if head.posted_at is not None and head.posted_at >= at:
                at = head.posted_at + _TICK
            head.posted_at = at
            times.append(at)
            posted.setdefault(id(entry), at)
        insert_rows(
            Entry,
            (
                *("book", "key", "kind", "fingerprint", "owner", "lot_id", "points", "unmoved", "reason", "cause"),
                *("effective_at", "posted_at", "explanation"),
            ),
            [
                (
                    *(e.book, e.key, e.kind, e.fingerprint, e.owner, e.lot.id if e.lot else None, e.points, e.unmoved),
                    *(e.reason, e.cause, e.effective_at, posted.get(id(e), self.clocks[e.book])),
                    "{}" if e.parts else e.explanation,
                )
                for e in self.entries
            ],
        )
        effective = stamps([move.effective_at for move in self.moves])
        told = zip(self.moves, times, effective, stamps(times), strict=True)
        insert_rows(Transfer, _TRANSFER, [self._linked(move, at, stamped, ids) for move, at, *stamped in told])
        written = {entry.book for entry in self.entries}
        heads = [h for h in self.heads.values() if h.book in written or h.clock_at != self.clocks[h.book]]
        for head in heads:
            head.clock_at = self.clocks[head.book]
        replace_rows(
            ChainHead,
            ("book", "seq", "hash", "clock_at", "posted_at"),
            [(h.book, h.seq, h.hash, h.clock_at, h.posted_at) for h in heads],
        )

    def _linked(
        self, move: Move, at: datetime, stamped: Sequence[str], ids: Mapping[tuple[int, str], int]
    ) -> tuple[Any, ...]:
        """The row of a move, made the next link of the chain of its book; `stamped` is when it counts and is posted."""
        entry = move.entry
        book = entry.book
        head = self.heads[book]
        head.seq += 1
        before = head.hash
        # One text of the explanation goes into the hash and into the row.
        told = canonical(entry.explanation if move.part == 1 else {"see": entry.key})
        lot_id = move.lot.id if move.lot else None
        new_lot_id = move.new_lot.id if move.new_lot else None
        amount = move.amount
        begin = (book, head.seq, entry.key, move.part, move.kind, entry.reason, entry.cause)
        record = (*begin, move.source, move.target, amount, lot_id, new_lot_id, *stamped)
        head.hash = link(before, [*record, orjson.Fragment(told)])
        ends = (ids[book, move.source], ids[book, move.target])
        return (*begin, *ends, amount, lot_id, new_lot_id, move.effective_at, at, before, head.hash, told.decode())


def open_sheet(*, books: Collection[int], now: datetime) -> Sheet:
    """Lock the chain heads of the books (made when new) and begin a sheet. Only inside a transaction.

    Raises BookClosed: whoever writes in a book comes by here.
    """
    assert transaction.get_connection().in_atomic_block, "A sheet is opened inside a transaction"
    assert now.tzinfo is not None, "Ledger time is timezone-aware"
    heads = lock_heads(books)
    for head in heads.values():
        if head.closed_at is not None:
            raise BookClosed(head.book, head.closed_at)
    clocks = {book: max(now, head.clock_at or now).astimezone(UTC) for book, head in heads.items()}
    return Sheet(clocks=clocks, heads=heads, locked=True)


def lock_heads(books: Collection[int]) -> dict[int, ChainHead]:
    """The heads of these books, ours until the transaction ends; made when new."""
    wanted = sorted(set(books))
    heads = _lock(wanted)
    if len(heads) < len(wanted):
        fresh = [ChainHead(book=book, hash=START) for book in wanted if book not in heads]
        ChainHead.objects.bulk_create(fresh, ignore_conflicts=True)
        heads = _lock(wanted)
    return heads


def look_ahead(*, books: Iterable[int], now: datetime) -> Sheet:
    """A sheet that locks nothing and is never posted: to see what time alone will have done by `now`."""
    return Sheet(clocks=dict.fromkeys(books, now.astimezone(UTC)), heads={}, locked=False)


def content_of(*parts: str | int | None) -> str:
    """The fingerprint of a deed: who, what, how much and why; never when, which the server stamps."""
    return hashlib.sha256(canonical(parts)).hexdigest()


def known_entries(contents: Mapping[tuple[int, str], str]) -> dict[tuple[int, str], int]:
    """The points of the entries posted before under these (book, key); KeyConflict if one stands for other content."""
    known: dict[tuple[int, str], int] = {}
    for book, key, content, points in rows_of_pairs(
        "ledger_entry", "t.book, t.key, t.fingerprint, t.points", "key", contents.keys()
    ):
        if content != contents[book, key]:
            raise KeyConflict(book, key)
        known[book, key] = points
    return known


def check_key(key: str) -> None:
    assert key, "A deed needs a key"
    assert len(key) <= LONGEST_KEY, f"A key has at most {LONGEST_KEY} characters"
    assert not key.startswith(OWN_KEYS), f"Keys that begin with {OWN_KEYS} are the ledger's own"


def _lock(books: list[int]) -> dict[int, ChainHead]:
    rows = ChainHead.objects.filter(book__in=books).order_by("book")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    return {head.book: head for head in rows}


def _issuing_accounts(books: set[int]) -> dict[tuple[int, str], int]:
    """The ids of the issuing accounts, made when new; their rows are neither locked nor changed."""
    if not books:
        return {}
    rows = Account.objects.filter(book__in=books, code=ISSUED)
    found = {(book, ISSUED): row_id for book, row_id in rows.values_list("book", "id")}
    for book in sorted(books):
        if (book, ISSUED) not in found:
            found[book, ISSUED] = Account.objects.create(book=book, code=ISSUED).pk
    return found
