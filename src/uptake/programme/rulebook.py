"""The rulebook as frozen values: the clock of a programme, and rules whose versions follow one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time

from uptake.programme.conditions.list import Condition
from uptake.programme.conditions.person import PersonCondition
from uptake.programme.standing import Number


@dataclass(frozen=True, slots=True)
class Programme:
    """The clock and the calendar of the rulebook, and how long its records stay open."""

    timezone: str = "UTC"
    day_start: time = time(0)
    week_start: str = "monday"
    lateness_days: int = 7
    rest_days: tuple[str, ...] = ("saturday", "sunday")
    holidays: tuple[date, ...] = ()
    work_days: tuple[date, ...] = ()
    expires: str = "never"


@dataclass(frozen=True, slots=True)
class PointsPer:
    """`points` for each `each` of the number `per`; only whole units if `whole_units`; held between min and max."""

    per: str
    each: Number = 1
    points: Number = 1
    whole_units: bool = False
    min: Number | None = None
    max: Number | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` points, or at most `limit` paid awards if `times`, in every period."""

    limit: int
    times: bool = False
    every: str = "day"
    role: str | None = None
    from_date: date | None = None
    until_date: date | None = None

    def fits(self, day: date, role: str | None) -> bool:
        """Whether it limits an event of this date by a person in this role."""
        return (
            (self.role is None or self.role == role)
            and (self.from_date is None or self.from_date <= day)
            and (self.until_date is None or day < self.until_date)
        )


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One wording of a rule, in force for [from_date, until_date) unless a later one takes its place."""

    rule: str
    version: int
    from_date: date
    on: tuple[str, ...]
    points: int | PointsPer
    until_date: date | None = None
    when: tuple[Condition, ...] = ()
    cap: tuple[Cap, ...] = ()
    title: str = ""
    expires: str = "never"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that earns, as one value. The order of `lineages` is the order in which rules are asked."""

    programme: Programme = Programme()
    rules: tuple[RuleVersion, ...] = ()
    lineages: tuple[str, ...] = field(default=())

    def in_force(self, day: date) -> tuple[RuleVersion, ...]:
        """The version in force of every lineage on a date, in the order of lineages."""
        found = []
        for lineage in self.lineages:
            begun = [rule for rule in self.rules if rule.rule == lineage and rule.from_date <= day]
            if not begun:
                continue
            latest = max(begun, key=lambda rule: (rule.from_date, rule.version))
            if latest.until_date is None or day < latest.until_date:
                found.append(latest)
        return tuple(found)

    @property
    def asks_person(self) -> bool:
        """Whether any rule needs to know who the person was on the event's date."""
        return any(
            any(isinstance(condition, PersonCondition) for condition in rule.when)
            or any(cap.role is not None for cap in rule.cap)
            for rule in self.rules
        )
