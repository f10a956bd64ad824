"""Do boards, challenges and prizes say what the record and the ledger say? Per person of a book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from django.db.models import Count, F, Sum

from uptake.directory.models import Organization
from uptake.directory.place import memberships_of
from uptake.events.models import Correction, CorrectionKind
from uptake.ledger.accounts import escrow
from uptake.ledger.balances import balances_of
from uptake.ledger.models import ChainHead, Entry, Kind, Lot
from uptake.ledger.verify import MOST_PROBLEMS, Problem
from uptake.programme.beyond_a_date import given_by_people
from uptake.programme.merits.keep_boards import BoardClock, Line, places_of
from uptake.programme.merits.models import (
    BAND,
    ESCROWED,
    Band,
    Challenge,
    PaidBoard,
    PaidPlace,
    Participant,
    Score,
)
from uptake.programme.merits.periods import PERIODS
from uptake.programme.models import Award, MeritChange, StandingChange


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
    """Lines that are not the sum of what their person earned in their period; boards that are still open and show
    something else; counts of bands that are not those of the lines.

    Of the boards of departments those of people whose memberships were never corrected afterwards: what stood on a
    board before stays there. Seasons are left out: one that does not begin with a month begins with nothing.
    """
    company = Organization.objects.filter(pk=book).first()
    if company is None:
        return []
    clock = BoardClock(company)
    found: list[Problem] = []
    for check in (_lines(company, clock), _shown(company, clock), _bands(company)):
        for number, what in enumerate(check):
            if number == MOST_PROBLEMS:
                break
            found.append(Problem(book, "I21", None, what))
    return found


def _lines(company: Organization, clock: BoardClock) -> Iterator[str]:
    """What is on each line, with what is not on it yet, against the awards and special points of its period."""
    earned: dict[tuple[int, date], int] = defaultdict(int)
    awards = Award.objects.filter(company=company, points__gt=0).values_list("person_id", "date")
    decided = StandingChange.objects.filter(company=company).values_list("person_id", "date", "points")
    for person, day, points in (*awards.annotate(sum=Sum("points")).order_by(), *_special(company, clock), *decided):
        earned[person, day] += points
    waiting = MeritChange.objects.filter(company=company).values_list("person_id", "date")
    for person, day, points in waiting.annotate(sum=Sum("points")).order_by():
        earned[person, day] -= points
    people = {person for person, _ in earned}
    spans = memberships_of(people)
    corrected = set(
        Correction.objects.filter(kind__in=(CorrectionKind.MOVED, CorrectionKind.ERASED)).values_list(
            "person_id_was", flat=True
        )
    )
    stands: dict[Line, int] = defaultdict(int)
    for (person, day), points in earned.items():
        places = (company.pk,) if person in corrected else places_of(company, spans.get(person, ()), day)
        for period in PERIODS:
            starts = clock.start_of(period, day)
            assert starts is not None, "Only seasons may be unknown"
            for place in places:
                stands[Line(place, period, starts, person)] += points
    told: dict[Line, int] = {}
    rows = Score.objects.filter(place__company=company, period__in=PERIODS)
    for place, period, starts, person, points in rows.values_list("place", "period", "starts", "person", "points"):
        if place == company.pk or person not in corrected:
            told[Line(place, period, starts, person)] = points
    for line in sorted({*told, *stands}):
        if told.get(line, 0) != stands.get(line, 0):
            yield (
                f"person {line.person} has {told.get(line, 0)} points on the board {line.period} {line.starts} of place"
                f" {line.place}, {stands.get(line, 0)} in the record"
            )


def _shown(company: Organization, clock: BoardClock) -> Iterator[str]:
    """As long as a board is open it shows what its lines are."""
    at = ChainHead.objects.filter(book=company.pk).values_list("clock_at", flat=True).first()
    for one in Score.objects.filter(place__company=company).exclude(shown=F("points")).order_by("pk").iterator():
        closes_at = clock.closes_at(one.period, one.starts)
        if closes_at is None or (at is not None and at < closes_at):
            yield (
                f"the open board {one.period} {one.starts} of place {one.place_id} shows {one.shown} points for person"
                f" {one.person_id}, who has {one.points}"
            )


def _bands(company: Organization) -> Iterator[str]:
    """Ranks are read from the counts of bands."""
    board = ("place_id", "period", "starts")
    lines = Score.objects.filter(place__company=company, shown__gt=0).annotate(band=F("shown") / BAND)
    stands = {tuple(key): n for *key, n in lines.values_list(*board, "band").annotate(n=Count("pk")).order_by()}
    rows = Band.objects.filter(place__company=company, people__gt=0)
    told = {tuple(key): n for *key, n in rows.values_list(*board, "number", "people")}
    for key in sorted({*told, *stands}):
        if told.get(key, 0) != stands.get(key, 0):
            place, period, starts, number = key
            yield (
                f"on the board {period} {starts} of place {place} {stands.get(key, 0)} people have {number * BAND} to"
                f" {number * BAND + BAND - 1} points, {told.get(key, 0)} are counted"
            )


def _special(company: Organization, clock: BoardClock) -> list[tuple[int, date, int]]:
    """(person, business date, points) of what was given specially, as the ledger has it."""
    lots = Lot.objects.filter(given_by_people(), book=company.pk).values_list(
        "owner", "happened_at", F("amount") - F("reversed")
    )
    return [(int(owner), clock.clock.date_of(at), points) for owner, at, points in lots if owner.isdigit() and points]
