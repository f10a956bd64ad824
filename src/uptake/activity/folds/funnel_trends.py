"""Conversion over time: an attempt belongs to the interval in which it began, and an actor counts once in each.

entered = did from_step, converted = did to_step (of the best attempt of the interval); rate in percent, rounded to two
places, 0 where nobody entered. `unfinished`: an attempt that began in the interval could still convert, because the
window runs beyond the end of the range or of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Span
from uptake.activity.columns import Array
from uptake.activity.funnels import (
    KEYS as FUNNEL_KEYS,
)
from uptake.activity.funnels import SECOND, Plan, Runs, both_reported, only_keys, read_hop, read_plan, runs_behind
from uptake.activity.periods import Buckets, buckets_between
from uptake.activity.question import QuestionRefused, Selector, read_yes, shown

NAME = "funnel_trends"
SELECTOR = Selector()
KEYS = FUNNEL_KEYS | {"from_step", "to_step"}


@dataclass(frozen=True)
class FunnelTrends:
    """buckets: {"start", "entered", "converted", "rate", "unfinished"}; by_value: {value: {"buckets": the same}}."""

    buckets: tuple[dict[str, Any], ...]
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns start, entered, converted, rate, unfinished (and value, first, where there is a breakdown)."""
        if self.by_value is None:
            return pa.Table.from_pylist(list(self.buckets), schema=_schema())
        rows = [{"value": value, **row} for value, one in self.by_value.items() for row in one["buckets"]]
        return pa.Table.from_pylist(rows, schema=_schema().insert(0, pa.field("value", pa.string())))


def _schema() -> pa.Schema:
    kinds: dict[str, pa.DataType] = {
        "start": pa.string(),
        "entered": pa.int64(),
        "converted": pa.int64(),
        "rate": pa.float64(),
        "unfinished": pa.bool_(),
    }
    return pa.schema(kinds)


def answer(asked: Asked) -> FunnelTrends:
    """The conversion of the attempts begun in each interval of the range."""
    plan = read_plan(asked.question)
    hop = read_hop(asked.question, plan)
    span = asked.span()
    counted = asked.counted(span) | {"order": plan.order, "window_seconds": plan.window / SECOND}
    if span is None:
        return FunnelTrends((), counted, None if plan.breakdown is None else {})
    whole, by_value = _measured(asked, plan, span, hop)
    compare: dict[str, Any] | None = None
    then = asked.compared(span)
    if then is not None:
        before, before_by_value = _measured(asked, plan, then, hop)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), "buckets": before}
        if before_by_value is not None:
            compare["by_value"] = before_by_value
    return FunnelTrends(whole, counted, by_value, compare)


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{"start": bucket, "converted": yes or no}: who entered in the bucket and did (or did not) convert; without
    "converted", all who entered. "value": of those under a value of the breakdown."""
    only_keys(number, "start", "converted", "value")
    plan = read_plan(asked.question)
    start, to = read_hop(asked.question, plan)
    span = asked.span()
    buckets = None if span is None else _buckets(asked, span)
    if buckets is None or number.get("start") not in buckets.labels:
        raise QuestionRefused("start", "the start of a bucket of the answer", shown(number.get("start")))
    assert span is not None
    runs, called = runs_behind(asked, plan, span, number, buckets)
    there = (runs.bucket == buckets.labels.index(number["start"])) & runs.did(start)
    if "converted" in number:
        there &= runs.did(to) == read_yes(number["converted"], "converted")
    return called.codes(runs.actor[there])


def _buckets(asked: Asked, span: Span) -> Buckets:
    question = asked.question
    return buckets_between(span.first, span.last, question.interval, question.timezone, question.week_start)


def _measured(
    asked: Asked, plan: Plan, span: Span, hop: tuple[int, int]
) -> tuple[tuple[dict[str, Any], ...], dict[str, dict[str, Any]] | None]:
    buckets = _buckets(asked, span)
    whole, by_value = both_reported(asked, plan, span, buckets)
    known_until = min(span.high, whole.latest + 1)
    last = np.zeros(len(buckets.labels), np.int64)
    np.maximum.at(last, buckets.number, buckets.edges[1:])
    open_ended = last - 1 + plan.window >= known_until
    groups = None if by_value is None else by_value.by_value()
    return _rows(buckets, whole.runs, hop, open_ended), None if groups is None else {
        text: {"buckets": _rows(buckets, runs, hop, open_ended)} for text, runs in groups.items()
    }


def _rows(buckets: Buckets, runs: Runs, hop: tuple[int, int], open_ended: Array) -> tuple[dict[str, Any], ...]:
    size = len(buckets.labels)
    entered = np.bincount(runs.bucket[runs.did(hop[0])], minlength=size).tolist()
    converted = np.bincount(runs.bucket[runs.did(hop[0]) & runs.did(hop[1])], minlength=size).tolist()
    return tuple(
        {
            "start": label,
            "entered": many,
            "converted": some,
            "rate": round(100 * some / many, 2) if many else 0.0,
            "unfinished": bool(unfinished),
        }
        for label, many, some, unfinished in zip(buckets.labels, entered, converted, open_ended.tolist(), strict=True)
    )
