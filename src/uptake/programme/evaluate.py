"""The fold: what the events of one person and one business date earn, always the same whatever order they came in.

Pure: values in, values out. The live path, explanations and case files all go through `judge`, be it by `fold` (one
date, which is enough where no rule looks beyond it) or by `person_fold.fold_person` (all a person ever did).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from uptake.programme.conditions.history import HistoryCondition
from uptake.programme.conditions.list import Condition
from uptake.programme.lot_dates import lot_dates
from uptake.programme.periods import end_of
from uptake.programme.rulebook import Cap, PointsBySteps, PointsPer, Programme, Rulebook, RuleVersion
from uptake.programme.rulebook_writing import cap_to_file, condition_to_file
from uptake.programme.standing import JudgedEvent, Number, number_of

REVERSED = "reversed"
HISTORY_ONLY = "history_only"
CONDITION = "condition"
STREAK = "streak"
NO_NUMBER = "no_number"
NOT_POSITIVE = "not_positive"
ZERO = "zero"
COOLDOWN = "cooldown"
MULTIPLIER = "multiplier"
PARTIAL_REVERSAL = "partial_reversal"
LATE = "late"
CAP_DAY = "cap_day"
GROUP = "group_"
PERSON = "person_"
CAPS = tuple(f"{whose}cap_{every}" for whose in ("", GROUP, PERSON) for every in ("day", "week", "month", "ever"))
CODES = (
    LATE,
    REVERSED,
    HISTORY_ONLY,
    CONDITION,
    STREAK,
    NO_NUMBER,
    NOT_POSITIVE,
    ZERO,
    COOLDOWN,
    MULTIPLIER,
    PARTIAL_REVERSAL,
    *CAPS,
)

Key = tuple[int, str]
"""(event id, rule lineage): one award."""


class Outcome(NamedTuple):
    """What one rule gives for one event: points (0 or more), reason codes in order, and a plain JSON explanation."""

    event: JudgedEvent
    rank: int
    """The place of the lineage in the order of rules."""
    rule: str
    version: int
    points: int
    reasons: tuple[str, ...]
    explanation: dict[str, Any]

    @property
    def key(self) -> Key:
        return (self.event.id, self.rule)


class Limit(NamedTuple):
    """A cap with whose points count in it, and the code it adds where it clips."""

    cap: Cap
    lineages: tuple[str, ...]
    code: str
    whose: str = ""
    """The group, or "*" for all rules of the person; empty: the rule's own."""
    end: date | None = None
    """The first date after the period; None: it has no end."""


