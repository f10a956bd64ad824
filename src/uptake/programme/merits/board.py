"""A board as one person reads it: the top, the neighbours, how departments compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from uptake.directory.models import Membership, Organization, Person
from uptake.directory.viewer import HIDE_BELOW, Viewer
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import BAND, Band, Nameless, Score, ScoreQuerySet

TOP = 10
BESIDE = 5
COLUMNS = ("person_id", "shown", "shown_at")


@dataclass(frozen=True)
class BoardLine:
    """One line; `name` is empty for somebody who stays nameless."""

    rank: int
    person: int
    name: str
    points: int
    mine: bool


@dataclass(frozen=True)
class Board:
    """One board, or as much of it as is read."""

    place: Organization
    period: str
    starts: date
    lines: Sequence[BoardLine]
    """The first ones."""
    neighbours: Sequence[BoardLine]
    """Those around the reader, who is not among the first."""
    mine: BoardLine | None
    people: int
    """With a score."""
    closes_at: datetime | None
    """None: it never does."""
    final: bool
    adjusted: bool
    """It closed, and would be another now."""


@dataclass(frozen=True)
class DepartmentLine:
    """A department beside the others: all that was earned while belonging there, and per head."""

    rank: int
    place: Organization
    points: int
    people: int
    per_head: float
    mine: bool


def read_board(
    place: Organization,
    period: str,
    starts: date,
    *,
    viewer: Viewer,
    now: datetime,
    top: int = TOP,
    beside: int = BESIDE,
) -> Board:
    """The board of a company or department over a period; its lines are those the viewer may see."""
    rows = Score.objects.visible_at(place, viewer).on(place, period, starts)
    bands = list(Band.objects.filter(place=place, period=period, starts=starts).values_list("number", "people"))
    first = list(rows.values_list(*COLUMNS)[:top])
    people = sum(count for _number, count in bands) if first else 0
    mine = rows.filter(person_id=viewer.person_id or 0).order_by().values_list(*COLUMNS)
    own = next(iter(mine), None)
    around: list[tuple[int, int, datetime | None]] = []
    above, unread = 0, 0
    if own is not None and own not in first:
        every = Score.objects.visible_at(place, viewer).filter(period=period, starts=starts)
        around = _around(every, own, beside, {one[0] for one in first})
        best = around[0][1]
        above, tied = _standing(every, bands, best)
        unread = tied - sum(one[1] == best for one in around)
    names = _names([one[0] for one in (*first, *around)], viewer)
    lines = _ranked(first, names, viewer)
    neighbours = _ranked(around, names, viewer, above=above, unread=unread)
    closes_at = BoardClock(place.company or place).closes_at(period, starts)
    closed = closes_at is not None and now >= closes_at
    of_board = Score.objects.visible_at(place, viewer).filter(place=place, period=period, starts=starts)
    return Board(
        place=place,
        period=period,
        starts=starts,
        lines=lines,
        neighbours=neighbours,
        mine=next((line for line in (*lines, *neighbours) if line.mine), None),
        people=people,
        closes_at=closes_at,
        final=closed,
        adjusted=closed and of_board.filter(~Q(shown=F("points"))).exists(),
    )


def _standing(every: ScoreQuerySet, bands: Sequence[tuple[int, int]], points: int) -> tuple[int, int]:
    """How many have more, and how many have as many: within the band counted from its nearer end."""
    band = points // BAND
    above = sum(count for number, count in bands if number > band)
    tied = Count("shown", filter=Q(shown=points))
    if points % BAND < BAND // 2:
        low = max(1, band * BAND)
        counted = every.filter(shown__gte=low, shown__lte=points).aggregate(here=Count("*"), tied=tied)
        return above + sum(count for number, count in bands if number == band) - counted["here"], counted["tied"]
    counted = every.filter(shown__gte=points, shown__lt=(band + 1) * BAND).aggregate(here=Count("*"), tied=tied)
    return above + counted["here"] - counted["tied"], counted["tied"]


def _around(
    every: ScoreQuerySet, own: tuple[int, int, datetime | None], beside: int, taken: set[int]
) -> list[tuple[int, int, datetime | None]]:
    """The lines before one's own that are not among the first, one's own, and those after it."""
    person, shown, at = own
    ahead = Q(shown__gt=shown) | Q(shown_at__lt=at) | Q(shown_at=at, person_id__lt=person)
    behind = Q(shown__lt=shown) | Q(shown_at__gt=at) | Q(shown_at=at, person_id__gt=person)
    before = list(
        every.filter(ahead, shown__gte=shown)
        .order_by("shown", F("shown_at").desc(), F("person_id").desc())
        .values_list(*COLUMNS)[:beside]
    )
    after = (
        every.filter(behind, shown__lte=shown)
        .order_by("-shown", "shown_at", "person_id")
        .values_list(*COLUMNS)[:beside]
    )
    return [*(one for one in reversed(before) if one[0] not in taken), own, *(one for one in after if one[1] > 0)]


def _ranked(
    rows: Sequence[tuple[int, int, datetime | None]],
    names: dict[int, str],
    viewer: Viewer,
    *,
    above: int = 0,
    unread: int = 0,
) -> list[BoardLine]:
    """1-1-3. So many stand `above` the score of the first row, and so many with that score are not among the rows."""
    lines: list[BoardLine] = []
    for number, (person, shown, _at) in enumerate(rows):
        if lines and lines[-1].points == shown:
            rank = lines[-1].rank
        else:
            rank = above + number + 1 + (unread if lines else 0)
        lines.append(BoardLine(rank, person, names.get(person, ""), shown, person == viewer.person_id))
    return lines


def _names(people: Sequence[int], viewer: Viewer) -> dict[int, str]:
    """Their names, but of those who want none; one's own always."""
    wants_none = Exists(Nameless.objects.filter(person_id=OuterRef("pk")))
    rows = Person.objects.filter(pk__in=people).annotate(wants_none=wants_none).values_list("pk", "name", "wants_none")
    return {key: name for key, name, hidden in rows if not hidden or key == viewer.person_id}


def read_departments(
    company: Organization, period: str, starts: date, *, viewer: Viewer, today: date
) -> list[DepartmentLine]:
    """The departments of a company by points per head; those of fewer than five people are left out."""
    below = Organization.objects.open().filter(parent=company)
    heads = heads_of(below, today)
    sums = dict(
        Score.objects.visible_to(viewer)
        .filter(place__in=below, period=period, starts=starts)
        .values_list("place_id")
        .annotate(sum=Sum("shown"))
    )
    found = [
        (sums.get(place.pk, 0), place, heads.get(place.pk, 0))
        for place in below
        if heads.get(place.pk, 0) >= HIDE_BELOW
    ]
    found.sort(key=lambda one: (-one[0] / one[2], one[1].name))
    lines: list[DepartmentLine] = []
    for number, (points, place, people) in enumerate(found, start=1):
        per_head = points / people
        rank = lines[-1].rank if lines and lines[-1].per_head == per_head else number
        lines.append(
            DepartmentLine(
                rank, place, points, people, per_head, any(path.startswith(place.path) for path in viewer.places)
            )
        )
    return lines


def heads_of(places: Iterable[Organization], today: date) -> dict[int, int]:
    """How many people belong at or below each place today."""
    counts: dict[int, int] = {}
    for place in places:
        held = Membership.objects.filter(
            Q(until_date__isnull=True) | Q(until_date__gt=today),
            organization__path__startswith=place.path,
            from_date__lte=today,
        )
        counts[place.pk] = held.aggregate(n=Count("person_id", distinct=True))["n"]
    return counts
