"""Is the ledger true? Every promise about points, asked of the record itself, book by book.

The chain is walked transfer by transfer in one stream; what the caches say is then compared with what the record
says by one query each. The names I1 … I19 are those of the list of invariants in the documentation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.db import connection, transaction

from uptake.ledger.accounts import AVAILABLE, DEBT, HELD, ISSUED, PENDING, person
from uptake.ledger.chain import START, link
from uptake.ledger.models import Account, ChainHead, Transfer

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
        guards = _missing_triggers()
        return Report(tuple(_verify(one, guards, tell or (lambda _count: None)) for one in books))


def _verify(book: int, guards: list[str], tell: Callable[[int], None]) -> Verified:
    problems = [Problem(book, "I4", None, f"The database no longer guards the record: {name}") for name in guards]
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
    problems += _check_balances(book, walk)
    problems += _check_people(book, walk)
    for check in CHECKS:
        problems += check.ask(book)
    found = walk.problems or problems
    broken = [problem.seq for problem in found if problem.seq is not None]
    return Verified(book, walk.count, len(walk.codes), walk.hash, tuple(problems), min(broken, default=None))


# ── the chain ────────────────────────────────────────────────────────────────────────────────────────────────────


class _Walk:
    """Follows the transfers of a book from the first to the last, and what they do to the accounts."""

    def __init__(self, book: int) -> None:
        self.book = book
        self.codes = dict(Account.objects.filter(book=book).values_list("id", "code").iterator(chunk_size=5000))
        self.balances: dict[str, int] = defaultdict(int)
        self.problems: list[Problem] = []
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
        source = self.codes.get(source_id, "")
        target = self.codes.get(target_id, "")
        if not source or not target or source_id == target_id:
            self._broken("I19" if source_id != target_id else "I1", seq, "It has no two accounts of this book")
        effective, posted = _stamp(effective), _stamp(posted)
        told = [self.book, seq, key, part, kind, reason, cause, source, target, row[8], lot, new_lot]
        content = None
        try:
            content = orjson.loads(explanation)
            self.hash = link(before, [*told, effective, posted, content])
        except (ValueError, TypeError):
            self.hash = ""
        if self.hash != stored:
            self._broken("I17", seq, "Its content is not what its hash was made of")
            self.hash = stored
        if posted <= self.posted:
            self._broken("I17", seq, "It was posted no later than the transfer before it")
        self.posted = posted
        if not cause or not key or not isinstance(content, dict):
            self._broken("I12", seq, "It names no cause")
        self.balances[target] += amount
        left = self.balances[source] = self.balances[source] - amount
        if left < 0 and source != ISSUED:
            self._broken("I5", seq, f"{source} falls to {left}")

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
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT seq, key, part, kind, reason, cause, source_id, target_id, amount, lot_id, new_lot_id,"  # noqa: S608
            f" {texts} FROM {Transfer._meta.db_table} WHERE book = %s ORDER BY seq",
            [book],
        )
        while rows := cursor.fetchmany(5000):
            yield from rows


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


def _check_people(book: int, walk: _Walk) -> Iterator[Problem]:
    """A person's accounts hold what the person's lots and holds say; debt and available never stand together."""
    lots = {
        owner: (pending, available, held)
        for owner, pending, available, held in _rows(
            "SELECT owner, SUM(pending), SUM(available), SUM(held) FROM ledger_lot WHERE book = %s GROUP BY owner",
            [book],
        )
    }
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
        if (pending, available, held) != tuple(int(n) for n in lots.get(owner, (0, 0, 0))):
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


_PLACE: Final = """
    CASE WHEN {a}.code LIKE 'person/%%/pending' THEN 'pending' WHEN {a}.code LIKE 'person/%%/available' THEN 'available'
         WHEN {a}.code LIKE 'person/%%/held' THEN 'held' WHEN {a}.code = 'programme/redeemed' THEN 'redeemed'
         WHEN {a}.code = 'programme/expired' THEN 'expired' ELSE 'outside' END