class Factor(NamedTuple):
    """A multiplier as one rule asks it."""

    name: str
    factor: Number
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One rule as it is asked of events of one name on one date."""

    rank: int
    rule: RuleVersion
    when: tuple[Condition, ...]
    limits: tuple[Limit, ...]
    """The caps of the rule, of its groups and of the person that hold on that date, in their order."""
    factors: tuple[Factor, ...]
    """The multipliers of that date and name, the greatest first."""
    ceiling: Number | None = None
    """How many times as much all factors that hold may make together; None: the greatest counts alone."""


class DayRules:
    """The rules in force on one business date, ready to be asked by the name of an event."""

    def __init__(self, rulebook: Rulebook, day: date, rulebook_id: int = 0) -> None:
        self.day = day
        self.rulebook = rulebook
        self.rulebook_id = rulebook_id
        """Of the published version; 0: it is not published."""
        self.earlier: tuple[tuple[datetime, DayRules], ...] = ()
        """(until when, the rules before) where rules were lowered at once on this date, rising. They differ in what
        rules give and in nothing else."""
        self.rules = rulebook.in_force(day)
        self.asks_person = rulebook.asks_person
        self.closes_at = closing_of(rulebook.programme, day)
        self.lots = tuple(lot_dates(rulebook.programme, rule, day) for rule in self.rules)
        """From when to when what each rule gives can be spent, in the order of `rules`."""
        self.by_name: dict[str, list[Question]] = defaultdict(list)
        stacking = rulebook.programme.stacking
        ceiling = stacking.at_most if stacking else None
        for rank, rule in enumerate(self.rules):
            limits = _limits(rulebook, rule, day)
            when = tuple(asked_of_rule(condition, rule) for condition in rule.when)
            for name in rule.on:
                factors = _factors(rulebook, rule, day, name)
                self.by_name[name].append(Question(rank, rule, when, limits, factors, ceiling))
        self.by_name.default_factory = None

    def after(self, earlier: Sequence[tuple[datetime, DayRules]]) -> DayRules:
        """The same rules, which took the place of others in the course of the date."""
        rules = copy(self)
        rules.earlier = tuple(earlier)
        rules.asks_person = self.asks_person or any(one.asks_person for _, one in earlier)
        return rules

    def at(self, instant: datetime) -> DayRules:
        """The rules that judge what happened at an instant of the date."""
        for until, rules in self.earlier:
            if instant < until:
                return rules
        return self

    def version_of(self, lineage: str) -> RuleVersion | None:
        """The version of a rule that is in force."""
        return next((rule for rule in self.rules if rule.rule == lineage), None)

    def closing(self, question: Question, role: str | None) -> datetime:
        """From when (UTC) an award of this date stands: when the longest period of all caps that fit it is over."""
        programme = self.rulebook.programme
        last = self.day
        for limit in question.limits:
            if limit.end is not None and limit.cap.role in (None, role):
                last = max(last, limit.end - timedelta(days=1))
        return closing_of(programme, last)


def _limits(rulebook: Rulebook, rule: RuleVersion, day: date) -> tuple[Limit, ...]:
    found = [Limit(cap, (rule.rule,), f"cap_{cap.every}") for cap in rule.cap]
    for group in rulebook.groups:
        if rule.rule in group.rules:
            found += [Limit(cap, group.rules, f"{GROUP}cap_{cap.every}", group.group) for cap in group.cap]
    found += [Limit(cap, rulebook.lineages, f"{PERSON}cap_{cap.every}", "*") for cap in rulebook.person_cap]
    week_start = rulebook.programme.week_start
    return tuple(
        limit._replace(end=end_of(day, limit.cap.every, week_start)) for limit in found if limit.cap.covers(day)
    )


def _factors(rulebook: Rulebook, rule: RuleVersion, day: date, name: str) -> tuple[Factor, ...]:
    found = [
        Factor(one.multiplier, one.factor, tuple(asked_of_rule(condition, rule) for condition in one.when))
        for one in rulebook.multipliers
        if one.covers(day) and (not one.on or name in one.on)
    ]
    return tuple(sorted(found, key=lambda one: -one.factor))


def asked_of_rule(condition: Condition, rule: RuleVersion) -> Condition:
    """A question about history that names no events asks for those of the rule."""
    if isinstance(condition, HistoryCondition) and not condition.of:
        return replace(condition, of=rule.on)
    return condition


@lru_cache(maxsize=4096)
def closing_of(programme: Programme, day: date) -> datetime:
    """The instant (UTC) from which awards stand whose longest period ends with this business date."""
    return programme.clock.start_of(day + timedelta(days=1 + programme.lateness_days))


class Before(Protocol):
    """What a rule must know of the other awards and events of the person."""

    def of(self, every: str, day: date) -> Used:
        """What awards take of the caps in the period of a date."""

    def near(self, lineage: str, at: datetime, seconds: int) -> bool:
        """Whether a paid award of the rule lies less than so many seconds away."""

    def milestone(self, rule: RuleVersion, event: JudgedEvent) -> bool:
        """Notes that the event keeps the rule's streak; whether it completes its length."""


@dataclass(slots=True)
class Used:
    """What awards that stand already take of the caps of one person and period, by rule lineage."""

    points: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    times: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, lineage: str, points: int, times: int = 1) -> None:
        if points > 0:
            self.points[lineage] += points
            self.times[lineage] += times

    def of(self, every: str, day: date) -> Used:
        assert every == "day", f"one date cannot tell what a cap every {every} has left"
        return self

    def near(self, lineage: str, at: datetime, seconds: int) -> bool:
        raise AssertionError("one date cannot tell what was granted before it")

    def milestone(self, rule: RuleVersion, event: JudgedEvent) -> bool:
        raise AssertionError("one date cannot tell a streak")


def fold(rules: DayRules, events: Iterable[JudgedEvent], used: Used | None = None) -> list[Outcome]:
    """The outcome of every rule that names an event, for events of one person on one date, in canonical order.

    `used`: what awards of other events take beforehand, whether earlier or later ones; it grows by what is given here.
    """
    used = used or Used()
    outcomes: list[Outcome] = []
    by_name = rules.by_name
    for event in sorted(events, key=_canonical):
        if rules.earlier:
            by_name = rules.at(event.at).by_name
        for question in by_name.get(event.name, ()):
            rule = question.rule
            points, reasons, explanation = judge(event, question, used)
            if event.late and not event.history_only:
                reasons = (LATE, *reasons)
            used.add(rule.rule, points)
            outcomes.append(Outcome(event, question.rank, rule.rule, rule.version, points, reasons, explanation))
    return outcomes


