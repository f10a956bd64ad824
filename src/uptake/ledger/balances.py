"""What stands where, read as it is at an instant: what time alone has done by then counts although no job ran yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Q, Sum

from uptake.ledger.accounts import AVAILABLE, DEBT, EXPIRED, FORFEITED, HELD, ISSUED, PENDING, REDEEMED, person
from uptake.ledger.elapse import bring_up_to_date
from uptake.ledger.lots import LotState
from uptake.ledger.models import Account, ChainHead, Entry, Lot, Transfer
from uptake.ledger.post import Sheet, look_ahead
from uptake.ledger.rows import in_pieces, rows_of_pairs


@dataclass(frozen=True, slots=True)
class Points:
    """The parts of a person's points. `debt` and `available` never stand together."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """A person's points, and what time alone will do to them."""

    points: Points
    expiring: tuple[tuple[date, int], ...]
    """All last dates with the unspent points that expire after them."""
    maturing: tuple[tuple[datetime, int], ...]
    """Pending points with the instants from which they can be spent."""
    postponed: tuple[tuple[int, int], ...] = ()
    """(days, unspent points that everything the person does lets live so many days longer), the shortest first."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What a person's points came to since the beginning."""

    granted: int = 0
    reversed: int = 0
    redeemed: int = 0
    expired: int = 0

    @property
    def net(self) -> int:
        """Granted, less what was taken back: what counts for merit."""
        return self.granted - self.reversed


@dataclass(frozen=True, slots=True)
class PartOfEntry:
    """One transfer of an entry, between two account codes."""

    seq: int
    kind: str
    source: str
    target: str
    amount: int
    lot: str | None
    """Key of the lot the points belong to."""


