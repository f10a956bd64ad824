"""Who is new, who stays, who comes back and who falls silent, interval by interval.

An actor is new in the interval of the first event of all history; returning where the interval before was active too;
resurrecting where it was not; dormant in the first silent interval after an active one. Intervals are whole ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Span, shares_of
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import Histories
from uptake.activity.presence import (
    Intervals,
    each_presence,
    intervals_over,
    people_of,
    presence,
    visits_by,
    with_all_before,
)
from uptake.activity.question import COMMON, By, Question, QuestionRefused, Selector, read_instant, read_one_of, shown

NAME = "lifecycle"
SELECTOR = Selector()
KEYS = COMMON | {"as_of"}
STATES = ("new", "returning", "resurrecting", "dormant")


@dataclass(frozen=True)
class Lifecycle:
    """One row per interval, counts of actors (dormant positive too). `by_value` has the same per value."""

    starts: tuple[str, ...]
    """The first date of each interval (for hours: local date and time)."""
    new: tuple[int, ...]
    returning: tuple[int, ...]
    resurrecting: tuple[int, ...]
    dormant: tuple[int, ...]
    counted: dict[str, Any]
    unfinished: tuple[bool, ...] | None = None
    """Which intervals are not over `as_of`: their dormant may still come."""
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns start, new, returning, resurrecting, dormant (and value, first, with a breakdown)."""
        whole = {state: list(getattr(self, state)) for state in STATES}
        if self.by_value is None:
            return pa.table({"start": list(self.starts), **whole})
        columns: dict[str, list[Any]] = {"value": [], "start": [], **{state: [] for state in STATES}}
        for value, one in self.by_value.items():
            columns["value"] += [value] * len(self.starts)
            columns["start"] += self.starts
            for state in STATES:
                columns[state] += one[state]
        return pa.table(columns)


def answer(asked: Asked) -> Lifecycle:
    """The states of every interval of the range."""
    as_of = _as_of(asked.question)
    span = asked.span()
    if span is None:
        return Lifecycle((), (), (), (), (), asked.counted(None), None, {} if asked.question.by else None)
    groups = asked.groups(span)
    intervals = _intervals(asked, span)
    whole, by_value = _told(asked, intervals, groups)
    compare: dict[str, Any] | None = None
    then = asked.compared(span)
    if then is not None:
        earlier = _intervals(asked, then)
        before, before_by = _told(asked, earlier, groups)
        compare = {
            "from": then.first.isoformat(),
            "to": then.last.isoformat(),
            "starts": list(earlier.labels),
            **before,
        }
        if before_by is not None:
            compare["by_value"] = before_by
    return Lifecycle(
        starts=intervals.labels,
        **{state: tuple(whole[state]) for state in STATES},
        counted=asked.counted(span),
        unfinished=intervals.unfinished(as_of),
        by_value=by_value,
        compare=compare,
    )


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {"start": date of the interval, "state": name}, with "value" those of one value of `by`."""
    for key in number:
        if key not in ("start", "state", "value"):
            raise QuestionRefused(str(key), "one of start, state, value", "an unknown key")
    _as_of(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person" where people are asked for')
    state = STATES.index(read_one_of(number.get("state"), STATES, "state"))
    span = asked.span()
    intervals = None if span is None else _intervals(asked, span)
    if span is None or intervals is None or number.get("start") not in intervals.labels:
        raise QuestionRefused("start", "the first date of an interval of the answer", shown(number.get("start")))
    row = intervals.labels.index(number["start"])
    value = number.get("value")
    groups = asked.groups(span)
    if value is not None and (groups is None or value not in groups.labels):
        raise QuestionRefused("value", "a value of the breakdown", shown(value))
    looked_at = _with_before(asked, intervals)

    def of(history: Histories, looked_at: Intervals) -> Array:
        starts, ends, actor = people_of(history)
        if groups is not None and value is not None:
            who, which, events = visits_by(history, starts, ends, 0, looked_at, groups)
            mine = which == groups.labels.index(value)
            actor, there = actor[who[mine]], events[mine] > 0
        else:
            there = presence(history, starts, ends, 0, looked_at) >= 0
        found: Array = actor[states(there)[state, :, row]]
        return found

    parts = each_presence(asked, looked_at, of, asked.question.by if value is not None else None)
    return np.unique(np.concatenate(parts))


def states(there: Array) -> Array:
    """(4, actors, intervals) bool of (actors, 2 + intervals) bool: ever before, the interval before, the intervals."""
    now, before = there[:, 2:], there[:, 1:-1]
    ever = np.logical_or.accumulate(there, axis=1)[:, 1:-1]
    return np.stack([now & ~ever, now & before, now & ever & ~before, before & ~now])


def _as_of(question: Question) -> int | None:
    given = question.own.get("as_of")
    return None if given is None else read_instant(given, question.timezone, "as_of")


def _intervals(asked: Asked, span: Span) -> Intervals:
    question = asked.question
    return intervals_over(span.first, span.last, question.interval, question.timezone, question.week_start)


def _with_before(asked: Asked, intervals: Intervals) -> Intervals:
    question = asked.question
    return with_all_before(intervals, question.interval, question.timezone, question.week_start)


def _told(
    asked: Asked, intervals: Intervals, groups: Groups | None
) -> tuple[dict[str, list[int]], dict[str, dict[str, Any]] | None]:
    looked_at = _with_before(asked, intervals)
    shape = (len(STATES), intervals.count)
    labels = () if groups is None else groups.labels

    def of(history: Histories, looked_at: Intervals) -> tuple[Array, Array]:
        history = history.people
        there = presence(history, history.starts, history.ends, 0, looked_at)
        own, mixed = history.shared_out(shares_of(history.labels, groups))
        tables = count_states(there, own, len(labels) + 1)
        whole, tables = tables.sum(axis=0), tables[: len(labels)]
        if groups is not None and mixed is not None:
            _, which, events = visits_by(mixed, mixed.starts, mixed.ends, 0, looked_at, groups)
            tables += count_states(events - 1, which, len(labels))
        return whole, tables

    parts = each_presence(asked, looked_at, of, asked.question.by)
    whole = sum((part for part, _ in parts), np.zeros(shape, np.int64))
    if groups is None:
        return _named(whole), None
    tables = sum((part for _, part in parts), np.zeros((len(labels), *shape), np.int64))
    return _named(whole), {text: _named(tables[place]) for place, text in enumerate(labels)}


@compiled
def count_states(there: Array, which: Array, groups: int) -> Array:
    """(groups, 4, intervals) of (actors, 2 + intervals), not negative where somebody was there; which: the group."""
    count = there.shape[1] - 2
    found = np.zeros((groups, 4, count), np.int64)
    for a in range(len(there)):
        ever = there[a, 0] >= 0
        before = there[a, 1] >= 0
        ever |= before
        own = found[which[a]]
        for i in range(count):
            now = there[a, i + 2] >= 0
            own[0, i] += now & ~ever
            own[1, i] += now & before
            own[2, i] += now & ever & ~before
            own[3, i] += before & ~now
            ever |= now
            before = now
    return found


def _named(table: Array) -> dict[str, list[int]]:
    return {state: table[place].tolist() for place, state in enumerate(STATES)}