"""


def _where_lots_are() -> str:
    """What the transfers say about each lot, beside what the lot says itself."""
    out, into = _PLACE.format(a="s"), _PLACE.format(a="g")

    def net(place: str) -> str:
        arrives = f"SUM(CASE WHEN came = '{place}' THEN n ELSE 0 END)"
        leaves = f"SUM(CASE WHEN went = '{place}' THEN n ELSE 0 END)"
        return f"{arrives} - {leaves}"

    places = ("pending", "available", "held", "redeemed", "expired")
    sums = ", ".join(f"{net(place)} AS {place}" for place in places)
    differs = " OR ".join(f"l.{place} <> COALESCE(m.{place}, 0)" for place in places)
    return f"""
        SELECT NULL, 'Lot ' || l.key || ' counts otherwise than its transfers'
        FROM ledger_lot l LEFT JOIN (
            SELECT lot, {sums},
                   SUM(CASE WHEN went IN ('outside', 'other lot') THEN n ELSE 0 END) AS amount,
                   SUM(CASE WHEN came = 'outside' THEN n ELSE 0 END) AS taken,
                   SUM(CASE WHEN came = 'other lot' THEN n ELSE 0 END) AS renewed
            FROM (
                SELECT t.lot_id AS lot, t.amount AS n, {out} AS went,
                       CASE WHEN t.new_lot_id IS NULL THEN {into} ELSE 'other lot' END AS came
                FROM ledger_transfer t JOIN ledger_account s ON s.id = t.source_id
                JOIN ledger_account g ON g.id = t.target_id WHERE t.book = %s AND t.lot_id IS NOT NULL
                UNION ALL
                SELECT t.new_lot_id, t.amount, 'other lot', {into}
                FROM ledger_transfer t JOIN ledger_account g ON g.id = t.target_id
                WHERE t.book = %s AND t.new_lot_id IS NOT NULL
            ) moves GROUP BY lot
        ) m ON m.lot = l.id
        WHERE l.book = %s AND ({differs} OR l.amount <> COALESCE(m.amount, 0) OR l.taken <> COALESCE(m.taken, 0)
              OR l.renewed <> COALESCE(m.renewed, 0)
              OR l.amount <> l.pending + l.available + l.held + l.redeemed + l.expired + l.taken + l.renewed)
    """  # noqa: S608 - made of our own words only


CHECKS: Final[tuple[Check, ...]] = (
    Check("I6", _where_lots_are()),
    Check(
        "I6",
        """
        SELECT t.seq, 'A lot of another person is moved' FROM ledger_transfer t
        JOIN ledger_account s ON s.id = t.source_id JOIN ledger_account g ON g.id = t.target_id
        LEFT JOIN ledger_lot l ON l.id = t.lot_id
        WHERE t.book = %s AND (
            (s.code LIKE 'person/%%' AND s.code NOT LIKE 'person/%%/debt'
             AND (l.id IS NULL OR s.code NOT LIKE 'person/' || l.owner || '/%%'))
            OR (g.code LIKE 'person/%%' AND g.code NOT LIKE 'person/%%/debt'
                AND (l.id IS NULL OR g.code NOT LIKE 'person/' || l.owner || '/%%')))
        ORDER BY t.seq
        """,
    ),
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
        SELECT NULL, 'Hold ' || h.key || ' holds other points than its entry' FROM ledger_hold h
        LEFT JOIN ledger_entry e ON e.book = h.book AND e.key = h.key AND e.kind = 'held' AND e.points = h.points
        WHERE h.book = %s AND e.id IS NULL
        """,
    ),
    Check(
        "I11",
        """
        SELECT NULL, 'Lot ' || l.key || ' counts otherwise what was taken back' FROM ledger_lot l
        LEFT JOIN (SELECT lot_id, SUM(points) AS points, SUM(unmoved) AS unmoved FROM ledger_entry
                   WHERE book = %s AND kind = 'taken_back' GROUP BY lot_id) e ON e.lot_id = l.id
        WHERE l.book = %s AND (l.reversed <> COALESCE(e.points, 0) OR l.reversed_expired <> COALESCE(e.unmoved, 0)
              OR l.reversed > l.amount)
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
