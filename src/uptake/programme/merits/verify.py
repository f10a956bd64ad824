"""Do the boards say what the record says? I21, per person of a book."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import F, Sum

from uptake.ledger.models import Lot
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.merits.models import Score
from uptake.programme.merits.periods import EVER
from uptake.programme.models import Award, MeritChange

SPECIAL = "special/"
"""How the keys of lots of special points begin."""


def problems_of(book: int) -> list[Problem]:
    """People whose line on the board of all time, with what is not on it yet, is not the sum of their awards and
    special points."""
    told: dict[int, int] = defaultdict(int)
    scores = Score.objects.filter(place_id=book, period=EVER).values_list("person_id", "points")
    for person, points in (*scores, *MeritChange.objects.filter(company_id=book).values_list("person_id", "points")):
        told[person] += points
    stands: dict[int, int] = defaultdict(int)
    awards = Award.objects.filter(company_id=book, points__gt=0).values_list("person_id").annotate(sum=Sum("points"))
    for person, points in (*awards, *_special(book)):
        stands[person] += points
    return [
        Problem(
            book, "I21", None, f"person {person} has {told[person]} points on boards, {stands[person]} in the record"
        )
        for person in sorted({*told, *stands})
        if told[person] != stands[person]
    ][:MOST_PROBLEMS]


def _special(book: int) -> list[tuple[int, int]]:
    """(person, points) of what was given specially, as the ledger has it."""
    lots = Lot.objects.filter(book=book, key__startswith=SPECIAL)
    sums = lots.values_list("owner").annotate(sum=Sum(F("amount") - F("reversed")))
    return [(int(owner), points) for owner, points in sums if owner.isdigit()]
