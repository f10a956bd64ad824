"""Funnel: how many get from one step to the next, where they stop, how long they take, and whether that changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.activity import ask
from uptake.activity.asking import OTHER
from uptake.activity.question import QuestionRefused
from uptake.directory.scope import HIDE_BELOW, Deed, Viewer
from uptake.events.models import EventType
from uptake.insight.metrics.told import people_behind, told
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds import steps as written
from uptake.web.pages.explore.kinds.kind import Column, Entry, Kind, Shown, behind
from uptake.web.pages.explore.kinds.steps import Exclusion, Step
from uptake.web.pages.explore.kinds.trends import bar_names, value_name
from uptake.web.pages.explore.kinds.words import few
from uptake.web.parts import Chart, Series
from uptake.web.usage import labels_of
from uptake.web.viewing import viewer_for

NAME = "funnel"
ORDERS: Mapping[str, Promise] = {
    "ordered": gettext_lazy("in this order"),
    "strict": gettext_lazy("with nothing in between"),
    "unordered": gettext_lazy("in any order"),
}
UNITS: Mapping[str, int] = {"hours": 3600, "days": 86_400}
MOST_UNITS = 1000
COUNTS: Mapping[str, Promise] = {
    "person": gettext_lazy("people"),
    "company": gettext_lazy("companies"),
    "object": gettext_lazy("objects, such as orders"),
}
TOUCHES: Mapping[str, Promise] = {
    "first_touch": gettext_lazy("of the first event"),
    "last_touch": gettext_lazy("of the last event"),
    "all_events": gettext_lazy("that all steps share"),
}
VALUES_SHOWN = 8
FEW_FOR_PERCENT = 20
"""Of fewer than this many no percent is written."""
MOST_FOLLOWED = 5_000
"""Up to this many who stopped, what they did instead is looked up."""
TIME, OVER_TIME = "time", "over_time"


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
    before: float | None = None
    """Percent of the first step in the period before."""
    lost: str = ""
    lost_href: str = ""
    worst: bool = False
    took: str = ""

    @property
    def outside(self) -> bool:
        """Whether the number stands beside the bar, which is too short for it."""
        return self.width < 14


@dataclass(frozen=True)
class Hop:
    """From one step to another, as a choice."""

    value: str
    label: str


def chosen_steps(bar: Bar) -> list[Step]:
    """The steps of the address. Where it names none: the most frequent event, and then those of the category in which
    most different things are done; without categories the three most frequent. Page views come last."""
    found = written.steps_of(bar.request.GET)
    if found or "step" in bar.request.GET:
        return found
    deeds = [name for name, _label in bar.names if not name.startswith("$")]
    rest = deeds[1:]
    known = dict(EventType.objects.filter(name__in=rest).exclude(category="").values_list("name", "category"))
    kinds = Counter(known[name] for name in rest if name in known)
    if kinds and kinds.most_common(1)[0][1] > 1:
        rest = [name for name in rest if known.get(name) == kinds.most_common(1)[0][0]]
    return [Step((name,)) for name in (*deeds[:1], *rest[:2])] or [Step((name,)) for name, _label in bar.names[:1]]


def _chosen(bar: Bar, name: str, known: Mapping[str, Any], usual: str) -> str:
    value = bar.request.GET.get(name, "")
    return value if value in known else usual


def window_of(bar: Bar) -> tuple[int, str]:
    """(number, unit) of the window; 14 days where the address says nothing sensible."""
    text = bar.request.GET.get("window", "")
    if text.isdecimal() and 1 <= int(text) <= MOST_UNITS:
        return int(text), _chosen(bar, "unit", UNITS, "days")
    return 14, "days"


def question(bar: Bar) -> dict[str, Any] | None:
    """The funnel of the address; None: no event ever happened here, or all steps were taken away."""
    steps = chosen_steps(bar)
    if not steps:
        return None
    order = _chosen(bar, "order", ORDERS, "ordered")
    number, unit = window_of(bar)
    own: dict[str, Any] = {
        "interval": None,
        "steps": [one.asked() for one in steps],
        "order": order,
        "window_seconds": number * UNITS[unit],
        "count_by": _chosen(bar, "count", COUNTS, "person"),
    }
    if order == "unordered":
        for step in own["steps"]:
            step.pop("optional", None)
    exclusions = written.exclusions_of(bar.request.GET, len(steps)) if len(steps) > 1 else []
    if exclusions:
        own["exclusions"] = [_excluded(one, order) for one in exclusions]
    if bar.by:
        touch = _chosen(bar, "touch", TOUCHES, "first_touch")
        own |= {"by": None, "breakdown": {"by": bar.by, "attribution": touch, "limit": VALUES_SHOWN}}
    return bar.question("funnel", **own)


def _excluded(one: Exclusion, order: str) -> dict[str, Any]:
    found: dict[str, Any] = {"event": list(one.names)}
    if one.after is not None and one.before is not None and order != "unordered":
        found |= {"after_step": one.after, "before_step": one.before}
    return found


def hop_of(bar: Bar, steps: int) -> tuple[int, int]:
    """The two steps (from 0) between which time and conversion are looked at; the whole way where none are named."""
    first, _dash, last = bar.request.GET.get("hop", "").partition("-")
    if first.isdecimal() and last.isdecimal() and 0 < int(first) < int(last) <= steps:
        return int(first) - 1, int(last) - 1
    return 0, steps - 1


def between(bar: Bar, asked: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The question about two steps of a funnel: how long people take, or how many get there over time."""
    first, last = hop_of(bar, len(asked["steps"]))
    kept = {key: value for key, value in asked.items() if key not in ("breakdown", "compare")}
    own: dict[str, Any] = {"from_step": first, "to_step": last}
    if of == TIME:
        return kept | own | {"analysis": "time_to_convert"}
    return kept | own | {"analysis": "funnel_trends", "interval": bar.every}


