"""The steps and exclusions of a funnel as they stand in an address, and the links that move them about.

`step` and `as` come in pairs: names joined by "|", and whether the step is needed, may be skipped, or is of each
person's first time. `without` and `between` come in pairs: names, and "1-3" for between step 1 and step 3 ("": the
whole way). A form adds `or` to each step: one more name for it. No script is needed for any of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from uptake.web.pages.explore.bar import Bar

MOST_STEPS = 8
MOST_NAMES_A_STEP = 20
MOST_EXCLUSIONS = 5
WAYS = ("", "optional", "first")


@dataclass(frozen=True)
class Step:
    """One step: any of these events; needed, optional, or only the first time each person did it."""

    names: tuple[str, ...]
    way: str = ""

    @property
    def text(self) -> str:
        return "|".join(self.names)

    def asked(self) -> dict[str, Any]:
        """As a question says it."""
        found: dict[str, Any] = {"event": list(self.names)}
        if self.way == "optional":
            found["optional"] = True
        if self.way == "first":
            found["scope"] = "first_ever"
        return found


@dataclass(frozen=True)
class Exclusion:
    """Events that must not happen between two steps, counted from 0; None: the first and the last."""

    names: tuple[str, ...]
    after: int | None = None
    before: int | None = None

    @property
    def text(self) -> str:
        return "|".join(self.names)

    @property
    def between(self) -> str:
        return "" if self.after is None or self.before is None else f"{self.after + 1}-{self.before + 1}"


@dataclass(frozen=True)
class Row:
    """A step in the form: its number from 1 and where its buttons lead (empty: nowhere)."""

    number: int
    step: Step
    label: str
    up: str = ""
    down: str = ""
    away: str = ""


def steps_of(query: QueryDict) -> list[Step]:
    """The steps of an address; those without a name are left out, and the first cannot be skipped."""
    ways = query.getlist("as")
    also = query.getlist("or")
    found: list[Step] = []
    for number, text in enumerate(query.getlist("step")):
        more = also[number] if number < len(also) else ""
        names = _names(text + "|" + more)
        way = ways[number] if number < len(ways) else ""
        if names:
            found.append(Step(names, "" if way not in WAYS or (way == "optional" and not found) else way))
    return found[:MOST_STEPS]


def exclusions_of(query: QueryDict, steps: int) -> list[Exclusion]:
    """The exclusions of an address; bounds that are no two steps one after the other stand for the whole way."""
    bounds = query.getlist("between")
    found = []
    for number, text in enumerate(query.getlist("without")):
        after, _dash, before = (bounds[number] if number < len(bounds) else "").partition("-")
        names = _names(text)
        if not names:
            continue
        known = after.isdecimal() and before.isdecimal() and 0 < int(after) < int(before) <= steps
        found.append(Exclusion(names, int(after) - 1, int(before) - 1) if known else Exclusion(names))
    return found[:MOST_EXCLUSIONS]


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip()[:255] for name in text.split("|") if name.strip()))[:MOST_NAMES_A_STEP]


def put_in_order(request: HttpRequest) -> str | None:
    """The address without what a form leaves blank and with one more name where one was chosen; None: it is so."""
    query = request.GET.copy()
    steps = steps_of(query)
    exclusions = exclusions_of(query, len(steps))
    for name in ("step", "as", "or", "without", "between"):
        query.pop(name, None)
    for step in steps:
        query.appendlist("step", step.text)
        query.appendlist("as", step.way)
    for one in exclusions:
        query.appendlist("without", one.text)
        query.appendlist("between", one.between)
    kept = ("step", "as", "without", "between", "or")
    before, after = ([(name, request_.getlist(name)) for name in kept] for request_ in (request.GET, query))
    return None if before == after else "?" + query.urlencode()


def address_of(bar: Bar, steps: Sequence[Step]) -> str:
    """This page's address with these steps."""
    return bar.address(step=[one.text for one in steps], **{"as": [one.way for one in steps]})


def without_exclusion(bar: Bar, exclusions: Sequence[Exclusion], number: int) -> str:
    """This page's address without one of the exclusions."""
    kept = [one for other, one in enumerate(exclusions) if other != number]
    return bar.address(without=[one.text for one in kept], between=[one.between for one in kept])


def rows_of(bar: Bar, steps: Sequence[Step], labels: Sequence[str]) -> list[Row]:
    """The steps in the form, each with where its buttons lead."""

    def moved(number: int, to: int) -> str:
        if not 0 <= to < len(steps):
            return ""
        order = list(steps)
        order.insert(to, order.pop(number))
        return address_of(bar, order)

    return [
        Row(
            number=number + 1,
            step=step,
            label=labels[number],
            up=moved(number, number - 1),
            down=moved(number, number + 1),
            away=address_of(bar, [one for other, one in enumerate(steps) if other != number]) if len(steps) > 1 else "",
        )
        for number, step in enumerate(steps)
    ]
