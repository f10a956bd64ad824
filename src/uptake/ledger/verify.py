"""Is the ledger true? Every promise about points, asked of the record itself, book by book.

The chain is walked transfer by transfer in one stream, which remembers what became of each lot (some 300 bytes a lot
of the book). What the caches say is then compared with what the record says. The names I1 … I19 are those of the list
of invariants in the documentation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from django.db import connection, transaction

from uptake.ledger.accounts import AVAILABLE, DEBT, HELD, ISSUED, PENDING, owner_of, person, place_of
from uptake.ledger.chain import START, link
from uptake.ledger.models import Account, ChainHead, Transfer

OF_THE_DATABASE: Final = "The database no longer"
"""How problems begin that are of all books alike."""
MOST_PROBLEMS: Final = 20
"""Told per book and check; a broken ledger needs no longer list."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One promise that does not hold."""

    book: int
    invariant: str
    seq: int | None
    """The sequence of the transfer where it shows, if it is one transfer's."""
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at in one book."""

    book: int
    transfers: int
    accounts: int
    head: str
    problems: tuple[Problem, ...]
    first_broken_seq: int | None
    """The lowest sequence at which the chain is wrong; where the chain holds, at which something else is."""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of `verify`."""

    books: tuple[Verified, ...]

    @property
    def holds(self) -> bool:
        return not any(book.problems for book in self.books)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(problem for book in self.books for problem in book.problems)

    @property
    def transfers(self) -> int:
        return sum(book.transfers for book in self.books)


def verify(*, book: int | None = None, tell: Callable[[int], None] | None = None) -> Report:
    """Check one book, or all. Reads one snapshot, changes nothing. `tell` is called now and then with how many
    transfers were read since the last call."""
    with _one_snapshot():
        books = sorted(_books()) if book is None else [book]
        guards, lost = _missing_triggers(), _missing_constraints()
        return Report(tuple(_verify(one, guards, lost, tell or (lambda _count: None)) for one in books))


def _verify(book: int, guards: list[str], lost: list[str], tell: Callable[[int], None]) -> Verified:
    problems = [Problem(book, "I4", None, f"{OF_THE_DATABASE} guards the record: {name}") for name in guards]
    problems += [Problem(book, KEPT[name], None, f"{OF_THE_DATABASE} holds {name}") for name in lost]
    walk = _Walk(book)
    since = 0
    for row in _transfers(book):
        walk.step(row)
        since += 1
        if since == 5000:
            tell(since)
            since = 0
    tell(since)
    walk.finish()
    problems += walk.problems
    problems += walk.others
    problems += _check_balances(book, walk)
    held: dict[str, list[int]] = {}
    problems += _check_lots(book, walk, held)
    problems += _check_people(book, walk, held)
    for check in CHECKS:
        problems += check.ask(book)
    found = walk.problems or problems
    broken = [problem.seq for problem in found if problem.seq is not None]
    return Verified(book, walk.count, len(walk.ends), walk.hash, tuple(problems), min(broken, default=None))


# ── the chain ────────────────────────────────────────────────────────────────────────────────────────────────────


class _End(NamedTuple):
    """An account, and which counts of a lot change when its points leave or arrive there."""

    code: str
    leaving: int
    arriving: int
    owner: str
    """The person whose lots alone may be here; empty for what a person owes and what is no person's."""


_NO_END: Final = _End("", 0, 0, "")
_WIDTH: Final = 80
"""All counts of a lot are added up as one number: each has so many bits, more than the database can keep."""
_AMOUNT, _TAKEN, _RENEWED = 1, 1 << 6 * _WIDTH, 1 << 7 * _WIDTH
_AT: Final = {
    place: 1 << number * _WIDTH
    for number, place in enumerate(("pending", "available", "held", "redeemed", "expired"), start=1)
}


def _end(code: str) -> _End:
    place = place_of(code)
    at = _AT.get(place)
    owner = (owner_of(code) or "") if place != DEBT else ""
    return _End(code, _AMOUNT, _TAKEN, owner) if at is None else _End(code, -at, at, owner)


