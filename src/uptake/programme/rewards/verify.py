"""Do the redemptions say what the ledger says? Stock, codes and holds of a book, compared with the record."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, F, Q

from uptake.ledger.models import Hold, Kind, Resolution
from uptake.ledger.models import Refund as LedgerRefund
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.rewards.models import (
    OPEN,
    TAKEN,
    Code,
    Redemption,
    Reward,
    SpecialGrant,
    Standing,
    State,
    Step,
    Wait,
)

RESOLVED_AS = {
    State.FULFILLED: Kind.SETTLED,
    State.REFUNDED: Kind.SETTLED,
    State.REJECTED: Kind.RELEASED,
    State.CANCELLED: Kind.RELEASED,
    State.TIMED_OUT: Kind.TIMED_OUT,
}
ROWS = 2000


def problems_of(book: int) -> list[Problem]:
    """What of I16, I20 and the equality of redemptions and holds does not hold in the book, a few of each."""
    found: list[Problem] = []
    for invariant, check in (("I16", _stock), ("I16", _codes), ("I10", _holds), ("I20", _special), ("I20", _decided)):
        for number, what in enumerate(check(book)):
            if number == MOST_PROBLEMS:
                break
            found.append(Problem(book, invariant, None, what))
    return found


def _stock(book: int) -> Iterator[str]:
    taken = Count("redemptions", filter=Q(redemptions__state__in=TAKEN))
    rows = Reward.objects.filter(company_id=book).annotate(counted=taken).order_by("pk")
    for number, stock, says, counted, kept in rows.values_list("pk", "stock", "taken", "counted", "kept"):
        if says != counted:
            yield f"Reward {number} counts {says} taken, its redemptions {counted}"
        if stock is not None and counted + kept > stock:
            yield f"Reward {number} has {stock} in stock, {counted} are held or fulfilled, {kept} kept"
    turns = Wait.objects.filter(company_id=book, standing=Standing.KEPT).values_list("reward_id")
    held = dict(turns.annotate(Count("pk")).order_by())
    says_kept = dict(Reward.objects.filter(company_id=book).values_list("pk", "kept"))
    for number, kept in sorted(says_kept.items()):
        if kept != held.get(number, 0):
            yield f"Reward {number} keeps {kept}, it is the turn of {held.get(number, 0)} in its line"


def _codes(book: int) -> Iterator[str]:
    for row in Code.objects.filter(reward__company_id=book, redemption__isnull=False).exclude(
        redemption__reward=F("reward")
    ):
        yield f"Code {row.pk} was given to a redemption of another reward"
    bare = Redemption.objects.filter(company_id=book, state=State.FULFILLED, reward__with_codes=True, code__isnull=True)
    for number in bare.values_list("pk", flat=True):
        yield f"Redemption {number} is fulfilled and has no code"


def _holds(book: int) -> Iterator[str]:
    """What a redemption says of itself is what became of its hold; what is timed out the ledger may do later."""
    rows = Redemption.objects.filter(company_id=book).order_by("pk")
    known = 0
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:ROWS]):
        last = batch[-1].pk
        known += len(batch)
        keys = [row.hold for row in batch]
        holds = {one.key: one for one in Hold.objects.filter(book=book, key__in=keys)}
        ends = {one.hold_id: one for one in Resolution.objects.filter(hold__book=book, hold__key__in=keys)}
        refunds = set(LedgerRefund.objects.filter(resolution__in=ends).values_list("resolution_id", flat=True))
        for row in batch:
            hold = holds.get(row.hold)
            if hold is None:
                yield f"Redemption {row.pk} has no hold"
                continue
            end = ends.get(hold.pk)
            if (hold.owner, hold.points, hold.times_out_at) != (str(row.person_id), row.price, row.times_out_at):
                yield f"Redemption {row.pk} and its hold differ in person, points or time"
            elif not _agree(row, end, refunded=hold.pk in refunds):
                yield f"Redemption {row.pk} is {row.state}, its hold {end.kind if end else 'open'}"
    if Hold.objects.filter(book=book, key__startswith="redemption/").count() != known:
        yield "There are holds of redemptions that do not exist"


def _agree(row: Redemption, end: Resolution | None, *, refunded: bool) -> bool:
    if end is None:
        return row.state in (*OPEN, State.TIMED_OUT)
    if row.state in OPEN:
        return end.kind == Kind.TIMED_OUT
    points = row.points or 0
    same = end.kind == RESOLVED_AS[State(row.state)] and end.settled == points
    return same and refunded == (row.state == State.REFUNDED)


def _special(book: int) -> Iterator[str]:
    given = SpecialGrant.objects.filter(company_id=book, state="approved")
    own = Q(asked_by_person=F("person")) | Q(decided_by_person=F("person")) | Q(decided_by_person=F("asked_by_person"))
    for number in given.filter(own).values_list("pk", flat=True):
        yield f"Special points {number} were asked for or approved by whoever received them"


def _decided(book: int) -> Iterator[str]:
    """Nobody approves, hands out or refunds what is their own (what a code pays at once, nobody hands out)."""
    deeds = (State.APPROVED, State.FULFILLED, State.REFUNDED)
    own = Step.objects.filter(redemption__company_id=book, deed__in=deeds, by__person=F("redemption__person"))
    for number, deed in own.order_by("pk").values_list("redemption_id", "deed"):
        yield f"Redemption {number} was {deed} by whoever asked for it"