def _canonical(event: JudgedEvent) -> tuple[datetime, str, str, int]:
    return (event.at, event.source, event.key, event.id)


def judge(event: JudgedEvent, question: Question, before: Before) -> tuple[int, tuple[str, ...], dict[str, Any]]:
    """Points, codes and explanation of one rule for one event, after what came before."""
    rule = question.rule
    explanation: dict[str, Any] = {"rule": rule.rule, "version": rule.version}
    part = event.part
    if part:
        explanation["part"] = plain(part)
    if event.reversed or part == 1:
        return 0, (REVERSED,), explanation
    if event.history_only and rule.streak is None:
        return 0, (HISTORY_ONLY,), explanation
    for condition in question.when:
        if not condition.holds(event):
            if event.history_only:
                return 0, (HISTORY_ONLY,), explanation
            explanation["condition"] = _failed(condition, event)
            return 0, (CONDITION,), explanation
    if rule.streak is not None:
        milestone = before.milestone(rule, event)
        if event.history_only:
            return 0, (HISTORY_ONLY,), explanation
        if not milestone:
            explanation["streak"] = {"every": rule.streak.every, "length": rule.streak.length}
            return 0, (STREAK,), explanation
    base: int | Fraction
    if isinstance(rule.points, int):
        base = points = rule.points
        explanation["factors"] = [{"what": "fixed", "points": points}]
    else:
        per = rule.points
        number = number_of(event.facts.get(per.per))
        if number is None:
            explanation["fact"] = per.per
            return 0, (NO_NUMBER,), explanation
        base, points, told = _worth(per, number)
        explanation |= told
        if number <= 0:
            return 0, (NOT_POSITIVE,), explanation
    if not base:
        return 0, (ZERO,), explanation
    if rule.cooldown_seconds and before.near(rule.rule, event.at, rule.cooldown_seconds):
        explanation["cooldown_seconds"] = rule.cooldown_seconds
        return 0, (COOLDOWN,), explanation
    reasons: tuple[str, ...] = ()
    if question.factors or part:
        points, reasons = _changed(base, event, question, explanation)
    if points == 0:
        return 0, (*reasons, ZERO), explanation
    explanation["before_caps"] = points
    if question.limits:
        points, clipped = _clipped(points, event, question, before, explanation)
        reasons += clipped
    return points, reasons, explanation


def _changed(
    base: int | Fraction, event: JudgedEvent, question: Question, explanation: dict[str, Any]
) -> tuple[int, tuple[str, ...]]:
    """The base times the factor of what holds and the part that is not undone, rounded once.

    The factor is the greatest that holds, or where they are stacked their product up to the ceiling.
    """
    reasons: tuple[str, ...] = ()
    exact = Fraction(base)
    factors = list(explanation["factors"])
    for factor in question.factors:
        if factor.factor > 1 and all(condition.holds(event) for condition in factor.when):
            exact *= Fraction(factor.factor)
            factors.append(
                {"what": "multiplier", "name": factor.name, "factor": plain(factor.factor), "points": plain(exact)}
            )
            reasons = (MULTIPLIER,)
            if question.ceiling is None:
                break
    if question.ceiling is not None and exact > (most := Fraction(base) * Fraction(question.ceiling)):
        exact = most
        factors.append({"what": "ceiling", "factor": plain(question.ceiling), "points": plain(exact)})
    if event.part:
        exact *= 1 - event.part
        factors.append({"what": "part_reversed", "part": plain(event.part), "left": half_up(exact)})
        reasons = (*reasons, PARTIAL_REVERSAL)
    explanation["factors"] = factors
    return half_up(exact), reasons


def _clipped(
    points: int, event: JudgedEvent, question: Question, before: Before, explanation: dict[str, Any]
) -> tuple[int, tuple[str, ...]]:
    """What all caps that fit leave of the points, each after the one before it."""
    reasons: tuple[str, ...] = ()
    caps = []
    ends: list[date | None] = []
    day = event.date
    for cap, lineages, code, whose, end in question.limits:
        if cap.role is not None and cap.role != event.standing.role:
            continue
        limit = cap.limit
        there = before.of(cap.every, day)
        taken = there.times if cap.times else there.points
        used = sum([taken[lineage] for lineage in lineages]) if whose else taken[lineages[0]]
        room = limit - used if used < limit else 0
        told: dict[str, Any] = {"cap": _cap_text(cap), "used": used, "room": room}
        if whose:
            told["whose"] = whose
        if (points and not room) if cap.times else room < points:
            reasons = (*reasons, code)
            points = 0 if cap.times else room
            told["clipped"] = True
            ends.append(end)
        caps.append(told)
    if caps:
        explanation["caps"] = caps
    if ends:
        known = [end for end in ends if end is not None]
        if len(known) == len(ends):
            explanation["next"] = max(known).isoformat()
    return points, reasons