class _Moved:
    """What the transfers say about one lot."""

    __slots__ = ("counts", "owner", "seq")

    def __init__(self, seq: int) -> None:
        self.counts = 0
        self.owner = ""
        self.seq = seq
        """Where it shows whose it is."""


class _Walk:
    """Follows the transfers of a book from the first to the last, and what they do to the accounts and lots."""

    def __init__(self, book: int) -> None:
        self.book = book
        codes = Account.objects.filter(book=book).values_list("id", "code").iterator(chunk_size=5000)
        self.ends = {pk: _end(code) for pk, code in codes}
        self.as_written = connection.vendor == "sqlite"
        """JSON is kept byte by byte as it was hashed."""
        self.balances: dict[str, int] = defaultdict(int)
        self.lots: dict[int, _Moved] = {}
        self.problems: list[Problem] = []
        self.others: list[Problem] = []
        self.count = 0
        self.seq = 0
        self.hash = START
        self.posted = ""

    def step(self, row: tuple[Any, ...]) -> None:
        seq, key, part, kind, reason, cause, source_id, target_id, amount, lot, new_lot = row[:11]
        effective, posted, before, stored, explanation = row[11:]
        self.count += 1
        if seq != self.seq + 1:
            self._broken("I17", self.seq + 1, f"After {self.seq} comes {seq}")
        self.seq = seq
        if before != self.hash:
            self._broken("I17", seq, "It does not follow the transfer before it")
        if type(amount) is not int or amount <= 0:
            self._broken("I18", seq, f"It moves {amount!r} points")
            amount = 0
        out, into = self.ends.get(source_id, _NO_END), self.ends.get(target_id, _NO_END)
        source, target = out.code, into.code
        if not source or not target or source_id == target_id:
            self._broken("I19" if source_id != target_id else "I1", seq, "It has no two accounts of this book")
        effective, posted = _stamp(effective), _stamp(posted)
        told = [self.book, seq, key, part, kind, reason, cause, source, target, row[8], lot, new_lot, effective, posted]
        whole = self.as_written and explanation[:1] == "{"
        if not whole or link(before, [*told, orjson.Fragment(explanation)]) != stored:
            try:
                content = orjson.loads(explanation)
                whole = isinstance(content, dict)
                self.hash = link(before, [*told, content])
            except (ValueError, TypeError):
                whole = False
                self.hash = ""
            if self.hash != stored:
                self._broken("I17", seq, "Its content is not what its hash was made of")
        self.hash = stored
        if posted <= self.posted:
            self._broken("I17", seq, "It was posted no later than the transfer before it")
        self.posted = posted
        if not cause or not key or not whole:
            self._broken("I12", seq, "It names no cause")
        self.balances[target] += amount
        left = self.balances[source] = self.balances[source] - amount
        if left < 0 and source != ISSUED:
            self._broken("I5", seq, f"{source} falls to {left}")
        moved = None
        if lot is not None:
            moved = self._moved(lot, seq)
            moved.counts += amount * (out.leaving + (into.arriving if new_lot is None else _RENEWED))
        if new_lot is not None:
            self._moved(new_lot, seq).counts += amount * (_AMOUNT + into.arriving)
        for owner in (out.owner, into.owner):
            if owner and (moved is None or owner != moved.owner):
                if moved is not None and not moved.owner:
                    moved.owner, moved.seq = owner, seq
                else:
                    self.of_another(seq)

    def _moved(self, lot: int, seq: int) -> _Moved:
        moved = self.lots.get(lot)
        if moved is None:
            moved = self.lots[lot] = _Moved(seq)
        return moved

    def of_another(self, seq: int) -> None:
        if len(self.others) < MOST_PROBLEMS:
            self.others.append(Problem(self.book, "I6", seq, "A lot of another person is moved"))

    def finish(self) -> None:
        head = ChainHead.objects.filter(book=self.book).first()
        if head is None:
            if self.count:
                self._broken("I17", self.seq, "The chain has no head")
        elif head.seq != self.seq:
            self._broken("I17", min(self.seq, head.seq) + 1, f"The chain ends at {self.seq}, its head at {head.seq}")
        elif head.hash != self.hash:
            self._broken("I17", self.seq, "The head of the chain has another hash")
        if sum(self.balances.values()):
            self.problems.append(Problem(self.book, "I2", None, "The balances do not add up to 0"))

    def _broken(self, invariant: str, seq: int, what: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(self.book, invariant, seq, what))


