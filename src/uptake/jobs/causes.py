"""Does every entry name a cause that is there, and is it of the points its cause says? I12 of a book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from django.db import connection
from django.db.models import Model, Q

from uptake.directory.models import Person
from uptake.insight.gaming.models import Finding, Outcome, Verdict
from uptake.ledger.models import Entry, Kind
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.community.models import Recognition
from uptake.programme.governance.models import Appeal, AppealState, Committee
from uptake.programme.merits.models import Challenge, PaidBoard
from uptake.programme.models import StandingChange
from uptake.programme.retroactive.models import RetroactiveRun
from uptake.programme.rewards.models import BudgetChange, GrantState, Redemption, SpecialGrant

EVENT: Final = "event"
TIME: Final = "time"
"""What the ledger does by itself when its time has come."""
CAUSES: Final[Mapping[str, tuple[type[Model], str]]] = {
    "appeal": (Appeal, "company_id"),
    "budget": (BudgetChange, "company_id"),
    "challenge": (Challenge, "company_id"),
    "gaming": (Finding, "company_id"),
    "left": (Person, ""),
    "prize": (PaidBoard, "prize__company_id"),
    "recognition": (Recognition, "company_id"),
    "redemption": (Redemption, "company_id"),
    "retroactive": (RetroactiveRun, "organization_id"),
    "special": (SpecialGrant, "company_id"),
    "terms": (Committee, ""),
}
"""What an entry may name beside an event: the sort, its rows, and which of their columns is the company."""


def problems_of(book: int) -> list[Problem]:
    """Entries whose cause is not there, and causes that say other points than the ledger, a few of each."""
    found: list[Problem] = []
    for check in (_events, _others, _standing, *(_points(part) for part in POINTS)):
        for number, what in enumerate(check(book)):
            if number == MOST_PROBLEMS:
                break
            found.append(Problem(book, "I12", None, what))
    return found


def _events(book: int) -> Iterator[str]:
    """What an award gave names an event of the record."""
    begin = len(EVENT) + 2
    number = f"CAST(SUBSTR(e.cause, {begin}) AS bigint)"
    query = f"""
        SELECT e.key, e.cause FROM ledger_entry e
        LEFT JOIN events_event v ON v.id = {number}
        WHERE e.book = %s AND e.cause >= '{EVENT}/' AND e.cause < '{EVENT}0' AND v.id IS NULL LIMIT %s
    """  # noqa: S608 - our own words
    with connection.cursor() as cursor:
        cursor.execute(query, [book, MOST_PROBLEMS])
        for key, cause in cursor.fetchall():
            yield f"Entry {key} names {cause}, which is not in the record"


def _others(book: int) -> Iterator[str]:
    """What no event caused names a row of this company."""
    entries = Entry.objects.filter(book=book).exclude(cause=TIME)
    entries = entries.exclude(cause__gte=f"{EVENT}/", cause__lt=f"{EVENT}0")
    causes = entries.order_by("cause").values_list("cause", flat=True).distinct()
    named: dict[str, set[str]] = {}
    for cause in causes:
        sort, _, number = cause.partition("/")
        named.setdefault(sort, set()).add(number)
    for sort, numbers in sorted(named.items()):
        there: set[str] = set()
        if sort in CAUSES:
            model, company = CAUSES[sort]
            rows = model._default_manager.filter(**({company: book} if company else {}))
            there = {str(key) for key in rows.values_list("pk", flat=True)}
        for number in sorted(numbers - there):
            yield f"Entries name {sort}/{number} as their cause, which is not there"


def _standing(book: int) -> Iterator[str]:
    """What no longer counts for levels and boards names a finding called real of that person; what counts again, an
    appeal of theirs that was upheld, and no more of it than was taken."""
    real = Outcome.objects.filter(finding__company_id=book, verdict=Verdict.REAL)
    allowed = {(f"gaming/{pk}", person) for pk, person in real.values_list("pk", "finding__person_id")}
    upheld = Appeal.objects.filter(company_id=book, state=AppealState.UPHELD, entry_key__startswith="gaming/")
    allowed |= {(f"appeal/{pk}", person) for pk, person in upheld.values_list("pk", "person_id")}
    left: dict[str, int] = defaultdict(int)
    for row in StandingChange.objects.filter(company_id=book).order_by("pk"):
        left[row.about] -= row.points
        if (row.cause, row.person_id) not in allowed:
            yield f"What counts for person {row.person_id} names {row.cause}, which decided nothing of the kind"
    for about, points in sorted(left.items()):
        if points < 0:
            yield f"{-points} points more count again than {about} took"


POINTS: Final[tuple[tuple[str, Callable[[int], Any], Q], ...]] = (
    (
        "special/",
        lambda book: SpecialGrant.objects.filter(company_id=book, state=GrantState.APPROVED).values_list(
            "pk", "points", "person_id"
        ),
        Q(kind=Kind.GRANTED),
    ),
    (
        "recognition/",
        lambda book: Recognition.objects.filter(company_id=book).values_list("pk", "points", "receiver_id"),
        Q(kind=Kind.GRANTED),
    ),
    (
        "gaming/",
        lambda book: Finding.objects.filter(company_id=book, held__gt=0).values_list("pk", "held", "person_id"),
        Q(kind=Kind.HELD),
    ),
    (
        "gaming/",
        lambda book: Outcome.objects.filter(finding__company_id=book, taken__gt=0).values_list(
            "pk", "taken", "finding__person_id"
        ),
        Q(kind=Kind.FORFEITED),
    ),
    (
        "budget/",
        lambda book: ((pk, abs(points), "") for pk, points in _changes(book)),
        Q(kind=Kind.MOVED),
    ),
)
"""How keys begin, the rows (number, points, person), and the kind of the entry that each row has once."""


def _changes(book: int) -> Any:
    return BudgetChange.objects.filter(company_id=book).values_list("pk", "points")


def _points(part: tuple[str, Callable[[int], Any], Q]) -> Callable[[int], Iterator[str]]:
    """Each row has one entry, of its points and its person, and there are no entries without a row."""
    prefix, rows_of, kind = part

    def check(book: int) -> Iterator[str]:
        said = {f"{prefix}{number}": (points, str(person)) for number, points, person in rows_of(book)}
        rows = Entry.objects.filter(kind, book=book, cause__startswith=prefix)
        there = {cause: (points, owner) for cause, points, owner in rows.values_list("cause", "points", "owner")}
        for key in sorted({*said, *there}):
            if said.get(key) != there.get(key):
                yield f"{key} says {said.get(key)} (points, person), the ledger {there.get(key)}"

    return check
