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
from uptake.programme.periods import week_of
from uptake.programme.rulebook import Cap, PointsBySteps, Rulebook, RuleVersion
from uptake.programme.sentences import number, quoted
from uptake.programme.streaks import is_workday

YEAR = 365


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
        begins = max(day, rule.from_date)
        caps = _caps(rulebook, rule, begins)
        ends = rule.until_date is not None or any(cap.every != "day" for cap in caps)
        most = _most_a_year(rulebook, rule, caps, begins)
        if most == 0 or (ends and most is not None):
            continue
        found.append(OpenStreak(rule.rule, rule.version, rule.title, most))
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


def _most_a_year(rulebook: Rulebook, rule: RuleVersion, caps: Sequence[Cap], day: date) -> int | None:
    """The most that a person who never misses gets in a year, whenever the row began; None: nothing bounds it."""
    assert rule.streak, "only streaks are asked"
    limits = [cap.limit for cap in caps if not cap.times or cap.limit == 0]
    base = _greatest(rule)
    if base is None and not limits:
        return None
    gives = []
    for dates in _units(rulebook, rule, day):
        worth = [] if base is None else [half_up(base * _factor(rulebook, rule, dates))]
        gives.append(min([*limits, *worth]))
    return max(sum(gives[first :: rule.streak.length]) for first in range(rule.streak.length))


def _greatest(rule: RuleVersion) -> Fraction | None:
    """The most points of one event before multipliers; None: nothing bounds them."""
    points = rule.points
    if isinstance(points, int):
        return Fraction(points)
    if isinstance(points, PointsBySteps):
        most = max(Fraction(given) for _at_least, given in points.steps)
        most = most if points.min is None else max(most, Fraction(points.min))
        return most if points.max is None else min(most, Fraction(points.max))
    return None if points.max is None else Fraction(points.max)


def _units(rulebook: Rulebook, rule: RuleVersion, day: date) -> list[list[date]]:
    """The dates of every unit of a year that can be kept: working dates, dates, or weeks."""
    assert rule.streak, "only streaks are asked"
    dates = [day + timedelta(days=number) for number in range(YEAR)]
    if rule.streak.every == "week":
        weeks: dict[date, list[date]] = {}
        for one in dates:
            weeks.setdefault(week_of(one, rulebook.programme.week_start), []).append(one)
        return list(weeks.values())
    return [[one] for one in dates if not rule.streak.working_days or is_workday(rulebook.programme, one)]


def _factor(rulebook: Rulebook, rule: RuleVersion, dates: Sequence[date]) -> Fraction:
    """The greatest factor that multipliers can make of it on one of the dates."""
    concerned = [one for one in rulebook.multipliers if not one.on or set(one.on) & set(rule.on)]
    stacking = rulebook.programme.stacking
    most = Fraction(1)
    for day in dates if concerned else ():
        factors = [Fraction(one.factor) for one in concerned if one.covers(day)]
        if stacking is None:
            most = max([most, *factors])
        else:
            most = max(most, min(Fraction(stacking.at_most), prod(factors, start=Fraction(1))))
    return most