@dataclass(frozen=True, slots=True)
class EntryOfPerson:
    """One line of a person's history."""

    id: int
    key: str
    kind: str
    points: int
    """How many the deed was about; `kind` tells the direction."""
    unmoved: int
    lot: str | None
    reason: str
    cause: str
    explanation: dict[str, Any]
    effective_at: datetime
    posted_at: datetime
    parts: tuple[PartOfEntry, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Totals:
    """All points of a book. issued = pending + available + held + debt + redeemed + expired + forfeited + elsewhere."""

    issued: int
    """Net of what went back to the issuer."""
    pending: int
    available: int
    held: int
    debt: int
    redeemed: int
    expired: int
    forfeited: int
    budgets: int
    escrows: int


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of a book stands: to be published outside the database."""

    book: int
    seq: int
    hash: str
    posted_at: datetime | None


def points_of(*, book: int, owners: Collection[str], now: datetime) -> dict[str, Points]:
    """The points of these people at `now`; everyone asked for is in the answer."""
    if len(owners) == 1 and (standing := _standing(book, next(iter(owners)), now)):
        return dict.fromkeys(owners, standing)
    sheet = _at(book, owners, now)
    return {
        owner: Points(*(sheet.balance(book, person(owner, part)) for part in (AVAILABLE, PENDING, HELD, DEBT)))
        for owner in owners
    }


def expiring_of(*, book: int, owners: Collection[str], now: datetime) -> dict[str, list[tuple[date, int]]]:
    """For each person all last dates with the unspent points (available and pending) that expire after them."""
    sheet = _at(book, owners, now)
    for piece in in_pieces(sorted(owners)):
        sheet.load_lots(Q(book=book, owner__in=piece, available__gt=0, last_date__isnull=False))
    _load_pending(sheet, book, owners)
    return {owner: _expiring(sheet.lots_of[book, owner]) for owner in owners}


def maturing_of(*, book: int, owners: Collection[str], now: datetime) -> dict[str, list[tuple[datetime, int]]]:
    """For each person the pending points with the instants from which they can be spent, the soonest first."""
    sheet = _at(book, owners, now)
    _load_pending(sheet, book, owners)
    return {owner: _maturing(sheet.lots_of[book, owner]) for owner in owners}


def outlook_of(*, book: int, owner: str, now: datetime) -> Outlook:
    """The points of one person at `now` with all dates ahead: what three questions would ask anew."""
    sheet = _at(book, [owner], now)
    sheet.load_lots(Q(book=book, owner=owner, available__gt=0, last_date__isnull=False))
    _load_pending(sheet, book, [owner])
    lots = sheet.lots_of[book, owner]
    points = Points(*(sheet.balance(book, person(owner, part)) for part in (AVAILABLE, PENDING, HELD, DEBT)))
    return Outlook(points, tuple(_expiring(lots)), tuple(_maturing(lots)), tuple(_postponed(lots)))


def _load_pending(sheet: Sheet, book: int, owners: Collection[str]) -> None:
    """Reads the lots of these people that are not available yet.

    Pending lots are few and found as such; asked by book, SQLite would go through all lots of the company.
    """
    found = rows_of_pairs(
        "ledger_lot", "t.id", "owner", {(book, owner) for owner in owners}, also="WHERE t.pending > 0", by_pair=False
    )
    sheet.load_lots_by_id(row[0] for row in found)


def _expiring(lots: Iterable[LotState]) -> list[tuple[date, int]]:
    sums: dict[date, int] = defaultdict(int)
    for lot in lots:
        if lot.last_date is not None and (unspent := lot.available + lot.pending):
            sums[lot.last_date] += unspent
    return sorted(sums.items())


def _postponed(lots: Iterable[LotState]) -> list[tuple[int, int]]:
    sums: dict[int, int] = defaultdict(int)
    for lot in lots:
        if lot.inactive_days is not None and (unspent := lot.available + lot.pending):
            sums[lot.inactive_days] += unspent
    return sorted(sums.items())


def _maturing(lots: Iterable[LotState]) -> list[tuple[datetime, int]]:
    sums: dict[datetime, int] = defaultdict(int)
    for lot in lots:
        if lot.pending:
            sums[lot.available_from] += lot.pending
    return sorted(sums.items())


def lifetime_of(*, book: int, owners: Collection[str], now: datetime) -> dict[str, Lifetime]:
    """Granted, taken back, redeemed and expired points of these people at `now`."""
    sheet = _at(book, owners, now)
    answer = {owner: Lifetime() for owner in owners}
    for piece in in_pieces(sorted(owners)):
        rows = (
            Lot.objects.filter(book=book, owner__in=piece)
            .values("owner")
            .annotate(
                granted=Sum("amount", filter=Q(renews__isnull=True), default=0),
                back=Sum("reversed"),
                redeemed=Sum("redeemed"),
                expired=Sum("expired"),
            )
        )
        for row in rows:
            late = sum(m.amount for m in sheet.moves if m.target == EXPIRED and m.entry.owner == row["owner"])
            answer[row["owner"]] = Lifetime(row["granted"], row["back"], row["redeemed"], row["expired"] + late)
    return answer


def entries_of(*, book: int, owner: str, limit: int = 50, before: int | None = None) -> list[EntryOfPerson]:
    """A person's history, newest first; `before` is the id of the last entry of the page above."""
    rows = Entry.objects.filter(book=book, owner=owner).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return _told(book, list(rows[:limit]))


def entries_by_key(*, book: int, keys: Collection[str]) -> dict[str, EntryOfPerson]:
    """Entries by their keys; unknown keys are left out."""
    found: list[Entry] = []
    for piece in in_pieces(sorted(keys)):
        found += Entry.objects.filter(book=book, key__in=piece)
    return {entry.key: entry for entry in _told(book, found)}


def balances_of(*, book: int, codes: Collection[str]) -> dict[str, int]:
    """What stands on accounts that are nobody's (budgets, escrows, the programme's); 0 for an unknown one."""
    answer = dict.fromkeys(codes, 0)
    for piece in in_pieces(sorted(codes)):
        answer |= dict(Account.objects.filter(book=book, code__in=piece).values_list("code", "balance"))
    if ISSUED in answer:
        answer[ISSUED] = -(Account.objects.filter(book=book).aggregate(sum=Sum("balance"))["sum"] or 0)
    return answer


def totals(*, book: int) -> Totals:
    """All points of a book as posted."""
    sums: dict[str, int] = defaultdict(int)
    for code, balance in Account.objects.filter(book=book).exclude(balance=0).values_list("code", "balance").iterator():
        root, _, rest = code.partition("/")
        sums[rest.rsplit("/", 1)[1] if root == "person" else root if root in ("budget", "escrow") else code] += balance
    return Totals(
        issued=sum(sums.values()),
        pending=sums[PENDING],
        available=sums[AVAILABLE],
        held=sums[HELD],
        debt=sums[DEBT],
        redeemed=sums[REDEEMED],
        expired=sums[EXPIRED],
        forfeited=sums[FORFEITED],
        budgets=sums["budget"],
        escrows=sums["escrow"],
    )


def heads(*, books: Iterable[int] | None = None) -> list[Head]:
    """The chain heads, by book; of all books if none are named."""
    rows = ChainHead.objects.order_by("book")
    if books is not None:
        rows = rows.filter(book__in=list(books))
    return [Head(row.book, row.seq, row.hash, row.posted_at) for row in rows]


def _standing(book: int, owner: str, now: datetime) -> Points | None:
    """One person's points with one statement; None where time has done something to them by `now` that no job wrote."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {STANDING} FROM ledger_standing(%s, %s, %s)", [book, owner, now])  # noqa: S608
            return standing_from(cursor.fetchone() or ())
    clock = connection.ops.adapt_datetimefield_value(now)
    # As in `elapse`: what is due is few and found by its instant, which SQLite cannot know and is told by the pluses.
    due = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} t WHERE {at_hand} AND +t.book = %s AND +t.owner = %s)"  # noqa: S608 - our words
        for table, at_hand in (
            ("ledger_lot", "t.pending > 0 AND t.available_from <= %s"),
            ("ledger_lot", "t.available > 0 AND t.expires_at <= %s"),
            ("ledger_deadline", "t.at <= %s"),
        )
    )
    codes = [person(owner, part) for part in (AVAILABLE, PENDING, HELD, DEBT)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {due}, a.code, a.balance FROM (SELECT 1) one"  # noqa: S608 - our own words
            " LEFT JOIN ledger_account a ON a.book = %s AND a.code IN (%s, %s, %s, %s)",
            [*[clock, book, owner] * 3, book, *codes],
        )
        rows = cursor.fetchall()
    balances = {code: balance for _due, code, balance in rows}
    return standing_from((rows[0][0], *(balances.get(code, 0) for code in codes)))


STANDING: Final = "late, available, pending, held, debt"
"""What the function ledger_standing(book, owner, instant) tells on PostgreSQL, for statements that ask more at once."""


def standing_from(row: Sequence[Any]) -> Points | None:
    """The points from a row of `STANDING`; None where time has done something to them that no job wrote."""
    late, *parts = row
    return None if late else Points(*parts)


def _at(book: int, owners: Collection[str], now: datetime) -> Sheet:
    """The people's accounts at `now`, without writing anything."""
    sheet = look_ahead(books=[book], now=now)
    sheet.load_accounts((book, person(owner, part)) for owner in owners for part in (AVAILABLE, PENDING, HELD, DEBT))
    bring_up_to_date(sheet, [(book, owner) for owner in owners])
    return sheet


def _told(book: int, rows: Sequence[Entry]) -> list[EntryOfPerson]:
    parts: dict[str, list[PartOfEntry]] = defaultdict(list)
    explained: dict[str, dict[str, Any]] = {}
    lots: dict[int, str] = {}
    for piece in in_pieces([entry.key for entry in rows]):
        moves = Transfer.objects.filter(book=book, key__in=piece).order_by("key", "part")
        for transfer in moves.select_related("source", "target", "lot"):
            if transfer.part == 1:
                explained[transfer.key] = transfer.explanation
            parts[transfer.key].append(
                PartOfEntry(
                    transfer.seq,
                    transfer.kind,
                    transfer.source.code,
                    transfer.target.code,
                    transfer.amount,
                    transfer.lot.key if transfer.lot else None,
                )
            )
    for piece_of_lots in in_pieces(sorted({entry.lot_id for entry in rows if entry.lot_id is not None})):
        lots |= dict(Lot.objects.filter(id__in=piece_of_lots).values_list("id", "key"))
    return [
        EntryOfPerson(
            entry.pk,
            entry.key,
            entry.kind,
            entry.points,
            entry.unmoved,
            lots.get(entry.lot_id) if entry.lot_id is not None else None,
            entry.reason,
            entry.cause,
            explained.get(entry.key, entry.explanation),
            entry.effective_at,
            entry.posted_at,
            tuple(parts[entry.key]),
        )
        for entry in rows
    ]
