"""Guard-rail of streaks: which streak rules pay without a bound, and what they can pay in a year at most. Pure.

A streak is bounded where a limit of a week, a month or for ever fits everybody (the rule's own, a group's or the
person's), or where its version ends; a limit of a day is none, as a streak pays once a day or week anyhow. What it pays
each time must be bounded too: a number of points, a maximum, or a limit of points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import prod

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.programme.evaluate import half_up
from uptake.programme.rulebook import Cap, PointsBySteps, Rulebook, RuleVersion
from uptake.programme.sentences import number, quoted
from uptake.programme.streaks import is_workday

YEAR = 365
WEEKS = 53
"""Begun weeks of a year."""


@dataclass(frozen=True, slots=True)
class OpenStreak:
    """One version of a streak rule that pays without a bound from a date on."""

    rule: str
    version: int
    title: str
    most_a_year: int | None
    """Points in a year to a person who never misses; None: nothing bounds it."""


def open_streaks(rulebook: Rulebook, day: date) -> list[OpenStreak]:
    """The versions in force on `day`, or later, that pay for streaks without a bound; in the order of the file."""
    now = {(rule.rule, rule.version) for rule in rulebook.in_force(day)}
    found = []
    for rule in rulebook.rules:
        if rule.streak is None or not ((rule.rule, rule.version) in now or rule.from_date > day):
            continue
        caps = _caps(rulebook, rule, max(day, rule.from_date))
        most = _most_each_time(rulebook, rule, caps)
        ends = rule.until_date is not None or any(cap.every != "day" for cap in caps)
        if most == 0 or (ends and most is not None):
            continue
        times = _times_a_year(rulebook, rule, max(day, rule.from_date))
        found.append(OpenStreak(rule.rule, rule.version, rule.title, None if most is None else most * times))
    return found


def streak_sentence(one: OpenStreak) -> str:
    """What is wrong with it, in words."""
    fields = {"rule": quoted(one.title or one.rule)}
    if one.most_a_year is None:
        return _("%(rule)s pays for a streak by a number without a maximum: nothing bounds what it can pay.") % fields
    pattern = ngettext(
        "%(rule)s pays for a streak without end: up to %(points)s point a year to a person who never misses.",
        "%(rule)s pays for a streak without end: up to %(points)s points a year to a person who never misses.",
        one.most_a_year,
    )
    return pattern % {**fields, "points": number(one.most_a_year)}


def _caps(rulebook: Rulebook, rule: RuleVersion, day: date) -> Sequence[Cap]:
    """The limits that fit everybody from the date on for as long as the version is in force."""
    shared: Iterable[Cap] = (cap for group in rulebook.groups if rule.rule in group.rules for cap in group.cap)
    found = [*rule.cap, *shared, *rulebook.person_cap]
    return [
        cap
        for cap in found
        if cap.role is None
        and cap.covers(day)
        and (cap.until_date is None or (rule.until_date is not None and rule.until_date <= cap.until_date))
    ]


def _most_each_time(rulebook: Rulebook, rule: RuleVersion, caps: Sequence[Cap]) -> int | None:
    """The most points of one milestone; None: nothing bounds them."""
    limits = [cap.limit for cap in caps if not cap.times]
    if any(cap.limit == 0 for cap in caps):
        return 0
    points = rule.points
    if isinstance(points, int):
        most: Fraction | None = Fraction(points)
    elif isinstance(points, PointsBySteps):
        most = Fraction(max(given for _at_least, given in points.steps))
        if points.min is not None:
            most = max(most, Fraction(points.min))
        if points.max is not None:
            most = min(most, Fraction(points.max))
    else:
        most = None if points.max is None else Fraction(points.max)
    if most is not None:
        limits.append(half_up(most * _factor(rulebook, rule)))
    return min(limits, default=None)


def _factor(rulebook: Rulebook, rule: RuleVersion) -> Fraction:
    """The greatest factor that multipliers can make of it at any time."""
    factors = [Fraction(one.factor) for one in rulebook.multipliers if not one.on or set(one.on) & set(rule.on)]
    stacking = rulebook.programme.stacking
    if stacking is None:
        return max(factors, default=Fraction(1))
    return min(Fraction(stacking.at_most), prod(factors, start=Fraction(1)))


def _times_a_year(rulebook: Rulebook, rule: RuleVersion, day: date) -> int:
    """How often at most a person who never misses reaches the length in a year from the date on."""
    assert rule.streak, "only streaks are asked"
    units = WEEKS
    if rule.streak.every == "day":
        dates = [day + timedelta(days=number) for number in range(YEAR)]
        working = rule.streak.working_days
        units = sum(not working or is_workday(rulebook.programme, one) for one in dates)
    return -(-units // rule.streak.length)
