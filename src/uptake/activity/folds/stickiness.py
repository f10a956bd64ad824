"""How many actors were active in exactly one, two, three … intervals of the range.

An interval is active where the actor has enough events in it (at least one; a criterion may say otherwise). Several
intervals may be taken together, counted from the first of the range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Span
from uptake.activity.columns import Array
from uptake.activity.histories import Histories, each_history
from uptake.activity.presence import Intervals, counts, each_presence, intervals_over, people_of, presence, visits_by
from uptake.activity.question import COMMON, By, Question, QuestionRefused, Selector, read_object, read_whole, shown

Part = TypeVar("Part")
NAME = "stickiness"
SELECTOR = Selector()
KEYS = COMMON | {"interval_count", "criteria"}
OPERATORS = {"gte": "gte", ">=": "gte", "lte": "lte", "<=": "lte", "eq": "eq", "exact": "eq", "=": "eq"}
MOST_TOGETHER = 1_000


@dataclass(frozen=True)
class Criterion:
    """How many events make an interval active; without any it never is."""

    op: str = "gte"
    events: int = 1

    def holds(self, events: Array) -> Array:
        met = {"gte": events >= self.events, "lte": events <= self.events, "eq": events == self.events}[self.op]
        active: Array = met & (events > 0)
        return active


@dataclass(frozen=True)
class Stickiness:
    """One bar per number of active intervals. `by_value` has the same per value of the breakdown."""

    by_active_intervals: tuple[int, ...]
    """[k] = actors active in exactly k + 1 of them."""
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns intervals (from 1), people (and value, first, with a breakdown)."""
        bars = list(range(1, len(self.by_active_intervals) + 1))
        if self.by_value is None:
            return pa.table({"intervals": bars, "people": list(self.by_active_intervals)})
        columns: dict[str, list[Any]] = {"value": [], "intervals": [], "people": []}
        for value, one in self.by_value.items():
            columns["value"] += [value] * len(bars)
            columns["intervals"] += bars
            columns["people"] += one["by_active_intervals"]
        return pa.table(columns)


def answer(asked: Asked) -> Stickiness:
    """The bars of the range."""
    together, criterion = read(asked.question)
    span = asked.span()
    if span is None:
        return Stickiness((), asked.counted(None), {} if asked.question.by else None)
    groups = asked.groups(span)
    whole, by_value = _told(asked, _intervals(asked, span, together), criterion, groups)
    compare: dict[str, Any] | None = None
    then = asked.compared(span)
    if then is not None:
        before, before_by = _told(asked, _intervals(asked, then, together), criterion, groups)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), "by_active_intervals": before}
        if before_by is not None:
            compare["by_value"] = before_by
    return Stickiness(tuple(whole), asked.counted(span), by_value, compare)


def read(question: Question) -> tuple[int, Criterion]:
    """How many intervals are taken together, and the criterion."""
    own = question.own
    together = read_whole(own.get("interval_count", 1), "interval_count", 1, MOST_TOGETHER)
    if own.get("criteria") is None:
        return together, Criterion()
    given = read_object(own["criteria"], "criteria")
    for key in given:
        if key not in ("op", "operator", "value"):
            raise QuestionRefused(f"criteria.{key}", "one of op, value", "an unknown key")
    op = given.get("op", given.get("operator", "gte"))
    if not isinstance(op, str) or op not in OPERATORS:
        raise QuestionRefused("criteria.op", "one of gte, lte, eq", shown(op))
    return together, Criterion(OPERATORS[op], read_whole(given.get("value"), "criteria.value", 1, 1_000_000))


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {"intervals": k}: active in exactly k of them; with "value" those of one value of `by`."""
    for key in number:
        if key not in ("intervals", "value"):
            raise QuestionRefused(str(key), "one of intervals, value", "an unknown key")
    together, criterion = read(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person" where people are asked for')
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    intervals = _intervals(asked, span, together)
    wanted = read_whole(number.get("intervals"), "intervals", 1, intervals.count)
    groups, value = asked.groups(span), number.get("value")
    if value is not None and (groups is None or value not in groups.labels):
        raise QuestionRefused("value", "a value of the breakdown", shown(value))

    def of(history: Histories, intervals: Intervals) -> Array:
        starts, ends, actor = people_of(history)
        if groups is not None and value is not None:
            who, which, events = visits_by(history, starts, ends, 0, intervals, groups)
            mine = which == groups.labels.index(value)
            actor, active = actor[who[mine]], criterion.holds(events[mine]).sum(axis=1)
        else:
            active = _active(history, starts, ends, intervals, criterion)
        found: Array = actor[active == wanted]
        return found

    by = asked.question.by if value is not None else None
    return np.unique(np.concatenate(_each(asked, intervals, criterion, of, by)))


def _intervals(asked: Asked, span: Span, together: int) -> Intervals:
    """The intervals of the range, so many taken as one; what lies outside the range does not count."""
    question = asked.question
    found = intervals_over(span.first, span.last, question.interval, question.timezone, question.week_start)
    edges = found.edges.clip(span.low, span.high)
    count = -(-found.count // together)
    return Intervals(
        edges, found.number // together, count, found.labels[::together], found.ends[together - 1 :: together]
    )


def _each(
    asked: Asked,
    intervals: Intervals,
    criterion: Criterion,
    fold: Callable[[Histories, Intervals], Part],
    by: By | None,
) -> list[Part]:
    """What the fold makes of each bucket: of who was there when, or of every row where events are counted."""
    if criterion == Criterion():
        return each_presence(asked, intervals, fold, by)
    return each_history(asked, [asked.question.selector], lambda history: fold(history, intervals), breakdown=by)


def _active(history: Histories, starts: Array, ends: Array, intervals: Intervals, criterion: Criterion) -> Array:
    """Per actor the number of active intervals."""
    if criterion == Criterion():
        active = presence(history, starts, ends, 0, intervals) >= 0
    else:
        active = criterion.holds(counts(history, starts, ends, 0, intervals))
    found: Array = active.sum(axis=1)
    return found


def _told(
    asked: Asked, intervals: Intervals, criterion: Criterion, groups: Groups | None
) -> tuple[list[int], dict[str, dict[str, Any]] | None]:
    labels = () if groups is None else groups.labels
    bars = intervals.count + 1

    def of(history: Histories, intervals: Intervals) -> tuple[Array, Array]:
        starts, ends, _ = people_of(history)
        whole = np.bincount(_active(history, starts, ends, intervals, criterion), minlength=bars)
        tables = np.zeros((len(labels), bars), np.int64)
        if groups is not None:
            _, which, events = visits_by(history, starts, ends, 0, intervals, groups)
            np.add.at(tables, (which, criterion.holds(events).sum(axis=1)), 1)
        return whole, tables

    parts = _each(asked, intervals, criterion, of, asked.question.by)
    whole = sum((part for part, _ in parts), np.zeros(bars, np.int64))
    if groups is None:
        return whole[1:].tolist(), None
    tables = sum((part for _, part in parts), np.zeros((len(labels), bars), np.int64))
    by_value = {text: {"by_active_intervals": tables[place, 1:].tolist()} for place, text in enumerate(labels)}
    return whole[1:].tolist(), by_value