def _transfers(book: int) -> Iterator[tuple[Any, ...]]:
    """The transfers of a book in order, as the database gives them, a few thousand at a time."""
    # Instants and JSON as text: reading them takes the driver longer than all the rest of the walk.
    text = "{}::text" if connection.vendor == "postgresql" else "{} || ''"
    texts = ", ".join(map(text.format, ("effective_at", "posted_at", "previous_hash", "hash", "explanation")))
    return _stream(
        "SELECT seq, key, part, kind, reason, cause, source_id, target_id, amount, lot_id, new_lot_id,"  # noqa: S608
        f" {texts} FROM {Transfer._meta.db_table} WHERE book = %s ORDER BY seq",
        book,
    )


def _stamp(text: str) -> str:
    """The instant as the hash has it. Both databases say it in UTC, without zeros at the end of the microseconds."""
    if text.endswith("+00"):
        text = text[:-3]
    return f"{text[:10]}T{text[11:19]}.{text[20:]:0<6}+00:00"


# ── the caches against the record ────────────────────────────────────────────────────────────────────────────────


def _check_balances(book: int, walk: _Walk) -> Iterator[Problem]:
    told = 0
    for code, balance in Account.objects.filter(book=book).values_list("code", "balance").iterator(chunk_size=5000):
        true = 0 if code == ISSUED else walk.balances[code]
        if balance != true and told < MOST_PROBLEMS:
            told += 1
            yield Problem(book, "I3", None, f"{code} is kept at {balance}, its transfers say {true}")


def _check_lots(book: int, walk: _Walk, held: dict[str, list[int]]) -> list[Problem]:
    """Each lot counts what its transfers and take-backs say; adds up in `held` what the lots of a person hold."""
    found: list[Problem] = []

    def wrong(invariant: str, seq: int | None, what: str) -> None:
        if len(found) < MOST_PROBLEMS:
            found.append(Problem(book, invariant, seq, what))

    taken_back = {
        lot: (int(points), int(unmoved))
        for lot, points, unmoved in _rows(
            "SELECT lot_id, SUM(points), SUM(unmoved) FROM ledger_entry"
            " WHERE book = %s AND kind = 'taken_back' GROUP BY lot_id",
            [book],
        )
    }
    one, two, three, four, five, six, seven = (number * _WIDTH for number in range(1, 8))
    untouched = _Moved(0)
    for row in _stream(
        "SELECT id, key, owner, amount, pending, available, held, redeemed, expired, taken, renewed, reversed,"
        " reversed_expired FROM ledger_lot WHERE book = %s",
        book,
    ):
        pk, key, owner, amount, pending, available, reserved, redeemed, expired, taken, renewed, back, unmoved = row
        moved = walk.lots.pop(pk, untouched)
        try:
            counts = amount + (pending << one) + (available << two) + (reserved << three) + (redeemed << four)
            counts += (expired << five) + (taken << six) + (renewed << seven)
        except TypeError:  # SQLite keeps what is no whole number as well
            wrong("I6", None, f"Lot {key} counts what is no whole number")
            continue
        if counts != moved.counts or amount != pending + available + reserved + redeemed + expired + taken + renewed:
            wrong("I6", None, f"Lot {key} counts otherwise than its transfers")
        if moved.owner and moved.owner != owner:
            wrong("I6", moved.seq, "A lot of another person is moved")
        if (back, unmoved) != taken_back.get(pk, (0, 0)) or back > amount:
            wrong("I11", None, f"Lot {key} counts otherwise what was taken back")
        if pending or available or reserved:
            has = held.setdefault(owner, [0, 0, 0])
            has[0] += pending
            has[1] += available
            has[2] += reserved
    for moved in walk.lots.values():  # of no lot of this book
        if moved.owner:
            wrong("I6", moved.seq, "A lot of another person is moved")
    return found


