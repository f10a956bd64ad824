"""The fold: what the events of one person and one business date earn, always the same whatever order they came in.

Pure: values in, values out. The live path, explanations and case files all go through `fold`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from uptake.basics.business_day import start_of
from uptake.programme.conditions.list import Condition
from uptake.programme.rulebook import Cap, PointsPer, Programme, Rulebook, RuleVersion
from uptake.programme.rulebook_writing import cap_to_file
from uptake.programme.standing import JudgedEvent, Number, number_of

REVERSED = "reversed"
HISTORY_ONLY = "history_only"
CONDITION = "condition"
NO_NUMBER = "no_number"
NOT_POSITIVE = "not_positive"
ZERO = "zero"
LATE = "late"
CAP_DAY = "cap_day"
CODES = (LATE, REVERSED, HISTORY_ONLY, CONDITION, NO_NUMBER, NOT_POSITIVE, ZERO, CAP_DAY)

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


class DayRules:
    """The rules in force on one business date, ready to be asked by the name of an event."""

    def __init__(self, rulebook: Rulebook, day: date) -> None:
        self.day = day
        self.rules = rulebook.in_force(day)
        self.asks_person = rulebook.asks_person
        self.closes_at = closing_of(rulebook.programme, day)
        self.by_name: dict[str, list[tuple[int, RuleVersion]]] = defaultdict(list)
        for rank, rule in enumerate(self.rules):
            for name in rule.on:
                self.by_name[name].append((rank, rule))
        self.by_name.default_factory = None


@lru_cache(maxsize=4096)
def closing_of(programme: Programme, day: date) -> datetime:
    """The instant (UTC) from which the awards of a business date stand: a day cap never reaches beyond the date."""
    return start_of(day + timedelta(days=1 + programme.lateness_days), programme.timezone, programme.day_start)


@dataclass(slots=True)
class Used:
    """What awards that stand already take of the caps of one person and period, by rule lineage."""

    points: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    times: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, lineage: str, points: int, times: int = 1) -> None:
        if points > 0:
            self.points[lineage] += points
            self.times[lineage] += times


def fold(rules: DayRules, events: Iterable[JudgedEvent], used: Used | None = None) -> list[Outcome]:
    """The outcome of every rule that names an event, for events of one person on one date, in canonical order.

    `used`: what awards of other events take beforehand, whether earlier or later ones; it grows by what is given here.
    """
    used = used or Used()
    outcomes: list[Outcome] = []
    by_name = rules.by_name
    for event in sorted(events, key=_canonical):
        for rank, rule in by_name.get(event.name, ()):
            lineage = rule.rule
            points, reasons, explanation = _judge(event, rule, used.points[lineage], used.times[lineage])
            if event.late and not event.history_only:
                reasons = (LATE, *reasons)
            used.add(lineage, points)
            outcomes.append(Outcome(event, rank, lineage, rule.version, points, reasons, explanation))
    return outcomes


def _canonical(event: JudgedEvent) -> tuple[datetime, str, str, int]:
    return (event.at, event.source, event.key, event.id)


def _judge(
    event: JudgedEvent, rule: RuleVersion, granted: int, paid: int
) -> tuple[int, tuple[str, ...], dict[str, Any]]:
    """Points, codes and explanation of one rule for one event, where `granted` points and `paid` awards came before."""
    explanation: dict[str, Any] = {"rule": rule.rule, "version": rule.version}
    if event.reversed:
        return 0, (REVERSED,), explanation
    if event.history_only:
        return 0, (HISTORY_ONLY,), explanation
    for condition in rule.when:
        if not condition.holds(event):
            explanation["condition"] = _failed(condition, event)
            return 0, (CONDITION,), explanation
    if isinstance(rule.points, int):
        points = rule.points
        explanation["factors"] = [{"what": "fixed", "points": points}]
    else:
        per = rule.points
        number = number_of(event.facts.get(per.per))
        if number is None:
            explanation["fact"] = per.per
            return 0, (NO_NUMBER,), explanation
        points, told = _worth(per, number)
        explanation |= told
        if number <= 0:
            return 0, (NOT_POSITIVE,), explanation
    if points == 0:
        return 0, (ZERO,), explanation
    explanation["before_caps"] = points
    reasons: tuple[str, ...] = ()
    caps = []
    for cap in rule.cap:
        if not cap.fits(event.date, event.standing.role):
            continue
        used = paid if cap.times else granted
        room = max(0, cap.limit - used)
        clipped = (0 if room == 0 else points) if cap.times else min(points, room)
        told = {"cap": _cap_text(cap), "used": used, "room": room}
        if clipped < points:
            reasons = (*reasons, CAP_DAY)
            points = clipped
            told["clipped"] = True
        caps.append(told)
    if caps:
        explanation["caps"] = caps
        if reasons:
            explanation["next"] = (event.date + timedelta(days=1)).isoformat()
    return points, reasons, explanation


@lru_cache(maxsize=8192)
def _worth(per: PointsPer, number: Number) -> tuple[int, dict[str, Any]]:
    """What a number is worth before caps, and how it came about. Remembered: the same numbers come again and again.

    Equal numbers print alike, so it does not matter which of them was seen first; nobody changes what is told.
    """
    factors: list[dict[str, Any]] = [
        {
            "what": "per",
            "fact": per.per,
            "value": plain(number),
            "each": plain(per.each),
            "points": plain(per.points),
        }
    ]
    if number <= 0:
        return 0, {"factors": factors}
    units = _units(number, per.each)
    if per.whole_units and not isinstance(units, int):
        units = units.numerator // units.denominator
    if per.whole_units:
        factors.append({"what": "whole_units", "units": units})
    exact = units * (per.points if type(per.points) is int else Fraction(per.points))
    if per.min is not None and exact < per.min:
        exact = Fraction(per.min)
        factors.append({"what": "min", "points": plain(per.min)})
    if per.max is not None and exact > per.max:
        exact = Fraction(per.max)
        factors.append({"what": "max", "points": plain(per.max)})
    return half_up(exact), {"factors": factors, "base": plain(exact)}


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
    asked = getattr(condition, condition.key)
    value = condition.value
    told: dict[str, Any] = {condition.key: asked, "op": condition.op}
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
