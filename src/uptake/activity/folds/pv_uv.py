"""Events and distinct people per hour, day, week, month or quarter.

pv = events of the selector (default $pageview) in the bucket; uv = distinct actors with at least one; total_uv is
distinct over the range, not the sum. Buckets are whole ones by name, but only what lies in the range is counted.
Events of people not identified yet count as events and not as people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Rows, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.periods import Buckets, buckets_between
from uptake.activity.presence import Intervals, intervals_over, people_between
from uptake.activity.question import QuestionRefused, Selector, shown
from uptake.activity.visits import series

NAME = "pv_uv"
SELECTOR = Selector(("$pageview",))


@dataclass(frozen=True)
class PvUv:
    """One row per bucket. `by_value` has the same per value of the breakdown ("" = none, "__other__" = the rest)."""

    starts: tuple[str, ...]
    """The bucket's first date (for hours: local date and time)."""
    pv: tuple[int, ...]
    uv: tuple[int, ...]
    total_pv: int
    total_uv: int
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns start, events, people (and value, first, where there is a breakdown)."""
        if self.by_value is None:
            return pa.table({"start": list(self.starts), "events": list(self.pv), "people": list(self.uv)})
        rows = [
            (value, start, pv, uv)
            for value, one in self.by_value.items()
            for start, pv, uv in zip(self.starts, one["pv"], one["uv"], strict=True)
        ]
        names = ("value", "start", "events", "people")
        return pa.table({name: [row[index] for row in rows] for index, name in enumerate(names)})


def answer(asked: Asked) -> PvUv:
    """The events and distinct people of the question's buckets."""
    span = asked.span()
    if span is None:
        empty: dict[str, dict[str, Any]] | None = {} if asked.question.by else None
        return PvUv((), (), (), 0, 0, asked.counted(None), empty)
    groups = asked.groups(span)
    starts, whole, by_value = _series(asked, span, groups)
    compare = None
    then = asked.compared(span)
    if then is not None:
        before, series, series_by = _series(asked, then, groups)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), "starts": list(before), **series}
        if groups is not None:
            compare["by_value"] = series_by
    return PvUv(starts, **_frozen(whole), counted=asked.counted(span), by_value=by_value, compare=compare)


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {"start": the bucket's label} (left out: of the range), with "value" those of a value of `by`."""
    for key in number:
        if key not in ("start", "value"):
            raise QuestionRefused(str(key), "one of start, value", "an unknown key")
    question, span = asked.question, asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    wanted = intervals_over(span.first, span.last, question.interval, question.timezone, question.week_start)
    edges, at, start = wanted.edges.clip(span.low, span.high), wanted.number, number.get("start")
    if start is not None:
        if start not in wanted.labels:
            raise QuestionRefused("start", "the start of a bucket of the answer", shown(start))
        inside = np.flatnonzero(at == wanted.labels.index(start))
        edges = edges[inside[0] : inside[-1] + 2] if len(inside) else edges[:1].repeat(2)
        at = np.zeros(len(edges) - 1, np.int64)
    spans = Intervals(edges, at, int(at.max()) + 1, (), ())
    return people_between(asked, spans, number.get("value"), asked.groups(span))


def _series(
    asked: Asked, span: Span, groups: Groups | None
) -> tuple[tuple[str, ...], dict[str, Any], dict[str, dict[str, Any]] | None]:
    """The buckets, the numbers of everybody in them, and those of each value of the breakdown."""
    question = asked.question
    buckets = buckets_between(span.first, span.last, question.interval, question.timezone, question.week_start)
    labels = () if groups is None else groups.labels
    found = _by_day(asked, buckets, span, groups)
    if found is None:
        counts, totals = asked.sum(lambda rows: fold(rows, buckets, span, 1))
        if groups is not None:
            several = asked.sum(lambda rows: fold(rows, buckets, span, len(labels)), groups)
            counts, totals = np.concatenate([several[0], counts]), np.concatenate([several[1], totals])
    else:
        counts, totals = found
    told = [
        {
            "pv": counts[number, :, 0].tolist(),
            "uv": counts[number, :, 1].tolist(),
            "total_pv": int(totals[number, 0]),
            "total_uv": int(totals[number, 1]),
        }
        for number in range(len(labels) + 1)
    ]
    return buckets.labels, told[-1], None if groups is None else dict(zip(labels, told[:-1], strict=True))


def _by_day(asked: Asked, buckets: Buckets, span: Span, groups: Groups | None) -> tuple[Array, Array] | None:
    """The same of visits, where the question is one of whole days and of any activity; everybody's last."""
    return series(asked, buckets, span.low, span.high, groups)


def _frozen(series: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in series.items()}


def fold(rows: Rows, buckets: Buckets, span: Span, groups: int) -> list[Array]:
    """[(groups, buckets, 2) events and people, (groups, 2) in the whole range]."""
    if not len(buckets.labels) or not groups:
        return [np.zeros((groups, len(buckets.labels), 2), np.int64), np.zeros((groups, 2), np.int64)]
    counts, totals = count(
        rows.actor, rows.at, rows.keep, rows.group,
        buckets.edges, buckets.number, span.low, span.high, groups, len(buckets.labels),
    )  # fmt: skip
    return [counts, totals]


@compiled
def count(
    actor: Array, at: Array, keep: Array, group: Array, edges: Array, number: Array,
    low: int, high: int, groups: int, buckets: int,
) -> tuple[Array, Array]:  # fmt: skip
    """Events and distinct actors above 0, per group and bucket, and per group in the whole of [low, high)."""
    counts = np.zeros((groups, buckets, 2), np.int64)
    totals = np.zeros((groups, 2), np.int64)
    seen = np.full((groups, buckets), -1, np.int32)
    seen_at_all = np.full(groups, -1, np.int32)
    run = -1
    place = 0
    last = len(number) - 1
    for i in range(len(actor)):
        if i == 0 or actor[i] != actor[i - 1]:
            run += 1
            place = 0
        t = at[i]
        if not keep[i] or t < low or t >= high:
            continue
        if t >= edges[place + 1]:  # later than the bucket before: look it up among the rest
            under, over = place + 1, last
            while under < over:
                middle = (under + over + 1) // 2
                if edges[middle] <= t:
                    under = middle
                else:
                    over = middle - 1
            place = under
        b = number[place]
        g = group[i]
        counts[g, b, 0] += 1
        totals[g, 0] += 1
        if actor[i] > 0:
            if seen[g, b] != run:
                seen[g, b] = run
                counts[g, b, 1] += 1
            if seen_at_all[g] != run:
                seen_at_all[g] = run
                totals[g, 1] += 1
    return counts, totals
