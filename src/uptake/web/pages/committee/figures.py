"""What a sealed back-test shows on the page of a proposal: figures, groups, and the checks of fairness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.directory.scope import HIDE_BELOW
from uptake.web import numbers
from uptake.web.parts import Change, Kpi

MOST_LOSS = 0.08
"""A department that loses more than this part of its points is named."""
MOST_LOSERS = 0.05
"""More people than this part who lose more than a tenth are told."""
BORDERS = (
    "≤ −30%", "−30…−20", "−20…−10", "−10…−2", "±2", "+2…+10", "+10…+20", "≥ +20%",
)  # fmt: skip
MOST_EDGES = 5
"""So many limits that are used up exactly are told."""


@dataclass(frozen=True)
class Group:
    name: str
    people: int
    before: int
    after: int
    change: float | None
    lose_much: int

    @property
    def tone(self) -> str:
        return "gains" if self.after > self.before else "loses" if self.after < self.before else ""


@dataclass(frozen=True)
class Check:
    words: str
    told: str
    holds: bool


@dataclass(frozen=True)
class Bin:
    label: str
    people: int


@dataclass(frozen=True)
class Tested:
    """A back-test as the page shows it."""

    kpis: Sequence[Kpi]
    departments: Sequence[Group]
    hidden: int
    """Departments too small to be shown."""
    bins: Sequence[Bin]
    most: int
    checks: Sequence[Check]
    own: tuple[int, int] | None
    """(before, after) of the reader."""
    days: int
    people: int
    events: int
    span: tuple[str, str]
    passed: int
    edges: Sequence[tuple[str, float]] = ()
    """(title of a rule, share of its paid days that end exactly at its limit)."""
    quickest: Mapping[str, Any] | None = None
    """The ten minutes that paid most, without whose they were; None where so few people are told of that it shows."""


def tested(told: Mapping[str, Any], person: int | None) -> Tested | None:
    """None where there is no back-test, or one of a form we do not know."""
    if not told.get("cost") or not told.get("change"):
        return None
    groups = [_group(one) for one in told.get("departments", ())]
    shown = [one for one in groups if one.people >= HIDE_BELOW]
    checks = _checks(told, shown)
    own = next(((before, after) for who, before, after in told.get("each", ()) if who == person), None)
    bins = [Bin(label, people) for label, people in zip(BORDERS, told["change"].get("bins", ()), strict=False)]
    return Tested(
        kpis=_kpis(told),
        departments=shown,
        hidden=len(groups) - len(shown),
        bins=bins,
        most=max((one.people for one in bins), default=1) or 1,
        checks=checks,
        own=own,
        days=int(told.get("days", 0)),
        people=int(told.get("people", 0)),
        events=int(told.get("events", 0)),
        span=(_day(told.get("from", "")), _day(told.get("until", ""))),
        passed=sum(check.holds for check in checks),
        edges=_edges(told),
        quickest=_quickest(told),
    )


def _edges(told: Mapping[str, Any]) -> list[tuple[str, float]]:
    titles = {one.get("rule"): str(one.get("title") or one.get("rule")) for one in told.get("rules", ())}
    edges = told.get("gaming", {}).get("edges", ())[:MOST_EDGES]
    return [(titles.get(one["rule"], str(one["rule"])), one["edge_days"] / one["days"]) for one in edges]


def _quickest(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    fastest = told.get("gaming", {}).get("fastest", ())
    if not fastest or int(told.get("people", 0)) < HIDE_BELOW:
        return None
    titles = {one.get("rule"): str(one.get("title") or one.get("rule")) for one in told.get("rules", ())}
    first = fastest[0]
    return {
        "rate": float(first["a_minute"]),
        "events": int(first["events"]),
        "rule": titles.get(first["rule"], first["rule"]),
    }


def _day(told: str) -> str:
    """A date of the report as the reader writes it."""
    return numbers.day(date.fromisoformat(told)) if told else "–"


def _group(one: Mapping[str, Any]) -> Group:
    before, after = int(one["before"]), int(one["after"])
    name = str(one["name"]) or _("No department")
    return Group(name, int(one["people"]), before, after, (after - before) / before if before else None,
                 int(one.get("lose_much", 0)))  # fmt: skip


def _kpis(told: Mapping[str, Any]) -> list[Kpi]:
    cost, change = told["cost"], told["change"]
    before, after = int(cost["before_a_month"]), int(cost["after_a_month"])
    share = (after - before) / before if before else None
    found = [
        Kpi(
            gettext_lazy("Points per month"),
            numbers.full(after),
            change=Change(
                f"{numbers.signed(share * 100, 1)}%" if share is not None else numbers.signed(after - before),
                _("was %(n)s") % {"n": numbers.full(before)},
                up=None if after == before else after > before,
            ),
        )
    ]
    for key, label in (("gini", gettext_lazy("Gini")), ("theil", gettext_lazy("Theil"))):
        pair = told.get(key) or {}
        if pair.get("after") is None:
            continue
        moved = pair["after"] - pair["before"] if pair.get("before") is not None else 0.0
        even = _("more even") if moved < 0 else _("less even") if moved > 0 else _("unchanged")
        up = None if not moved else moved > 0
        found.append(
            Kpi(label, numbers.full(pair["after"], 3),
                change=Change(numbers.signed(moved, 3), even, up=up, good=None if up is None else not up),
                hint=gettext_lazy("0: everyone gets the same. The higher, the more goes to few."))
        )  # fmt: skip
    found.append(
        Kpi(
            gettext_lazy("People who gain"),
            numbers.full(change["more"]),
            note=_("%(lose)s lose, %(same)s same")
            % {"lose": numbers.full(change["fewer"]), "same": numbers.full(change["same"])},
        )
    )
    caps = (told.get("caps") or {}).get("after") or {}
    if caps.get("of"):
        found.append(
            Kpi(gettext_lazy("Reach a limit"), numbers.share(caps["people"] / caps["of"], 0),
                note=_("%(n)s of %(of)s people") % {"n": numbers.full(caps["people"]), "of": numbers.full(caps["of"])})
        )  # fmt: skip
    return found


def _checks(told: Mapping[str, Any], groups: Sequence[Group]) -> list[Check]:
    found = []
    gini = told.get("gini") or {}
    if gini.get("before") is not None and gini.get("after") is not None:
        found.append(
            Check(
                _("The Gini index does not rise"),
                f"{numbers.full(gini['before'], 3)} → {numbers.full(gini['after'], 3)}",
                gini["after"] <= gini["before"],
            )
        )
    worst = min((one for one in groups if one.change is not None), key=lambda one: one.change or 0.0, default=None)
    if worst is not None and worst.change is not None:
        found.append(
            Check(
                _("No department loses more than %(share)s") % {"share": numbers.share(MOST_LOSS, 0)},
                f"{worst.name} {numbers.signed(worst.change * 100, 1)}%",
                worst.change >= -MOST_LOSS,
            )
        )
    people = int(told["change"]["more"]) + int(told["change"]["fewer"]) + int(told["change"]["same"])
    much = int(told["change"].get("lose_much", 0))
    if people:
        found.append(
            Check(
                _("At most %(share)s of people lose more than 10%%") % {"share": numbers.share(MOST_LOSERS, 0)},
                _("%(n)s of %(of)s") % {"n": numbers.full(much), "of": numbers.full(people)}
                + f" · {numbers.share(much / people)}",
                much <= people * MOST_LOSERS,
            )
        )
    cost = told["cost"]
    before, after = int(cost["before_a_month"]), int(cost["after_a_month"])
    if before:
        found.append(
            Check(
                _("The cost rises by at most 10%%") % {},
                f"{numbers.full(before)} → {numbers.full(after)}",
                after <= before * 1.1,
            )
        )
    return found


def passed_words(test: Tested) -> str:
    """3 of 4 hold."""
    return ngettext("%(n)s of %(of)s holds", "%(n)s of %(of)s hold", test.passed) % {
        "n": test.passed,
        "of": len(test.checks),
    }