def opened(bar: Bar) -> dict[str, Any] | None:
    """The question whose number is opened."""
    asked, of = question(bar), bar.request.GET.get("of", "")
    if asked is None or of not in (TIME, OVER_TIME):
        return asked
    return between(bar, asked, of)


def labels_for(steps: Sequence[Step | Exclusion]) -> list[str]:
    """What the steps are called: their events in the reader's language, of more than two the first and how many."""
    known = labels_of(sorted({name for step in steps for name in step.names}))
    found = []
    for step in steps:
        names = [known[name] for name in step.names]
        if len(names) <= 2:
            found.append(_(" or ").join(names))
        else:
            more = ngettext("%(first)s or %(n)s other", "%(first)s or %(n)s others", len(names) - 1)
            found.append(more % {"first": names[0], "n": len(names) - 1})
    return found


def answered(bar: Bar, viewer: Viewer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer; people are not listed by step, since a page shows how many they are and looks up who on asking."""
    return told(bar.log, viewer, asked, asking=partial(ask, named=asked["count_by"] != "person"))


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """The bars with what is lost between them, time, conversion over time, and the values of a breakdown."""
    return _Page(bar, asked, answer).shown()


class _Page:
    """One answer on its way to a page."""

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

    def shown(self) -> Shown:
        """All of it."""
        several = len(self.steps) > 1
        context: dict[str, Any] = {
            "stages": self._stages(),
            "values": self._values(),
            "value_heads": self.labels,
            "people": self.people,
            "stopped": self._stopped_things(),
        }
        notes = []
        if several:
            context |= self._time() | self._over_time()
        if any(one["unfinished"] for one in context.get("buckets", ())):
            notes.append(_("Dashed: attempts begun in these periods may still get there."))
        hidden = None in self.counts or self._few_lost()
        if hidden:
            notes.append(_("Groups of 1 to 4 people are not told to those who see totals."))
        if self.bar.by and self.asked["breakdown"]["attribution"] == "all_events":
            notes.append(_("Whoever did the steps under several values is counted under each."))
        columns, rows = self._table()
        return Shown(
            words=self._words(),
            context=context | {"verdict": self._verdict(), "next": self._next(), "subtitle": self._subtitle()},
            columns=columns,
            rows=rows,
            notes=notes,
            empty=self.counts[0] == 0,
        )

    # ---- words ------------------------------------------------------------------------------------------------------

    def _labels(self) -> list[str]:
        if not self.unordered:
            return labels_for(self.steps)
        return [
            ngettext("%(n)s of the steps", "%(n)s of the steps", number) % {"n": number}
            for number in range(1, len(self.steps) + 1)
        ]

    def _words(self) -> str:
        names = labels_for(self.steps)
        told_ = [
            _("%(step)s (first time)") % {"step": name} if step.way == "first"
            else _("%(step)s (may be skipped)") % {"step": name} if step.way == "optional" and not self.unordered
            else name
            for step, name in zip(self.steps, names, strict=True)
        ]  # fmt: skip
        number, unit = window_of(self.bar)
        text = {
            "person": _("How many people did %(steps)s, %(order)s, within %(window)s at %(place)s?"),
            "company": _("How many companies did %(steps)s, %(order)s, within %(window)s at %(place)s?"),
            "object": _("How many objects went through %(steps)s, %(order)s, within %(window)s at %(place)s?"),
        }[self.asked["count_by"]] % {
            "steps": (", " if self.unordered else " → ").join(told_),
            "order": ORDERS[self.asked["order"]],
            "window": _hours(number) if unit == "hours" else _days(number),
            "place": self.bar.place.name,
        }
        exclusions = written.exclusions_of(self.bar.request.GET, len(self.steps))
        if exclusions and "exclusions" in self.asked:
            names = labels_for(exclusions)
            text += " " + _("Without %(events)s in between.") % {"events": _(" or ").join(names)}
        return text

    def _subtitle(self) -> str:
        number, unit = window_of(self.bar)
        return _("%(first)s – %(last)s; %(window)s from the first step to the last") % {
            "first": numbers.day(self.bar.chosen.period.first, year=False),
            "last": numbers.day(self.bar.chosen.period.shown_last),
            "window": _hours(number) if unit == "hours" else _days(number),
        }

    def _verdict(self) -> str:
        if self.worst is None:
            return ""
        before = self._before(self.worst)
        base, lost = self.counts[before], self._lost(self.worst)
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

    # ---- numbers ----------------------------------------------------------------------------------------------------

    def _before(self, step: int) -> int:
        """The step that is needed before this one."""
        if self.unordered:
            return step - 1
        return max((k for k in range(step) if self.steps[k].way != "optional"), default=0)

    def _needed(self, step: int) -> bool:
        return self.unordered or self.steps[step].way != "optional"

    def _lost(self, step: int) -> int | None:
        """How many stopped before a step; None: hidden."""
        base, count = self.counts[self._before(step)], self.counts[step]
        if base is None or count is None:
            return None
        lost = base - count
        return None if self.people and not self.open and 0 < lost < HIDE_BELOW else lost

    def _few_lost(self) -> bool:
        return any(self._needed(step) and self._lost(step) is None for step in range(1, len(self.steps)))

    def _worst(self) -> int | None:
        """The needed step with the largest share lost before it, of at least 20 if there is such; None: no loss."""
        found: list[tuple[bool, float, int]] = []
        for step in range(1, len(self.steps)):
            base, lost = self.counts[self._before(step)], self._lost(step)
            if self._needed(step) and base and lost:
                found.append((base >= FEW_FOR_PERCENT, lost / base, -step))
        return -max(found)[2] if found else None

    def _href(self, **number: Any) -> str:
        return behind(self.bar, NAME, **number) if self.people else ""

    def _stages(self) -> list[Stage]:
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
                "tag": "" if self._needed(step) else _("may be skipped"),
            }
            if not self.unordered and self.steps[step].way == "first":
                stage["tag"] = _("first time")
            if step and before and before["counts"][0] and before["counts"][step] is not None:
                stage["before"] = round(100 * before["counts"][step] / before["counts"][0], 1)
            if step:
                stage |= self._loss(step)
            found.append(Stage(**stage))
        return found

    def _loss(self, step: int) -> dict[str, Any]:
        base, lost = self.counts[self._before(step)], self._lost(step)
        median = self.answer["median_seconds"][step]
        took = {"took": _("%(span)s median") % {"span": numbers.span(median)} if median is not None else ""}
        if not self._needed(step):
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

    def _table(self) -> tuple[list[Column], list[list[Entry]]]:
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
            base = counts[self._before(step)] if step else None
            needed = step > 0 and self._needed(step)
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
            rows.append(row)
        return rows

    def _by_name(self) -> str:
        usual = {
            "organization": _("Company"), "company": _("Company"), "department": _("Department"),
            "source": _("Source"), "event": _("Event"),
        }  # fmt: skip
        return usual.get(self.bar.by) or dict(self.bar.properties).get(self.bar.by, self.bar.by)

    # ---- beside the bars --------------------------------------------------------------------------------------------

    def _values(self) -> list[dict[str, Any]]:
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

    def _time(self) -> dict[str, Any]:
        answer = self._told(between(self.bar, self.asked, TIME))
        if answer is None or not answer["bins"]:
            return {}
        bins = answer["bins"]
        starts = [start for start, _count in bins]
        width = starts[1] - starts[0] if len(starts) > 1 else 60
        mean = answer["average_seconds"]
        links = [
            behind(self.bar, NAME, of=TIME, from_seconds=start, to_seconds=start + width) if count else ""
            for start, count in bins
        ]
        chart = Chart(
            id="time", label=_("Time from the first of two steps to the second"), axis=_("From"),
            labels=[numbers.span(start) for start in starts], height="middle",
            series=[Series(str(COUNTS[self.asked["count_by"]]).capitalize(), [count for _start, count in bins])],
            links=links if self.people and self.open else (),
        )  # fmt: skip
        return {"time": chart, "mean": numbers.span(mean) if mean is not None else ""}

    def _over_time(self) -> dict[str, Any]:
        answer = self._told(between(self.bar, self.asked, OVER_TIME))
        if answer is None or not answer["buckets"]:
            return {}
        buckets = answer["buckets"]
        labels = [numbers.day(date.fromisoformat(one["start"][:10]), year=False) for one in buckets]
        unfinished = [number for number, one in enumerate(buckets) if one["unfinished"]]
        rates = [
            one["converted"] / one["entered"]
            if one["entered"] is not None and one["converted"] is not None and one["entered"] >= FEW_FOR_PERCENT
            else None
            for one in buckets
        ]
        links = [behind(self.bar, NAME, of=OVER_TIME, start=one["start"]) if one["entered"] else "" for one in buckets]
        links = links if self.people and self.open else []
        rate = Chart(
            id="rates", label=_("Share that gets there, by when it began"), axis=_("From"), labels=labels,
            series=[Series(_("Share that gets there"), rates, open=unfinished)], format="share", links=links,
        )  # fmt: skip
        both = Chart(
            id="begun", label=_("Begun and got there"), axis=_("From"), labels=labels, height="low", links=links,
            series=[
                Series(_("Begun"), [one["entered"] for one in buckets], tone="c6", open=unfinished),
                Series(_("Got there"), [one["converted"] for one in buckets], open=unfinished),
            ],
        )  # fmt: skip
        some = any(one is not None for one in rates)
        return {"rates": rate if some else None, "begun": both, "buckets": buckets, "unfinished": len(unfinished)}

    def _told(self, question_: Mapping[str, Any]) -> dict[str, Any] | None:
        try:
            return told(self.bar.log, self.viewer, question_)
        except QuestionRefused:
            return None

    def _next(self) -> str:
        """What those who stop at the largest loss did right after the step before, and last of all, in words."""
        if self.worst is None or not self.people or not self.open or self.unordered:
            return ""
        lost = self._lost(self.worst)
        if not lost or lost > MOST_FOLLOWED:
            return ""
        who = people_behind(self.bar.log, self.viewer, self.asked, {"step": self.worst, "dropped": True})
        answer = self._told(
            self.bar.question(
                "transitions", by=None, compare=None, count="people", only_persons=who, interval=None, edge_limit=2000
            )
        )
        if answer is None:
            return ""
        names = set(self.steps[self._before(self.worst)].names)
        last: Counter[str] = Counter()
        after: Counter[str] = Counter()
        for start, then, count in answer["edges"]:
            if then == "path_end":
                last[start] += count
            elif start in names and then not in names:
                after[then] += count
        if not last:
            return ""
        known = labels_of([name for one in (last, after) for name, _count in one.most_common(1)])
        name, count = last.most_common(1)[0]
        text = _("Of the %(lost)s who stop here, %(n)s did “%(event)s” last in the period.") % {
            "lost": numbers.full(lost), "n": numbers.full(count), "event": known[name],
        }  # fmt: skip
        if after:
            name, count = after.most_common(1)[0]
            text += " " + _("Right after “%(step)s” most go to “%(event)s” (%(n)s).") % {
                "step": self.labels[self._before(self.worst)], "event": known[name], "n": numbers.full(count),
            }  # fmt: skip
        return text

    def _stopped_things(self) -> list[str]:
        """Names of the companies or objects that stop at the largest loss; of people the number leads to them."""
        if self.people or self.worst is None or not self.open:
            return []
        reached = self.answer.get("actors_by_step")
        if reached is None:
            return []
        names = sorted(set(reached[self._before(self.worst)]) - set(reached[self.worst]))[:50]
        if self.asked["count_by"] == "company":
            known = bar_names(self.bar)
            return sorted(known[int(name)] for name in names if name.isdecimal() and int(name) in known)
        return names


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


def _hours(number: int) -> str:
    return ngettext("%(n)s hour", "%(n)s hours", number) % {"n": number}


def _days(number: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}


def share_of(count: int | None, base: int | None) -> str:
    """A share; of fewer than 20 the numbers themselves."""
    if count is None or base is None:
        return "–"
    if base < FEW_FOR_PERCENT:
        return _("%(n)s of %(base)s") % {"n": numbers.full(count), "base": numbers.full(base)}
    return numbers.share(count / base)


def fields(bar: Bar) -> dict[str, Any]:
    """What the form shows."""
    steps = chosen_steps(bar)
    labels = labels_for(steps)
    exclusions = written.exclusions_of(bar.request.GET, len(steps))
    first, last = hop_of(bar, len(steps))
    number, unit = window_of(bar)
    return {
        "events": bar.names,
        "rows": written.rows_of(bar, steps, labels),
        "more": len(steps) < written.MOST_STEPS,
        "editing": "step" in bar.request.GET,
        "orders": ORDERS,
        "order": _chosen(bar, "order", ORDERS, "ordered"),
        "window": number,
        "unit": unit,
        "counts": COUNTS,
        "count": _chosen(bar, "count", COUNTS, "person"),
        "touches": TOUCHES,
        "touch": _chosen(bar, "touch", TOUCHES, "first_touch"),
        "exclusions": [
            (one, label, written.without_exclusion(bar, exclusions, number))
            for number, (one, label) in enumerate(zip(exclusions, labels_for(exclusions), strict=True))
        ],
        "may_exclude": len(steps) > 1 and len(exclusions) < written.MOST_EXCLUSIONS,
        "bounds": [
            Hop(f"{k + 1}-{j + 1}", _("between steps %(first)s and %(last)s") % {"first": k + 1, "last": j + 1})
            for k in range(len(steps))
            for j in range(k + 1, len(steps))
            if steps[k].way != "optional" and steps[j].way != "optional"
        ],
        "hops": [
            Hop(f"{k + 1}-{j + 1}", _("step %(first)s to step %(last)s") % {"first": k + 1, "last": j + 1})
            for k in range(len(steps))
            for j in range(k + 1, len(steps))
        ],
        "hop": f"{first + 1}-{last + 1}",
    }


KIND = Kind(
    name=NAME,
    title=gettext_lazy("Funnel"),
    lead=gettext_lazy("How many get from one step to the next, and where they stop."),
    definition=gettext_lazy(
        "A person counts at a step after having done all needed steps before it, within the window from the first. "
        "Of several attempts the one that gets furthest counts. A step that was not reached may still come: "
        "attempts begun late in the period have had less time."
    ),
    icon="chart-funnel",
    question=question,
    show=show,
    fields=fields,
    usual="week",
    answered=answered,
    opened=opened,
    cleaned=written.put_in_order,
)
