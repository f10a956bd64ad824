"""Funnel: how many get from one step to the next, where they stop, how long they take, and whether that changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.activity.question import QuestionRefused
from uptake.directory.scope import Viewer
from uptake.insight.metrics.told import people_behind
from uptake.insight.metrics.told import told as told_of_all
from uptake.web import numbers
from uptake.web.answers import told
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds import steps as written
from uptake.web.pages.explore.kinds.funnel_asked import (
    COUNTS,
    NAME,
    OVER_TIME,
    TIME,
    between,
    fields,
    opened,
    question,
    subtitle,
    words,
)
from uptake.web.pages.explore.kinds.funnel_stages import FEW_FOR_PERCENT, Stages
from uptake.web.pages.explore.kinds.kind import Kind, Shown, behind
from uptake.web.pages.explore.kinds.trends import bar_names
from uptake.web.pages.explore.kinds.words import STARTS
from uptake.web.parts import Chart, Series
from uptake.web.usage import labels_of

MOST_FOLLOWED = 5_000
"""Up to this many who stopped, what they did instead is looked up."""


def answered(bar: Bar, viewer: Viewer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer; people are not listed by step, since a page shows how many they are and looks up who on asking."""
    return told(bar.log, viewer, asked) if asked["count_by"] == "person" else told_of_all(bar.log, viewer, asked)


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """The bars with what is lost between them, time, conversion over time, and the values of a breakdown."""
    stages = Stages(bar, asked, answer)
    context: dict[str, Any] = {
        "stages": stages.bars(),
        "values": stages.values(),
        "value_heads": stages.labels,
        "people": stages.people,
        "stopped": _stopped_things(stages),
        "park": stages.park is not None and stages.park.told,
        "verdict": stages.verdict(),
        "next": _next(stages),
        "subtitle": subtitle(bar),
    }
    if len(stages.steps) > 1:
        context |= _time(stages) | _over_time(stages)
    notes = []
    if any(one["unfinished"] for one in context.get("buckets", ())):
        notes.append(_("Dashed: attempts begun in these periods may still get there."))
    if None in stages.counts or stages.few_lost():
        notes.append(_("Groups of 1 to 4 people are not told to those who see totals."))
    if bar.by and asked["breakdown"]["attribution"] == "all_events":
        notes.append(_("Whoever did the steps under several values is counted under each."))
    if stages.park:
        notes.append(stages.park.note)
    columns, rows = stages.table()
    return Shown(
        words=words(bar, asked), context=context, columns=columns, rows=rows, notes=notes, empty=stages.counts[0] == 0
    )


def _time(stages: Stages) -> dict[str, Any]:
    answer = _told(stages, between(stages.bar, stages.asked, TIME))
    if answer is None or not answer["bins"]:
        return {}
    bins = answer["bins"]
    starts = [start for start, _count in bins]
    width = starts[1] - starts[0] if len(starts) > 1 else 60
    mean = answer["average_seconds"]
    links = [
        behind(stages.bar, NAME, of=TIME, from_seconds=start, to_seconds=start + width) if count else ""
        for start, count in bins
    ]
    chart = Chart(
        id="time", label=_("Time from the first of two steps to the second"), axis=_("At least"),
        labels=[numbers.span(start) for start in starts], height="middle",
        series=[Series(str(COUNTS[stages.asked["count_by"]]).capitalize(), [count for _start, count in bins])],
        links=links if stages.people and stages.open else (),
    )  # fmt: skip
    return {"time": chart, "mean": numbers.span(mean) if mean is not None else ""}


def _over_time(stages: Stages) -> dict[str, Any]:
    answer = _told(stages, between(stages.bar, stages.asked, OVER_TIME))
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
    links = [behind(stages.bar, NAME, of=OVER_TIME, start=one["start"]) if one["entered"] else "" for one in buckets]
    links = links if stages.people and stages.open else []
    starts = str(STARTS[stages.bar.every])
    rate = Chart(
        id="rates", label=_("Share that gets there, by when it began"), axis=starts, labels=labels,
        series=[Series(_("Share that gets there"), rates, open=unfinished)], format="share", links=links,
    )  # fmt: skip
    both = Chart(
        id="begun", label=_("Begun and got there"), axis=starts, labels=labels, height="low", links=links,
        series=[
            Series(_("Begun"), [one["entered"] for one in buckets], tone="c6", open=unfinished),
            Series(_("Got there"), [one["converted"] for one in buckets], open=unfinished),
        ],
    )  # fmt: skip
    some = any(one is not None for one in rates)
    return {"rates": rate if some else None, "begun": both, "buckets": buckets, "unfinished": len(unfinished)}


def _told(stages: Stages, question_: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return told(stages.bar.log, stages.viewer, question_)
    except QuestionRefused:
        return None


def _next(stages: Stages) -> str:
    """What those who stop at the largest loss did right after the step before, and last of all, in words."""
    if stages.worst is None or not stages.people or not stages.open or stages.unordered:
        return ""
    lost = stages.lost(stages.worst)
    if not lost or lost > MOST_FOLLOWED:
        return ""
    who = people_behind(stages.bar.log, stages.viewer, stages.asked, {"step": stages.worst, "dropped": True})
    answer = _told(
        stages,
        stages.bar.question(
            "transitions", by=None, compare=None, count="people", only_persons=who, interval=None, edge_limit=2000
        ),
    )
    if answer is None:
        return ""
    names = set(stages.steps[stages.before(stages.worst)].names)
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
            "step": stages.labels[stages.before(stages.worst)], "event": known[name], "n": numbers.full(count),
        }  # fmt: skip
    return text


def _stopped_things(stages: Stages) -> list[str]:
    """Names of the companies or objects that stop at the largest loss; of people the number leads to them."""
    if stages.people or stages.worst is None or not stages.open:
        return []
    reached = stages.answer.get("actors_by_step")
    if reached is None:
        return []
    names = sorted(set(reached[stages.before(stages.worst)]) - set(reached[stages.worst]))[:50]
    if stages.asked["count_by"] == "company":
        known = bar_names(stages.bar)
        return sorted(known[int(name)] for name in names if name.isdecimal() and int(name) in known)
    return names


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
    beside=True,
    question=question,
    show=show,
    fields=fields,
    usual="week",
    answered=answered,
    opened=opened,
    cleaned=written.put_in_order,
)
