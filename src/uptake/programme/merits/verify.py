"""Do boards, challenges and prizes say what the record and the ledger say? Per person of a book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import F, Sum

from uptake.ledger.accounts import escrow
from uptake.ledger.balances import balances_of
from uptake.ledger.models import Entry, Kind, Lot
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.beyond_a_date import given_by_people
from uptake.programme.merits.models import ESCROWED, Challenge, PaidBoard, PaidPlace, Participant, Score
from uptake.programme.merits.periods import EVER
from uptake.programme.models import Award, MeritChange


def problems_of(book: int) -> list[Problem]:
    """What of I20, I21 and the equality of prizes with the ledger does not hold in the book, a few of each."""
    found = _boards(book)
    for invariant, check in (("I3", _escrows), ("I20", _verifiers), ("I3", _prizes)):
        for number, what in enumerate(check(book)):
            if number == MOST_PROBLEMS:
                break
            found.append(Problem(book, invariant, None, what))
    return found


def _escrows(book: int) -> Iterator[str]:
    """The pool of a challenge is in escrow from opening to paying, and nothing else is; what is paid is in the pool."""
    rows = list(Challenge.objects.filter(company_id=book).order_by("pk"))
    stands = balances_of(book=book, codes=[escrow(row.pk) for row in rows])
    paid = dict(
        Participant.objects.filter(challenge__company_id=book)
        .values_list("challenge_id")
        .annotate(Sum("prize"))
        .order_by()
    )
    for row in rows:
        wanted = row.pool if row.state in ESCROWED else 0
        if stands[escrow(row.pk)] != wanted:
            yield f"Challenge {row.pk} has {stands[escrow(row.pk)]} points in escrow, it should have {wanted}"
        if paid.get(row.pk, 0) > row.pool:
            yield f"Challenge {row.pk} paid {paid[row.pk]} points of a pool of {row.pool}"


def _verifiers(book: int) -> Iterator[str]:
    """Nobody verifies what they planned or took part in."""
    for row in Challenge.objects.filter(company_id=book, verified_at__isnull=False).order_by("pk"):
        who = row.verified_by_person_id
        if who is not None and (who == row.made_by_person_id or row.participants.filter(person_id=who).exists()):
            yield f"Challenge {row.pk} was verified by somebody who planned it or took part"


def _prizes(book: int) -> Iterator[str]:
    """What challenges and boards say they paid is what the ledger granted under their keys."""
    said = {
        f"challenge/{challenge}/{person}": points
        for challenge, person, points in Participant.objects.filter(
            challenge__company_id=book, prize__gt=0
        ).values_list("challenge_id", "person_id", "prize")
    }
    places = PaidPlace.objects.filter(board__prize__company_id=book)
    said |= {
        f"prize/{board}/{person}": points
        for board, person, points in places.values_list("board_id", "person_id", "points")
    }
    granted: dict[str, int] = {}
    for prefix in ("challenge/", "prize/"):
        rows = Entry.objects.filter(book=book, kind=Kind.GRANTED, key__startswith=prefix)
        granted |= dict(rows.values_list("key", "points"))
    for key in sorted({*said, *granted}):
        if said.get(key, 0) != granted.get(key, 0):
            yield f"Prize {key} is {said.get(key, 0)} points, the ledger granted {granted.get(key, 0)}"
    sums = dict(places.values_list("board_id").annotate(Sum("points")).order_by())
    for board, points in PaidBoard.objects.filter(prize__company_id=book).values_list("pk", "points"):
        if sums.get(board, 0) != points:
            yield f"The prizes of board {board} are {sums.get(board, 0)} points, it says {points}"


def _boards(book: int) -> list[Problem]:
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
    lots = Lot.objects.filter(given_by_people(), book=book)
    sums = lots.values_list("owner").annotate(sum=Sum(F("amount") - F("reversed")))
    return [(int(owner), points) for owner, points in sums if owner.isdigit()]