def _check_people(book: int, walk: _Walk, lots: Mapping[str, list[int]]) -> Iterator[Problem]:
    """A person's accounts hold what the person's lots and holds say; debt and available never stand together."""
    open_holds = dict(
        _rows(
            "SELECT owner, SUM(points) FROM ledger_hold h LEFT JOIN ledger_resolution r ON r.hold_id = h.id"
            " WHERE book = %s AND r.hold_id IS NULL GROUP BY owner",
            [book],
        )
    )
    owners = {code[7:].rsplit("/", 1)[0] for code in walk.balances if code.startswith("person/")}
    told = 0
    for owner in sorted(owners | lots.keys() | open_holds.keys()):
        pending, available, held, debt = (
            walk.balances.get(person(owner, part), 0) for part in (PENDING, AVAILABLE, HELD, DEBT)
        )
        found: list[tuple[str, str]] = []
        if [pending, available, held] != lots.get(owner, [0, 0, 0]):
            found.append(("I3", f"The lots of person {owner} hold other points than the accounts"))
        if held != int(open_holds.get(owner, 0)):
            found.append(("I10", f"Person {owner} has {held} points held, the open holds say otherwise"))
        if debt and available:
            found.append(("I5", f"Person {owner} owes {debt} points and has {available} available"))
        for invariant, what in found:
            if told < MOST_PROBLEMS:
                told += 1
                yield Problem(book, invariant, None, what)


@dataclass(frozen=True, slots=True)
class Check:
    """One promise as one query: every row it gives is a break of it. Columns: sequence or null, and what is wrong."""

    invariant: str
    query: str

    def ask(self, book: int) -> Iterator[Problem]:
        count = self.query.count("%s")
        for seq, what in _rows(f"{self.query} LIMIT {MOST_PROBLEMS}", [book] * count):
            yield Problem(book, self.invariant, seq, str(what))


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "I8",
        """
        SELECT MIN(t.seq), 'Transfers under key ' || t.key || ' have no entry' FROM ledger_transfer t
        LEFT JOIN ledger_entry e ON e.book = t.book AND e.key = t.key
        WHERE t.book = %s AND e.id IS NULL GROUP BY t.key ORDER BY 1
        """,
    ),
    Check(
        "I8",
        """
        SELECT MIN(m.seq), 'Entry ' || e.key || ' was about other points than it moved' FROM ledger_entry e
        LEFT JOIN ledger_transfer m ON m.book = e.book AND m.key = e.key
            AND (m.kind = e.kind OR (e.kind = 'taken_back' AND m.kind = 'debt_incurred'))
        WHERE e.book = %s GROUP BY e.id, e.key, e.points, e.unmoved
        HAVING e.points <> e.unmoved + COALESCE(SUM(m.amount), 0)
        ORDER BY 1
        """,
    ),
    Check(
        "I10",
        """
        SELECT NULL, 'Hold ' || h.key || ' settled more or other points than it has' FROM ledger_hold h
        JOIN ledger_resolution r ON r.hold_id = h.id
        LEFT JOIN ledger_transfer t ON t.book = h.book AND t.key = r.key AND t.kind = 'settled'
        WHERE h.book = %s GROUP BY h.id, h.key, h.points, r.settled
        HAVING r.settled > h.points OR r.settled <> COALESCE(SUM(t.amount), 0)
        """,
    ),
    Check(
        "I10",
        """
        SELECT NULL, 'Hold ' || h.key || ' is awaited otherwise than it times out' FROM ledger_hold h
        LEFT JOIN ledger_resolution r ON r.hold_id = h.id
        LEFT JOIN ledger_deadline d ON d.hold_id = h.id
        WHERE h.book = %s AND ((d.hold_id IS NOT NULL) <> (r.hold_id IS NULL AND h.times_out_at IS NOT NULL)
            OR d.book <> h.book OR d.owner <> h.owner OR d.at <> h.times_out_at)
        """,
    ),
    Check(
        "I10",
        """
        SELECT NULL, 'Hold ' || h.key || ' holds other points than its entry' FROM ledger_hold h
        LEFT JOIN ledger_entry e ON e.book = h.book AND e.key = h.key AND e.kind = 'held' AND e.points = h.points
        WHERE h.book = %s AND e.id IS NULL
        """,
    ),
    Check(
        "I10",
        """
        SELECT NULL, 'The refund ' || e.key || ' is not noted at its hold' FROM ledger_entry e
        LEFT JOIN (
            SELECT f.key, h.book FROM ledger_refund f JOIN ledger_hold h ON h.id = f.resolution_id
        ) n ON n.key = e.key AND n.book = e.book
        WHERE e.book = %s AND e.kind = 'refunded' AND n.key IS NULL
        """,
    ),
    Check(
        "I6",
        """
        SELECT NULL, 'Lot ' || l.key || ' expired before its last date was over' FROM ledger_lot l
        JOIN ledger_chainhead h ON h.book = l.book
        WHERE l.book = %s AND l.expired > l.reversed_expired AND (l.expires_at IS NULL OR l.expires_at > h.clock_at)
        """,
    ),
    Check(
        "I12",
        "SELECT NULL, 'Entry ' || key || ' names no cause' FROM ledger_entry WHERE book = %s AND cause = ''",
    ),
)


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────