@lru_cache(maxsize=8192)
def _worth(per: PointsPer | PointsBySteps, number: Number) -> tuple[int | Fraction, int, dict[str, Any]]:
    """What a number is worth, exactly and rounded, and how it came about. Remembered: the same numbers come again.

    Equal numbers print alike, so it does not matter which of them was seen first; nobody changes what is told.
    """
    factors: list[dict[str, Any]] = []
    exact: int | Fraction = 0
    if isinstance(per, PointsBySteps):
        step = next((step for step in reversed(per.steps) if step[0] <= number), None)
        told = {"what": "step", "fact": per.per, "value": plain(number)}
        if step is not None:
            told |= {"at_least": plain(step[0]), "points": plain(step[1])}
            exact = _exactly(step[1])
        factors.append(told)
        if number <= 0:
            return 0, 0, {"factors": factors}
    else:
        factors.append(
            {
                "what": "per",
                "fact": per.per,
                "value": plain(number),
                "each": plain(per.each),
                "points": plain(per.points),
            }
        )
        if number <= 0:
            return 0, 0, {"factors": factors}
        units = _units(number, per.each)
        if per.whole_units and not isinstance(units, int):
            units = units.numerator // units.denominator
        if per.whole_units:
            factors.append({"what": "whole_units", "units": units})
        exact = units * _exactly(per.points)
    if per.min is not None and exact < per.min:
        exact = Fraction(per.min)
        factors.append({"what": "min", "points": plain(per.min)})
    if per.max is not None and exact > per.max:
        exact = Fraction(per.max)
        factors.append({"what": "max", "points": plain(per.max)})
    return exact, half_up(exact), {"factors": factors, "base": plain(exact)}


def _exactly(number: Number) -> int | Fraction:
    return number if isinstance(number, int) else Fraction(number)


def _units(number: int | Decimal, each: int | Decimal) -> int | Fraction:
    """How many times `each` goes into the number, exactly; a whole number where it is one and both are."""
    if type(number) is int and type(each) is int:
        return Fraction(number, each) if number % each else number // each
    return Fraction(number) / Fraction(each)


def half_up(exact: Fraction | int) -> int:
    """Rounds to the nearest whole point, a half upwards; `exact` is not negative."""
    if isinstance(exact, int):
        return exact
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def plain(number: int | Decimal | Fraction) -> int | str:
    """An exact number as plain JSON: an integer, or a text such as "2.5" or "10/3"."""
    if type(number) is int:
        return number
    exact = Fraction(number)
    if exact.denominator == 1:
        return exact.numerator
    places, rest = 0, exact.denominator
    while rest % 10 == 0:
        places, rest = places + 1, rest // 10
    for prime in (2, 5):
        while rest % prime == 0:
            places, rest = places + 1, rest // prime
    if rest != 1:
        return f"{exact.numerator}/{exact.denominator}"
    digits = str(abs(exact.numerator) * 10**places // exact.denominator).zfill(places + 1)
    sign = "-" if exact < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}".rstrip("0")


@lru_cache(maxsize=1024)
def _cap_text(cap: Cap) -> dict[str, Any]:
    return cap_to_file(cap)


def _failed(condition: Condition, event: JudgedEvent) -> dict[str, Any]:
    actual = condition.actual(event)
    if isinstance(condition, HistoryCondition):
        told = condition_to_file(condition)
        return told if actual is None else {**told, "actual": _plain_value(actual)}
    asked = getattr(condition, condition.key)
    value = condition.value
    told = {condition.key: asked, "op": condition.op}
    if value is not None:
        told["value"] = [_plain_value(one) for one in value] if isinstance(value, tuple) else _plain_value(value)
    if actual is not None:
        told["actual"] = _plain_value(actual)
    return told


def _plain_value(value: object) -> object:
    number = number_of(value)
    if number is not None:
        return plain(number)
    return value if isinstance(value, str | bool) else str(value)
