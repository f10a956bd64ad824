"""Puts what people gained and lost on the boards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max

from uptake.basics.business_day import start_of as start_of_day
from uptake.directory.models import Organization
from uptake.directory.place import Span, memberships_of, settings_at, span_on
from uptake.directory.viewer import ids_of
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.merits.models import BAND, Band, Score
from uptake.programme.merits.periods import PERIODS, end_of, start_of
from uptake.programme.models import Award, MeritChange
from uptake.programme.rulebook import Programme

LIMIT = 5000
ROWS = 500


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
    ended: bool = False

    def add(self, row: MeritChange, *, in_time: bool) -> None:
        self.points += row.points
        self.ended |= row.ended > 0
        if in_time:
            self.in_time += row.points
            self.enters = True
        if row.latest_at is not None:
            self.latest_at = max(row.latest_at, self.latest_at or row.latest_at)


def keep_boards(*, now: datetime, limit: int = LIMIT) -> int:
    """Puts about `limit` changes on the boards; gives how many. One transaction per company.

    Safe to repeat, and to run late: what changed after a board closed does not enter what it says. Several may run at
    once: they take turns company by company.
    """
    waiting = set(MeritChange.objects.order_by("pk").values_list("company_id", flat=True)[:limit])
    return sum(_keep(company_id, limit) for company_id in sorted(waiting))


@transaction.atomic
def _keep(company_id: int, limit: int) -> int:
    company = Organization.objects.select_for_update(of=("self",), no_key=True).get(pk=company_id)
    rows = list(MeritChange.objects.filter(company=company).order_by("pk")[:limit])
    spans = memberships_of({row.person_id for row in rows})
    clock = BoardClock(company)
    changes: dict[Line, _Change] = defaultdict(_Change)
    for row in rows:
        week_start = clock.programme_on(row.date).week_start
        for period in PERIODS:
            starts = start_of(period, row.date, week_start)
            closes_at = clock.closes_at(period, starts)
            in_time = closes_at is None or row.changed_at < closes_at
            for place in places_of(company, spans.get(row.person_id, ()), row.date):
                changes[Line(place, period, starts, row.person_id)].add(row, in_time=in_time)
    held = _held(changes)
    bands: dict[Line, int] = defaultdict(int)
    scores = []
    for line, change in changes.items():
        score = held.get(line)
        _count(bands, line, score, -1)
        scores.append(_changed(score, line, change, company))
        _count(bands, line, scores[-1], +1)
    _write(scores)
    _write_bands({line: people for line, people in bands.items() if people})
    MeritChange.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


class BoardClock:
    """When the boards of a company close, by the rulebook in force when their period ends."""

    def __init__(self, company: Organization) -> None:
        self.company = company
        self.clock = settings_at(company)
        self._programmes: dict[date, Programme] = {}

    def programme_on(self, day: date) -> Programme:
        """The calendar of the rulebook in force on a date; the plain one where there is none."""
        if day not in self._programmes:
            version = rulebook_version_on(self.company, day)
            self._programmes[day] = parsed(version.pk, version.sha256).programme if version else Programme()
        return self._programmes[day]

    def closes_at(self, period: str, starts: date) -> datetime | None:
        """From when on the board stands as it is; None: it never closes."""
        end = end_of(period, starts)
        if end is None:
            return None
        return start_of_day(end + timedelta(days=self.programme_on(end).lateness_days), *self.clock)


def _changed(score: Score | None, line: Line, change: _Change, company: Organization) -> Score:
    """The line as it is after the change."""
    score = score or Score(
        place_id=line.place, period=line.period, starts=line.starts, person_id=line.person, points=0, shown=0
    )
    score.points += change.points
    score.shown += change.in_time
    if change.ended:
        score.latest_at = _latest(line, company)
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
    written = []
    for (place, period, starts), some in groupby(sorted(changes), key=attrgetter("place", "period", "starts")):
        more = {line.person: changes[line] for line in some}
        known = Band.objects.filter(place_id=place, period=period, starts=starts, number__in=more)
        held = dict(known.values_list("number", "people"))
        written += [
            Band(place_id=place, period=period, starts=starts, number=number, people=held.get(number, 0) + people)
            for number, people in more.items()
        ]
    Band.objects.bulk_create(
        written,
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


def _held(lines: Iterable[Line]) -> dict[Line, Score]:
    """The lines there are already."""
    found: dict[Line, Score] = {}
    ordered = sorted(lines, key=attrgetter("place", "period", "starts"))
    for (place, period, starts), some in groupby(ordered, key=attrgetter("place", "period", "starts")):
        people = [line.person for line in some]
        for begin in range(0, len(people), ROWS):
            rows = Score.objects.filter(
                place_id=place, period=period, starts=starts, person_id__in=people[begin : begin + ROWS]
            )
            found |= {Line(place, period, starts, one.person_id): one for one in rows}
    return found


def _latest(line: Line, company: Organization) -> datetime | None:
    """When the latest award that has points happened, among those of the line."""
    awards = Award.objects.filter(person_id=line.person, company=company, points__gt=0)
    end = end_of(line.period, line.starts)
    if end is not None:
        awards = awards.filter(date__gte=line.starts, date__lt=end)
    if line.place == company.pk:
        latest: datetime | None = awards.aggregate(latest=Max("happened_at"))["latest"]
        return latest
    spans = memberships_of([line.person]).get(line.person, ())
    by_date: Mapping[date, datetime] = dict(awards.values_list("date").annotate(latest=Max("happened_at")))
    return max((at for day, at in by_date.items() if line.place in places_of(company, spans, day)), default=None)