def _rows(query: str, values: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _stream(query: str, book: int) -> Iterator[tuple[Any, ...]]:
    """The rows of a book, a few thousand at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, [book])
        while rows := cursor.fetchmany(5000):
            yield from rows


def _books() -> list[int]:
    return [row[0] for row in _rows("SELECT book FROM ledger_chainhead UNION SELECT book FROM ledger_account", [])]


def _missing_triggers() -> list[str]:
    """The triggers this version makes and the database does not have, or has switched off."""
    if connection.vendor == "postgresql":
        found = _rows("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'ledger_%%' AND tgenabled IN ('O', 'A')", [])
    else:
        found = _rows("SELECT name FROM sqlite_master WHERE type = 'trigger'", [])
    there = {name for (name,) in found}
    references = REFERENCES if connection.vendor == "postgresql" else REFERENCES_OF_NEW
    wanted = (*GUARDS, *references)
    return sorted(name for name in wanted if name not in there)


def _missing_constraints() -> list[str]:
    """What the tables themselves refuse: a key twice, an account or a lot below 0, a lot that loses points."""
    if connection.vendor == "postgresql":
        there = {name for (name,) in _rows("SELECT conname FROM pg_constraint WHERE convalidated", [])}
        return sorted(name for name in KEPT if name not in there)
    rows = _rows("SELECT sql FROM sqlite_master WHERE type = 'table' AND name LIKE 'ledger_%%'", [])
    text = " ".join(sql for (sql,) in rows)
    return sorted(name for name in KEPT if f'"{name}"' not in text)


KEPT: Final = {
    "entry_once_per_key": "I7",
    "lot_once_per_key": "I7",
    "hold_once_per_key": "I7",
    "transfer_once_per_key": "I7",
    "transfer_once_per_sequence": "I9",
    "account_once_per_book": "I9",
    "only_the_issuing_account_below_zero": "I5",
    "lot_loses_no_point": "I6",
    "lot_never_overdrawn": "I6",
    "lot_reversed_at_most_whole": "I11",
    "transfer_has_two_ends": "I1",
    "transfer_moves_points": "I18",
}
"""What the database refuses by itself, and the promise that rests on it."""
GUARDS: Final = tuple(
    f"ledger_{table}_{deed}"
    for table in ("transfer", "entry", "hold", "resolution", "refund")
    for deed in ("no_update", "no_delete")
) + tuple(f"ledger_{name}" for name in ("account_no_delete", "lot_no_delete", "chainhead_no_delete", "lot_stays"))
REFERENCES_OF_NEW: Final = ("ledger_transfer_refers_on_insert", "ledger_entry_refers_on_insert")
REFERENCES: Final = (*REFERENCES_OF_NEW, "ledger_transfer_refers_on_update", "ledger_entry_refers_on_update")
"""PostgreSQL asks changed rows as well; SQLite changes none."""


@contextmanager
def _one_snapshot() -> Iterator[None]:
    """Everything is read as of one moment, without holding up those who write."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SET LOCAL work_mem = '64MB'")  # so that a million lots are added up in memory
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
