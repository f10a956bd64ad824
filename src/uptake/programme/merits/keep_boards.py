"""Puts what people gained and lost on the boards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max, Q, Sum

from uptake.directory.models import Organization
from uptake.directory.place import Span, memberships_of, settings_at, span_on
from uptake.directory.viewer import ids_of
from uptake.programme.in_force import parsed
from uptake.programme.merits.models import BAND, Band, Score
from uptake.programme.merits.periods import BEGAN, EVER, MONTH, PERIODS, SEASON, end_of, season_of, start_of
from uptake.programme.models import Award, MeritChange, RulebookVersion
from uptake.programme.rulebook import Programme
from uptake.programme.turns import Turn, wait_for_turn

LIMIT = 1000
"""Changes of one transaction, while which others wait with writing on SQLite."""
ROWS = 500


PLAIN = Programme()
BAND_COLUMNS = ("place_id", "period", "starts", "number")
EARLIEST = datetime.min.replace(tzinfo=UTC)


class Known(Enum):
    """That nothing has to be looked for."""

    KNOWN = "known"


KNOWN = Known.KNOWN


class Line(NamedTuple):
    """One line of one board."""

    place: int
    period: str
    starts: date
    person: int


@dataclass(slots=True)
class _Change:
    """What several changes come to on one line."""

    points: int = 0
    in_time: int = 0
    """The part of them that came before the board closed."""
    enters: bool = False
    latest_at: datetime | None = None
    ended_at: datetime | None = None

    def add(self, row: MeritChange, *, in_time: bool) -> None:
        self.points += row.points
        if in_time:
            self.in_time += row.points
            self.enters = True
        if row.latest_at is not None:
            self.latest_at = max(row.latest_at, self.latest_at or row.latest_at)
        if row.ended_at is not None:
            self.ended_at = max(row.ended_at, self.ended_at or row.ended_at)


class BoardsNotKept(Exception):
    """What people of a company gained could not be put on its boards; the cause is the failure. It waits."""

    def __init__(self, company_id: int) -> None:
        super().__init__(f"The boards of company {company_id} could not be kept")
        self.company_id = company_id


def keep_boards(*, now: datetime, limit: int = LIMIT, without: Collection[int] = ()) -> int:
    """Puts up to `limit` changes of the company that waits longest on its boards, in one transaction; gives how many.

    `without`: companies that are left waiting. Safe to repeat, and to run late: what changed after a board closed does
    not enter what it says. Several may run at once: they take turns. Raises BoardsNotKept.
    """
    waiting = MeritChange.objects.exclude(company_id__in=without) if without else MeritChange.objects.all()
    first = waiting.order_by("pk").values_list("company_id", flat=True).first()
    if first is None:
        return 0
    try:
        return _keep(first, limit, now)
    except Exception as problem:
        raise BoardsNotKept(first) from problem


@transaction.atomic
def _keep(company_id: int, limit: int, now: datetime) -> int:
    wait_for_turn(Turn.BOARDS, company_id)
    company = Organization.objects.get(pk=company_id)
    rows = list(MeritChange.objects.filter(company=company).order_by("pk")[:limit])
    spans = memberships_of({row.person_id for row in rows})
    clock = BoardClock(company)
    changes: dict[Line, _Change] = defaultdict(_Change)
    for row in rows:
        for period in (*PERIODS, SEASON):
            starts = clock.start_of(period, row.date)
            if starts is None:
                continue
            closes_at = clock.closes_at(period, starts)
            in_time = closes_at is None or row.changed_at < closes_at
            for place in places_of(company, spans.get(row.person_id, ()), row.date):
                changes[Line(place, period, starts, row.person_id)].add(row, in_time=in_time)
    for starts in sorted({line.starts for line in changes if line.period == SEASON}):
        _begin_season(company, starts, clock, now)
    held = _held(changes.keys())
    bands: dict[Line, int] = defaultdict(int)
    scores = []
    asking = {line for line, change in changes.items() if _lost_its_latest(held.get(line), change)}
    latest = _latest(asking, company, spans, clock) if asking else {}
    for line, change in changes.items():
        score = held.get(line)
        _count(bands, line, score, -1)
        scores.append(_changed(score, line, change, latest.get(line) if line in asking else KNOWN))
        _count(bands, line, scores[-1], +1)
    _write(scores)
    _write_bands({line: people for line, people in bands.items() if people})
    MeritChange.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _begin_season(company: Organization, starts: date, clock: BoardClock, now: datetime) -> None:
    """Where a season has no board yet although others have, what was earned in it is taken from the boards of its
    months. A season that does not begin and end with a month begins with nothing."""
    scores = Score.objects.filter(place__company=company)
    ends = clock.end_of(SEASON, starts)
    if (starts != BEGAN and starts.day != 1) or (ends is not None and ends.day != 1):
        return
    if scores.filter(period=SEASON, starts=starts).exists():
        return
    months = scores.filter(period=MONTH, starts__gte=starts)
    if ends is not None:
        months = months.filter(starts__lt=ends)
    closes_at = clock.closes_at(SEASON, starts)
    closed = closes_at is not None and closes_at <= now
    made: list[Score] = []
    bands: dict[Line, int] = defaultdict(int)
    sums = months.values_list("place_id", "person_id").order_by()
    for place, person, points, shown, latest in sums.annotate(Sum("points"), Sum("shown"), Max("latest_at")):
        line = Line(place, SEASON, starts, person)
        made.append(
            Score(
                place_id=place,
                period=SEASON,
                starts=starts,
                person_id=person,
                points=points,
                shown=shown if closed else points,
                latest_at=latest,
                shown_at=latest,
            )
        )
        _count(bands, line, made[-1], +1)
    _write(made)
    _write_bands(bands)


class BoardClock:
    """When the boards of a company close, by the rulebook in force when their period ends."""

    def __init__(self, company: Organization) -> None:
        self.clock = settings_at(company)
        self._above = tuple(reversed(ids_of(company.path)))
        self._versions: dict[int, list[tuple[date, int, int, str]]] = defaultdict(list)
        rows = RulebookVersion.objects.applying_to(company)
        columns = ("organization_id", "in_force_date", "number", "pk", "sha256")
        for place, in_force_date, number, version_id, sha256 in rows.values_list(*columns):
            self._versions[place].append((in_force_date, number, version_id, sha256))
        for versions in self._versions.values():
            versions.sort(reverse=True)
        self._closes: dict[tuple[str, date], datetime | None] = {}

    def programme_on(self, day: date) -> Programme:
        """The calendar of the rulebook in force on a date; the plain one where there is none."""
        for place in self._above:
            for in_force_date, _number, version_id, sha256 in self._versions.get(place, ()):
                if in_force_date <= day:
                    return parsed(version_id, sha256).programme
        return PLAIN

    @cached_property
    def seasons(self) -> tuple[date, ...]:
        """The ends of seasons, by the latest rulebook of the company."""
        return tuple(self.programme_on(date.max).season_ends)

    def start_of(self, period: str, day: date) -> date | None:
        """The first date of the period that `day` lies in; None: there are no seasons."""
        if period == SEASON:
            season = season_of(self.seasons, day)
            return season[0] if season else None
        return start_of(period, day, self.programme_on(day).week_start)

    def end_of(self, period: str, starts: date) -> date | None:
        """The first date after the period; None: it has no end, or none is known yet."""
        if period == SEASON:
            season = season_of(self.seasons, starts)
            return season[1] if season else None
        return end_of(period, starts)

    def before(self, period: str, starts: date) -> date | None:
        """The start of the period before; None: there is none."""
        if period == EVER or starts == BEGAN:
            return None
        return self.start_of(period, starts - timedelta(days=1))

    def closes_at(self, period: str, starts: date) -> datetime | None:
        """From when on the board stands as it is; None: it never closes."""
        key = (period, starts)
        if key not in self._closes:
            end = self.end_of(period, starts)
            late = timedelta(days=self.programme_on(end).lateness_days) if end else timedelta()
            self._closes[key] = self.clock.start_of(end + late) if end else None
        return self._closes[key]


def _lost_its_latest(score: Score | None, change: _Change) -> bool:
    """Whether what was the latest of the line may be among what has no points any more."""
    if change.ended_at is None:
        return False
    known = [at for at in (score.latest_at if score else None, change.latest_at) if at is not None]
    return not known or change.ended_at >= max(known)


def _changed(score: Score | None, line: Line, change: _Change, latest: datetime | Known | None) -> Score:
    """The line as it is after the change; `latest` if it had to be looked for, else it is known from both."""
    score = score or Score(
        place_id=line.place, period=line.period, starts=line.starts, person_id=line.person, points=0, shown=0
    )
    score.points += change.points
    score.shown += change.in_time
    if not isinstance(latest, Known):
        score.latest_at = latest
    elif change.latest_at is not None:
        score.latest_at = max(change.latest_at, score.latest_at or change.latest_at)
    if change.enters:
        score.shown_at = score.latest_at
    return score


def _count(bands: dict[Line, int], line: Line, score: Score | None, people: int) -> None:
    """Notes that so many more people are in the band of a score; `person` of the line is the band's number."""
    if score is not None and score.shown > 0:
        bands[line._replace(person=score.shown // BAND)] += people


def _write_bands(changes: Mapping[Line, int]) -> None:
    """Adds to the counts of bands."""
    if not changes:
        return
    rows = Band.objects.filter(_since(changes), place_id__in={line.place for line in changes})
    held = {Line(*key): people for *key, people in rows.values_list(*BAND_COLUMNS, "people").iterator()}
    Band.objects.bulk_create(
        [
            Band(
                place_id=line.place,
                period=line.period,
                starts=line.starts,
                number=line.person,
                people=held.get(line, 0) + people,
            )
            for line, people in sorted(changes.items())
        ],
        update_conflicts=True,
        unique_fields=["place", "period", "starts", "number"],
        update_fields=["people"],
        batch_size=ROWS,
    )


def _write(scores: Iterable[Score]) -> None:
    Score.objects.bulk_create(
        sorted(scores, key=lambda one: (one.place_id, one.period, one.starts, one.person_id)),
        update_conflicts=True,
        unique_fields=["place", "period", "starts", "person"],
        update_fields=["points", "latest_at", "shown", "shown_at"],
        batch_size=ROWS,
    )


def places_of(company: Organization, spans: Sequence[Span], day: date) -> tuple[int, ...]:
    """The company, and what lies directly below it where the person belonged on the date."""
    inside = [span for span in spans if span.company_id == company.pk]
    span = span_on(inside, day)
    below = ids_of(span.path)[len(ids_of(company.path)) :] if span else ()
    return (company.pk, below[0]) if below else (company.pk,)


def _since(lines: Iterable[Line]) -> Q:
    """The condition of the periods that start with these lines or later, of seasons, and of that which never ends."""
    first = min((line.starts for line in lines if line.period not in (EVER, SEASON)), default=date.max)
    return Q(starts__gte=first) | Q(period__in=(EVER, SEASON))


def _held(lines: Collection[Line]) -> dict[Line, Score]:
    """The lines there are already."""
    found: dict[Line, Score] = {}
    if not lines:
        return found
    places, people = {line.place for line in lines}, sorted({line.person for line in lines})
    since = _since(lines)
    for begin in range(0, len(people), ROWS):
        some = people[begin : begin + ROWS]
        for one in Score.objects.filter(since, place_id__in=places, person_id__in=some):
            line = Line(one.place_id, one.period, one.starts, one.person_id)
            if line in lines:
                found[line] = one
    return found


def _latest(
    lines: Collection[Line], company: Organization, spans: Mapping[int, Sequence[Span]], clock: BoardClock
) -> dict[Line, datetime]:
    """When the latest award that has points happened, among those of each line; lines without any are left out."""
    people = sorted({line.person for line in lines})
    by_date: dict[int, list[tuple[date, datetime]]] = defaultdict(list)
    for begin in range(0, len(people), ROWS):
        awards = Award.objects.filter(company=company, points__gt=0, person_id__in=people[begin : begin + ROWS])
        for person, day, at in awards.values_list("person_id", "date").annotate(latest=Max("happened_at")):
            by_date[person].append((day, at))
    found: dict[Line, datetime] = {}
    for line in lines:
        end = clock.end_of(line.period, line.starts)
        for day, at in by_date[line.person]:
            if day < line.starts or (end is not None and day >= end) or at <= found.get(line, EARLIEST):
                continue
            if line.place == company.pk or line.place in places_of(company, spans.get(line.person, ()), day):
                found[line] = at
    return found
