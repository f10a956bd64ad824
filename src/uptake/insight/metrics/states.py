"""Where people stand: regular, slowing, silent or not started, by their own rhythm and the calendar of the place.

Silent is who has had no active day for more than the larger of 10 working days and 3 × the own median gap between
active days, as the analysis `silence` has it. Slowing is who is not silent, but was active on less than half as many
days in the last 10 whole working days (and today) as the own 40 working days before let one expect; where these
expect fewer than 2 days, nothing can be said. Who was never active has not started; all others are regular.
Where no use cannot be told from no data (a source is down), only the regular are judged.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any

from uptake.activity import ActivityLog
from uptake.activity.summaries.rhythm import Rhythm, Rhythms, rhythm
from uptake.directory.calendar import day_kinds_between
from uptake.directory.models import Organization
from uptake.insight.metrics.usage import reach

LEAST_WORKING_DAYS = 10
TIMES_GAP = 3
RECENT_DAYS = 10
EARLIER_DAYS = 40
LEAST_EXPECTED = 2.0
SLOW = 0.5
BACK = 200
"""Days of the calendar that are looked at: enough for 50 working days and more."""


class State(Enum):
    """Where somebody stands."""

    REGULAR = "regular"
    SLOWING = "slowing"
    SILENT = "silent"
    NOT_STARTED = "none"
    UNTOLD = "untold"
    """Cannot be told: no data comes."""


@dataclass(frozen=True)
class Measure:
    """What rhythms are held against: today, and the working days up to it."""

    today: date
    working: tuple[date, ...]
    """Ascending, up to today."""
    first: date
    """From here on the calendar is known."""

    @property
    def recent(self) -> date:
        """The first of the last 10 whole working days."""
        return self._back(RECENT_DAYS)

    @property
    def earlier(self) -> date:
        """The first of the 40 working days before these."""
        return self._back(RECENT_DAYS + EARLIER_DAYS)

    def _back(self, days: int) -> date:
        whole = self.working[: bisect_left(self.working, self.today)]
        return whole[-days] if len(whole) >= days else self.first

    def since(self, day: date) -> int:
        """Working days that have begun after a day, today's included."""
        return len(self.working) - bisect_right(self.working, day)

    def between(self, first: date, before: date) -> int:
        """Working days of [first, before)."""
        return max(0, bisect_left(self.working, before) - bisect_left(self.working, first))


def measure_of(works: Mapping[date, bool], today: date) -> Measure:
    """The measure of a calendar that reaches up to today."""
    days = tuple(day for day in sorted(works) if works[day] and day <= today)
    return Measure(today, days, min(works, default=today))


def measure_at(place: Organization, today: date, back: int = BACK) -> Measure:
    """The measure of a place's own calendar."""
    kinds = day_kinds_between(place, today - timedelta(days=back), today)
    return measure_of({day: kind.works for day, kind in kinds.items()}, today)


def calendar_of(measure: Measure) -> dict[str, Any]:
    """The calendar as the analysis `silence` takes it."""
    working = set(measure.working)
    days = [measure.first + timedelta(days=n) for n in range((measure.today - measure.first).days + 1)]
    return {
        "weekdays": [1, 2, 3, 4, 5],
        "days_off": [day.isoformat() for day in days if day.isoweekday() < 6 and day not in working],
        "days_on": [day.isoformat() for day in days if day.isoweekday() > 5 and day in working],
    }


def state_of(one: Rhythm | None, measure: Measure, *, told: bool = True) -> State:
    """Where a person of this rhythm stands (None: never active). `told`: whether the data of the place comes in."""
    state = _state(one, measure)
    return state if told or state is State.REGULAR else State.UNTOLD


def _state(one: Rhythm | None, measure: Measure) -> State:
    if one is None:
        return State.NOT_STARTED
    passed = (measure.today - one.last).days
    if measure.since(one.last) > LEAST_WORKING_DAYS and not (one.gap is not None and passed <= TIMES_GAP * one.gap):
        return State.SILENT
    before = measure.between(max(measure.earlier, one.first), measure.recent)
    if not before:
        return State.REGULAR
    expected = one.earlier / before * measure.between(measure.recent, measure.today)
    return State.SLOWING if expected >= LEAST_EXPECTED and one.recent < SLOW * expected else State.REGULAR


def rhythms_of(log: ActivityLog, place: Organization, measure: Measure, sources: list[str] | None = None) -> Rhythms:
    """The rhythm of everybody who was ever active at a place."""
    return rhythm(
        log, last=measure.today, recent=measure.recent, earlier=measure.earlier, sources=sources, **reach(place)
    )
