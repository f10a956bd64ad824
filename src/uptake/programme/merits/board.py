"""A board as one person reads it: the top, the neighbours, how departments compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Q, Sum

from uptake.directory.models import Membership, Organization
from uptake.directory.viewer import HIDE_BELOW, Viewer
from uptake.programme.merits.board_lines import Line, Lines, count_between, read_lines
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import BAND, Band, Score

TOP = 10
BESIDE = 5


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
    of_board = Score.objects.visible_at(place, viewer).filter(place=place, period=period, starts=starts)
    bands: list[tuple[int, int]] = []
    found = Lines([], [])
    if Score.objects.may_read(place, viewer):
        found = read_lines(place, period, starts, person=viewer.person_id or 0, top=top, beside=beside)
        bands = list(Band.objects.filter(place=place, period=period, starts=starts).values_list("number", "people"))
    people = sum(count for _number, count in bands) if found.first else 0
    above, unread = 0, 0
    if found.around:
        best = found.around[0].shown
        above, tied = _standing(place, period, starts, bands, best)
        unread = tied - sum(line.shown == best for line in found.around)
    lines = _ranked(found.first, viewer)
    neighbours = _ranked(found.around, viewer, above=above, unread=unread)
    closes_at = BoardClock(place.company or place).closes_at(period, starts)
    closed = closes_at is not None and now >= closes_at
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


def _standing(
    place: Organization, period: str, starts: date, bands: Sequence[tuple[int, int]], points: int
) -> tuple[int, int]:
    """How many have more, and how many have as many: within the band counted from its nearer end."""
    band = points // BAND
    above = sum(count for number, count in bands if number > band)
    if points % BAND < BAND // 2:
        low = max(1, band * BAND)
        here, tied = count_between(place, period, starts, low=low, high=points + 1, points=points)
        return above + sum(count for number, count in bands if number == band) - here, tied
    here, tied = count_between(place, period, starts, low=points, high=(band + 1) * BAND, points=points)
    return above + here - tied, tied


def _ranked(rows: Sequence[Line], viewer: Viewer, *, above: int = 0, unread: int = 0) -> list[BoardLine]:
    """1-1-3. So many stand `above` the score of the first row, and so many with that score are not among the rows."""
    lines: list[BoardLine] = []
    for number, row in enumerate(rows):
        if lines and lines[-1].points == row.shown:
            rank = lines[-1].rank
        else:
            rank = above + number + 1 + (unread if lines else 0)
        lines.append(BoardLine(rank, row.person, row.name, row.shown, row.person == viewer.person_id))
    return lines


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
