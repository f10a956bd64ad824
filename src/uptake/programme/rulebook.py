"""The rulebook as frozen values: the clock of a programme, and rules whose versions follow one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time

from uptake.basics.business_day import Clock
from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.conditions.list import Condition
from uptake.programme.conditions.person import LEVEL, PersonCondition
from uptake.programme.standing import Number


@dataclass(frozen=True, slots=True)
class Expiry:
    """When points can no longer be spent: some days after they could be or after the person last did something, at the
    end of a month or year, or never."""

    days: int | None = None
    end_of: str | None = None
    """month or year (the fiscal one)."""
    inactive_days: int | None = None
    """After so many dates on which the person did nothing: everything the person does postpones it."""


NEVER_EXPIRES = Expiry()


@dataclass(frozen=True, slots=True)
class Stacking:
    """All multipliers that hold are multiplied with one another, up to `at_most` times what is earned without them."""

    at_most: Number


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
    expires: Expiry = NEVER_EXPIRES
    fiscal_year_start: int = 1
    """The month with which the fiscal year begins."""
    redemption_timeout_days: int = 14
    season_ends: tuple[date, ...] = ()
    """First days after a season, rising."""
    levels_from: str = "lifetime"
    stacking: Stacking | None = None
    """None: of several multipliers that hold, the greatest counts alone."""
    of_place: Clock | None = None
    """The clock of the place whose events are judged, with its history; None: nothing but the file is known. It is not
    part of the file."""

    @property
    def clock(self) -> Clock:
        """By which dates are read."""
        return self.of_place or Clock.steady(self.timezone, self.day_start)


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
class PointsBySteps:
    """The points of the highest step that the number `per` reaches, none below the first; held between min and max."""

    per: str
    steps: tuple[tuple[Number, Number], ...]
    """(at least, points), rising."""
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

    def covers(self, day: date) -> bool:
        """Whether it limits events of this date; who they are by is for `role` to say."""
        return (self.from_date is None or self.from_date <= day) and (self.until_date is None or day < self.until_date)


@dataclass(frozen=True, slots=True)
class Group:
    """Caps that several rules share."""

    group: str
    rules: tuple[str, ...]
    cap: tuple[Cap, ...]


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Makes what is earned worth more on its dates, for its events, under its conditions."""

    multiplier: str
    factor: Number
    from_date: date | None = None
    until_date: date | None = None
    on: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()

    def covers(self, day: date) -> bool:
        return (self.from_date is None or self.from_date <= day) and (self.until_date is None or day < self.until_date)


@dataclass(frozen=True, slots=True)
class Reversal:
    """An event named `event` undoes earlier ones with the same value, wholly or by the part its fact tells."""

    event: str
    undoes: tuple[str, ...]
    same: str = "object"
    fraction: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    name: str
    at: int
    """Points that reach it."""


@dataclass(frozen=True, slots=True)
class Streak:
    """Pays at every `length`-th day or week in a row."""

    every: str
    length: int
    working_days: bool = True
    freezes_per_month: int = 0


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One wording of a rule, in force for [from_date, until_date) unless a later one takes its place."""

    rule: str
    version: int
    from_date: date
    on: tuple[str, ...]
    points: int | PointsPer | PointsBySteps
    until_date: date | None = None
    when: tuple[Condition, ...] = ()
    cap: tuple[Cap, ...] = ()
    cooldown_seconds: int = 0
    available_after_days: int = 0
    expires: Expiry | None = None
    """None: as the programme says."""
    streak: Streak | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that earns, as one value. The order of `lineages` is the order in which rules are asked."""

    programme: Programme = Programme()
    rules: tuple[RuleVersion, ...] = ()
    lineages: tuple[str, ...] = field(default=())
    groups: tuple[Group, ...] = ()
    person_cap: tuple[Cap, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    reversals: tuple[Reversal, ...] = ()
    levels: tuple[Level, ...] = ()

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
    def inactive_days(self) -> frozenset[int]:
        """After how many dates without any deed points of any rule, or of the programme, expire."""
        found = {(rule.expires or self.programme.expires).inactive_days for rule in self.rules}
        return frozenset(days for days in {*found, self.programme.expires.inactive_days} if days is not None)

    @property
    def asks_person(self) -> bool:
        """Whether anything needs to know who the person was on the event's date."""
        return any(cap.role is not None for cap in self.caps) or any(
            isinstance(condition, PersonCondition) and condition.person != LEVEL for condition in self._conditions
        )

    @property
    def looks_back(self) -> bool:
        """Whether anything asks for more than awards of the event's own date."""
        histories = any(isinstance(one, HistoryCondition) for one in self._conditions)
        return histories or self.counts_ever or bool(self.reversals) or self.looks_back_days != 0

    @property
    def counts_ever(self) -> bool:
        """Whether any cap holds for ever, so that all that was ever granted counts."""
        return any(cap.every == "ever" for cap in self.caps)

    @property
    def looks_back_days(self) -> int | None:
        """How many dates before its own the events are on that an award may depend on; None: on all of them.

        What a cap for ever counts are sums of awards, not events. What undoes an event is found by its marks.
        """
        histories = [one for one in self._conditions if isinstance(one, HistoryCondition)]
        if self.levels or any(rule.streak for rule in self.rules) or any(one.within_days is None for one in histories):
            return None
        periods = {"day": 0, "ever": 0, "week": 6, "month": 30}
        days = [periods[cap.every] for cap in self.caps]
        days += [rule.cooldown_seconds // 86400 + 2 for rule in self.rules if rule.cooldown_seconds]
        days += [one.within_days - 1 for one in histories if one.within_days is not None]
        return max(days, default=0)

    @property
    def caps(self) -> list[Cap]:
        """Those of rules, of groups and of the person."""
        shared = [cap for group in self.groups for cap in group.cap]
        return [*(cap for rule in self.rules for cap in rule.cap), *shared, *self.person_cap]

    @property
    def _conditions(self) -> list[Condition]:
        of_rules = [condition for rule in self.rules for condition in rule.when]
        return of_rules + [condition for multiplier in self.multipliers for condition in multiplier.when]
