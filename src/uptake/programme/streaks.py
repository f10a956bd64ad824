"""How many days or weeks in a row a rule was kept, told unit after unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from uptake.basics.canonical import canonical_json
from uptake.programme.kept import RunSoFar
from uptake.programme.periods import WEEKDAYS, week_of
from uptake.programme.rulebook import Programme, RuleVersion
from uptake.programme.rulebook_writing import condition_to_file

WorksOn = Callable[[date], bool]
"""Whether the person works on a date."""
FreezesOn = Callable[[date], int]
"""How many freezes a month the version in force on a date allows."""


def is_workday(programme: Programme, day: date) -> bool:
    """Whether a date is worked by the rulebook's calendar, a person's leave aside."""
    if day in programme.work_days:
        return True
    return WEEKDAYS[day.weekday()] not in programme.rest_days and day not in programme.holidays


@lru_cache(maxsize=1024)
def run_key(rule: RuleVersion) -> str:
    """What versions must have in common for their units to make one run."""
    assert rule.streak
    when = [condition_to_file(one) for one in rule.when]
    return canonical_json([rule.rule, sorted(rule.on), when, rule.streak.every, rule.streak.working_days]).decode()


@dataclass(slots=True)
class Run:
    """A run of one person under one rule. Units come in order of time; what they need from before is all here."""

    every: str
    working_days: bool
    week_start: str
    works_on: WorksOn
    freezes_on: FreezesOn
    run: int = 0
    last: date | None = None
    """The unit told of last."""
    used: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    """Freezes used, by month."""

    def keep(self, day: date) -> int:
        """Notes an event of this date; the length of the run if it is the first of its unit and counts, else 0."""
        unit = week_of(day, self.week_start) if self.every == "week" else day
        if self.last is not None:
            if unit <= self.last:
                return 0
            missed = self.last + self._step
            while missed < unit:
                self._miss(missed)
                missed += self._step
        self.last = unit
        if not self._counts(unit):
            return 0
        self.run += 1
        return self.run

    def begin(self, kept: RunSoFar) -> None:
        """Goes on with what was kept."""
        self.run, self.last = kept.run, kept.last
        self.used.update(kept.used)

    def so_far(self) -> RunSoFar:
        """What must be kept: of freezes, those of months in which units may still be missed."""
        last = self.last
        used = {month: n for month, n in self.used.items() if n and (last is None or month >= (last.year, last.month))}
        return RunSoFar(self.week_start, self.run, last, used)

    @property
    def _step(self) -> timedelta:
        return timedelta(days=7 if self.every == "week" else 1)

    def _counts(self, unit: date) -> bool:
        """Whether the unit can be kept or missed: one without any working date is neither."""
        if not self.working_days:
            return True
        return any(self.works_on(unit + timedelta(days=number)) for number in range(self._step.days))

    def _miss(self, unit: date) -> None:
        if self.run == 0 or not self._counts(unit):
            return
        month = (unit.year, unit.month)
        if self.used[month] < self.freezes_on(unit):
            self.used[month] += 1
        else:
            self.run = 0
