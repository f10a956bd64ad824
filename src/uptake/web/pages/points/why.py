"""Why an award is what it is: its explanation, written for the one who got it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext, gettext_lazy, ngettext

from uptake.programme.models import Award, Reason
from uptake.programme.sentences import Labels
from uptake.web import numbers


@dataclass(frozen=True)
class Line:
    """One award as a line of the list."""

    award: Award
    what: str
    """The event's name in words, with its object."""
    title: str
    """The rule's title."""
    reason: str
    """Why it is not (or not fully) what the rule names; empty where it is."""
    sentences: Sequence[str]
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Day:
    date: date
    points: int
    lines: Sequence[Line]


def line_of(award: Award, what: str, title: str, labels: Labels) -> Line:
    """The line of one award."""
    return Line(award, what, title, reasons(award.reasons), sentences(award, labels), facts(award))


def reasons(codes: Sequence[str]) -> str:
    known = {reason.value: str(reason.label) for reason in Reason}
    return ", ".join(known.get(code, code) for code in codes)


def sentences(award: Award, labels: Labels) -> list[str]:
    """How the points came about, one step per sentence, in the order in which the rule was asked."""
    told = award.explanation
    found: list[str] = []
    if "reversed" in award.reasons:
        return [gettext("The entry was taken back later, so its points were taken back too.")]
    if "history_only" in award.reasons:
        return [gettext("The event was imported as history: it counts in charts and pays nothing.")]
    if "condition" in told:
        return [condition(told["condition"], labels)]
    if "no_number" in award.reasons:
        return [
            gettext("The rule pays by “%(fact)s”, but the event carries no such number.")
            % {"fact": labels.fact(str(told.get("fact")))}
        ]
    found += [_factor(factor, labels) for factor in told.get("factors", ())]
    if "not_positive" in award.reasons:
        found.append(gettext("The number is not above 0, so nothing is paid."))
    if "zero" in award.reasons:
        found.append(gettext("Rounded to whole points that is 0."))
    before = int(told.get("before_caps", 0))
    found += [_clipped(cap, before, award.points) for cap in told.get("caps", ()) if cap.get("clipped")]
    if "late" in award.reasons:
        found.append(gettext("It came after its day had closed, so only what was left of that day could be paid."))
    if "next" in told:
        found.append(
            gettext("There is room again from %(day)s.") % {"day": numbers.day(date.fromisoformat(told["next"]))}
        )
    return found


def facts(award: Award) -> list[tuple[str, str]]:
    """Label and value, for the table below the sentences."""
    found = [(gettext("Happened"), numbers.moment(award.happened_at))]
    for cap in award.explanation.get("caps", ()):
        limit = cap["cap"]
        most = limit.get("times", limit.get("points"))
        unit = gettext("paid times") if "times" in limit else gettext("points")
        found.append(
            (
                gettext("Cap of the day"),
                gettext("%(used)s of %(most)s %(unit)s used before")
                % {"used": numbers.full(cap["used"]), "most": numbers.full(most), "unit": unit},
            )
        )
    return found


def _factor(factor: Mapping[str, Any], labels: Labels) -> str:
    match factor["what"]:
        case "fixed":
            points = int(factor["points"])
            return ngettext("The rule pays %(n)s point each time.", "The rule pays %(n)s points each time.", points) % {
                "n": numbers.full(points)
            }
        case "per":
            return gettext("%(fact)s is %(value)s; the rule pays %(points)s for every %(each)s.") % {
                "fact": labels.fact(factor["fact"]),
                "value": exact(factor["value"]),
                "points": exact(factor["points"]),
                "each": exact(factor["each"]),
            }
        case "whole_units":
            return gettext("Only whole units count: %(n)s.") % {"n": exact(factor["units"])}
        case "min":
            return gettext("At least %(n)s are paid.") % {"n": exact(factor["points"])}
        case "max":
            return gettext("At most %(n)s are paid.") % {"n": exact(factor["points"])}
        case other:
            return str(other)


def _clipped(cap: Mapping[str, Any], before: int, points: int) -> str:
    limit = cap["cap"]
    if "times" in limit:
        return gettext("The rule pays %(most)s times a day, and that was reached before.") % {
            "most": numbers.full(limit["times"])
        }
    return gettext("%(points)s of %(before)s granted: at most %(most)s points a day, %(used)s were used before.") % {
        "points": numbers.full(points),
        "before": numbers.full(before),
        "most": numbers.full(limit["points"]),
        "used": numbers.full(cap["used"]),
    }


_ASKED_OF_PERSON = {
    "department": gettext_lazy("your department"),
    "role": gettext_lazy("your role"),
    "tenure_days": gettext_lazy("days since you joined"),
}
SIGNS = {"eq": "=", "ne": "≠", "gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}


def condition(told: Mapping[str, Any], labels: Labels) -> str:
    """Which condition failed, and what was found instead."""
    asked = labels.fact(told["fact"]) if "fact" in told else _ASKED_OF_PERSON.get(told.get("person", ""), "")
    wanted = told.get("value", "")
    value = " / ".join(map(exact, wanted)) if isinstance(wanted, list) else exact(wanted)
    words = {
        "contains": gettext("contains"),
        "not_contains": gettext("does not contain"),
        "is_set": gettext("is given"),
        "is_not_set": gettext("is not given"),
    }
    sign = SIGNS.get(told["op"]) or words.get(told["op"], told["op"])
    rule = f"{asked} {sign} {value}".strip()
    if "actual" in told:
        return gettext("The rule asks for %(rule)s; it was %(actual)s.") % {
            "rule": rule,
            "actual": exact(told["actual"]),
        }
    return gettext("The rule asks for %(rule)s; the event does not say.") % {"rule": rule}


def exact(value: object) -> str:
    """A value of an explanation (a text, an integer, "2.5" or "10/3") as a reader writes it."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    text = str(value)
    try:
        number = float(text) if "." in text else int(text)
    except ValueError:
        return text
    return numbers.full(number, len(text.partition(".")[2]))
