"""From which amounts on the rules in force at a company pay, or pay more: what amounts may bunch at."""

from __future__ import annotations

from datetime import date

from uptake.directory.models import Organization
from uptake.programme.conditions.fact import FactCondition
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.rulebook import PointsBySteps, Rulebook
from uptake.programme.standing import number_of
from uptake.statistics.gaming.thresholds import Threshold


def thresholds_on(company: Organization, day: date) -> tuple[Threshold, ...]:
    """Of the rulebook in force on a date, in the order of its rules; none without one."""
    version = rulebook_version_on(company, day)
    return thresholds_of(parsed(version.pk, version.sha256), day) if version else ()


def thresholds_of(rulebook: Rulebook, day: date) -> tuple[Threshold, ...]:
    """What conditions ask to be at least so much, and the steps of amounts, above one.

    At most so much (a deadline) is no threshold here: work in time is what such a rule is for.
    """
    found: dict[Threshold, None] = {}
    for rule in rulebook.in_force(day):
        names = frozenset(rule.on)
        asked = [
            (one.fact, _above(one.op, one.value)) for one in rule.when if isinstance(one, FactCondition)
        ]  # fmt: skip
        if isinstance(rule.points, PointsBySteps):
            asked += [(rule.points.per, float(at)) for at, _points in rule.points.steps]
        found |= {Threshold(names, fact, at): None for fact, at in asked if at is not None and at > 1}
    return tuple(found)


def _above(op: str, value: object) -> float | None:
    """The least whole amount that holds; None: no such condition."""
    number = number_of(value)
    if number is None or op not in ("gt", "gte"):
        return None
    return float(number) + (1.0 if op == "gt" else 0.0)
