"""The steps of a funnel with what is lost between them: as bars, as a table, and by the values of a breakdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.activity.asking import OTHER
from uptake.directory.scope import HIDE_BELOW, Deed
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.beside import beside
from uptake.web.pages.explore.kinds.funnel_asked import NAME, chosen_steps, labels_for
from uptake.web.pages.explore.kinds.kind import Column, Entry, behind
from uptake.web.pages.explore.kinds.trends import value_name
from uptake.web.pages.explore.kinds.words import few
from uptake.web.viewing import viewer_for

FEW_FOR_PERCENT = 20
"""Of fewer than this many no percent is written."""


@dataclass(frozen=True)
class Stage:
    """A bar of the picture, and what is lost before it."""

    number: int
    label: str
    count: str
    width: float
    """Percent of the widest bar."""
    share: str
    href: str = ""
    tag: str = ""
    mark: float | None = None
    """Percent of the first step in the period before, or in the park's median."""
    lost: str = ""
    lost_href: str = ""
    worst: bool = False
    took: str = ""

    @property
    def outside(self) -> bool:
        """Whether the number stands beside the bar, which is too short for it."""
        return self.width < 14


class Stages:
    """One answer, step by step."""

    def __init__(self, bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        self.bar, self.asked, self.answer = bar, asked, answer
        self.viewer = viewer_for(bar.request)
        self.steps = chosen_steps(bar)
        self.unordered = asked["order"] == "unordered"
        self.labels = self._labels()
        self.people = asked["count_by"] == "person"
        self.open = self.viewer.may(Deed.SEE_PEOPLE, bar.place)
        self.counts: list[int | None] = answer["counts"]
        self.worst = self._worst()
        self.park = beside(bar, asked)
        self.middle = self.park.row("shares", self.counts) if self.park else []

    def _labels(self) -> list[str]:
        if not self.unordered:
            return labels_for(self.steps)
        return [
            ngettext("%(n)s of the steps", "%(n)s of the steps", number) % {"n": number}
            for number in range(1, len(self.steps) + 1)
        ]

    def verdict(self) -> str:
        if self.worst is None:
            return ""
        before = self.before(self.worst)
        base, lost = self.counts[before], self.lost(self.worst)
        assert base is not None
        assert lost is not None
        names = {"from": self.labels[before], "to": self.labels[self.worst]}
        if self.unordered:
            return _("The largest loss: %(lost)s of %(base)s get no further than %(from)s.") % (
                names | {"lost": numbers.full(lost), "base": numbers.full(base)}
            )
        if base < FEW_FOR_PERCENT or 200 * lost < base:
            return _("The largest loss: %(lost)s of %(base)s stop after “%(from)s”, before “%(to)s”.") % (
                names | {"lost": numbers.full(lost), "base": numbers.full(base)}
            )
        text = _("The largest loss: of 100 at “%(from)s”, about %(n)s stop before “%(to)s” (%(lost)s of %(base)s).")
        return text % (names | {"n": round(100 * lost / base), "lost": numbers.full(lost), "base": numbers.full(base)})

    def before(self, step: int) -> int:
        """The step that is needed before this one."""
        if self.unordered:
            return step - 1
        return max((k for k in range(step) if self.steps[k].way != "optional"), default=0)

    def needed(self, step: int) -> bool:
        return self.unordered or self.steps[step].way != "optional"

    def lost(self, step: int) -> int | None:
        """How many stopped before a step; None: hidden."""
        base, count = self.counts[self.before(step)], self.counts[step]
        if base is None or count is None:
            return None
        lost = base - count
        return None if self.people and not self.open and 0 < lost < HIDE_BELOW else lost

    def few_lost(self) -> bool:
        return any(self.needed(step) and self.lost(step) is None for step in range(1, len(self.steps)))

    def _worst(self) -> int | None:
        """The needed step with the largest share lost before it, of at least 20 if there is such; None: no loss."""
        found: list[tuple[bool, float, int]] = []
        for step in range(1, len(self.steps)):
            base, lost = self.counts[self.before(step)], self.lost(step)
            if self.needed(step) and base and lost:
                found.append((base >= FEW_FOR_PERCENT, lost / base, -step))
        return -max(found)[2] if found else None

    def _href(self, **number: Any) -> str:
        return behind(self.bar, NAME, **number) if self.people else ""

    def bars(self) -> list[Stage]:
        first = self.counts[0]
        before = self.answer.get("compare")
        found = []
        for step, count in enumerate(self.counts):
            width = 0.0 if count is None or not first else 100 * count / first
            stage: dict[str, Any] = {
                "number": step + 1,
                "label": self.labels[step],
                "count": few(count),
                "width": round(width, 1),
                "share": share_of(count, first),
                "href": self._href(step=step) if count else "",
                "tag": "" if self.needed(step) else _("may be skipped"),
            }
            if not self.unordered and self.steps[step].way == "first":
                stage["tag"] = _("first time")
            if step and before and before["counts"][0] and before["counts"][step] is not None:
                stage["mark"] = round(100 * before["counts"][step] / before["counts"][0], 1)
            if step and self.middle and (middle := self.middle[step]) is not None:
                stage["mark"] = round(100 * middle, 1)
            if step:
                stage |= self._loss(step)
            found.append(Stage(**stage))
        return found

    def _loss(self, step: int) -> dict[str, Any]:
        base, lost = self.counts[self.before(step)], self.lost(step)
        median = self.answer["median_seconds"][step]
        took = {"took": _("%(span)s median") % {"span": numbers.span(median)} if median is not None else ""}
        if not self.needed(step):
            return took
        if lost is None:
            return took | {"lost": _("< 5 stop here") if base is not None and self.counts[step] is not None else ""}
        if not lost:
            return took | {"lost": _("nobody stops here") if self.people else _("none stops here")}
        text = ngettext("%(n)s stops here", "%(n)s stop here", lost) % {"n": numbers.full(lost)}
        if base is not None and base >= FEW_FOR_PERCENT:
            text = _("%(lost)s · %(share)s") % {"lost": text, "share": numbers.share(lost / base)}
        if step == self.worst:
            text = _("%(lost)s · largest loss") % {"lost": text}
        found = {"lost": text, "lost_href": self._href(step=step, dropped=True)}
        return took | found | {"worst": step == self.worst}

    def table(self) -> tuple[list[Column], list[list[Entry]]]:
        columns = [
            Column(_("Step"), numeric=False),
            Column({"person": _("People"), "company": _("Companies"), "object": _("Objects")}[self.asked["count_by"]]),
            Column(_("Of the first step")),
            Column(_("Of the step before")),
            Column(_("Stop before it")),
            Column(_("Median time")),
            Column(_("Mean time")),
        ]
        before = self.answer.get("compare")
        if before:
            columns.append(Column(_("Period before")))
        if self.park:
            columns.append(Column(_("Of the first step, median of the park")))
        rows = self._rows(self.answer, before, "")
        groups = self.answer.get("by_value")
        if groups is None:
            return columns, rows
        name = self._by_name()
        found = [[Entry(_("All")), *row] for row in rows]
        for value, one in groups.items():
            then = (before or {}).get("by_value", {}).get(value) if before else None
            found += [[Entry(value_name(self.bar, value)), *row] for row in self._rows(one, then, value, bool(before))]
        return [Column(name, numeric=False), *columns], found

    def _rows(
        self, one: Mapping[str, Any], before: Mapping[str, Any] | None, value: str, wide: bool | None = None
    ) -> list[list[Entry]]:
        counts, first = one["counts"], one["counts"][0]
        more = {"value": value} if self.bar.by and one is not self.answer else {}
        rows = []
        for step, count in enumerate(counts):
            base = counts[self.before(step)] if step else None
            needed = step > 0 and self.needed(step)
            lost = base - count if needed and base is not None and count is not None else None
            small = lost is not None and self.people and not self.open and 0 < lost < HIDE_BELOW
            row = [
                Entry(_("%(number)s. %(step)s") % {"number": step + 1, "step": self.labels[step]}, word=True),
                Entry(few(count), count, self._href(step=step, **more) if count else ""),
                Entry(share_of(count, first), count / first if count is not None and first else None),
                Entry(share_of(count, base) if step else "–", count / base if count is not None and base else None),
                Entry(
                    "–" if not needed else few(None if small else lost),
                    None if small else lost,
                    self._href(step=step, dropped=True, **more) if lost and not small else "",
                ),
                _span(one["median_seconds"][step]),
                _span(one["avg_seconds"][step]),
            ]
            if before is not None or wide:
                row.append(_then(before, step))
            if self.park:
                row.append(Entry(numbers.share(self.middle[step]), self.middle[step]))
            rows.append(row)
        return rows

    def _by_name(self) -> str:
        usual = {
            "organization": _("Company"), "company": _("Company"), "department": _("Department"),
            "source": _("Source"), "event": _("Event"),
        }  # fmt: skip
        return usual.get(self.bar.by) or dict(self.bar.properties).get(self.bar.by, self.bar.by)

    # ---- beside the bars --------------------------------------------------------------------------------------------
    def values(self) -> list[dict[str, Any]]:
        """The values of the breakdown: who entered, and what share got to each step, beside the whole."""
        groups = self.answer.get("by_value")
        if groups is None:
            return []
        whole = _rate(self.counts[-1], self.counts[0])
        found = []
        for value, one in groups.items():
            counts, first = one["counts"], one["counts"][0]
            rate = _rate(counts[-1], first)
            gap = rate - whole if rate is not None and whole is not None and (first or 0) >= FEW_FOR_PERCENT else None
            cells = [
                Entry(
                    share_of(count, first) if step else few(count),
                    count,
                    self._href(step=step, value=value) if count else "",
                )
                for step, count in enumerate(counts)
            ]
            name = _("Other") if value == OTHER else value_name(self.bar, value)
            found.append(
                {
                    "name": name,
                    "cells": cells,
                    "gap": numbers.points_apart(gap) if gap is not None and abs(gap) >= 0.0005 else "",
                    "up": gap is not None and gap > 0,
                    "rate": rate or 0,
                }
            )
        return found


def _rate(count: int | None, base: int | None) -> float | None:
    return count / base if count is not None and base else None


def _then(before: Mapping[str, Any] | None, step: int) -> Entry:
    """How many it was in the period before."""
    if before is None:
        return Entry("–")
    count, first = before["counts"][step], before["counts"][0]
    text = few(count)
    if step and count is not None and first and first >= FEW_FOR_PERCENT:
        text = _("%(n)s · %(share)s") % {"n": text, "share": numbers.share(count / first)}
    return Entry(text, count)


def _span(seconds: float | None) -> Entry:
    return Entry("–" if seconds is None else numbers.span(seconds), None if seconds is None else round(seconds))


def share_of(count: int | None, base: int | None) -> str:
    """A share; of fewer than 20 the numbers themselves."""
    if count is None or base is None:
        return "–"
    if base < FEW_FOR_PERCENT:
        return _("%(n)s of %(base)s") % {"n": numbers.full(count), "base": numbers.full(base)}
    return numbers.share(count / base)
