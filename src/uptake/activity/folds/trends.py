"""Several things at once over time: events, people or sessions per interval, for each of several selectors.

`series` is a list of {"sel": selector, "count": "events" (default), "people" or "sessions", "name": text}; the events
must also match `event_sel`. Per series: `values`, one per bucket of `interval`; `total` of the range (people and
sessions are distinct, so it is no sum). A session (`timeout_seconds`, 24 hours; of all events of the person) counts in
every bucket in which it has an event of the series. Events of people not identified yet count as events and in
sessions, not as people.

`moving_average`: n adds the mean of the n buckets up to each (None where there are not yet n). `cumulative`: true adds
the count so far: of people and sessions the distinct ones since the range began. `whole` says which buckets lie wholly
in the range; others are not to be compared with their neighbours.

`by`: the same of the events with one value only. The values are those with the most actors in any of the series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.folds.sessions import LONGEST, SECOND, TIMEOUT
from uptake.activity.histories import KEPT, Histories, each_history
from uptake.activity.nodes import only_value, other_is, ranked, value_labeller
from uptake.activity.periods import Buckets, buckets_between, midnight, next_first
from uptake.activity.question import (
    COMMON,
    By,
    Question,
    QuestionRefused,
    Selector,
    read_list,
    read_object,
    read_one_of,
    read_selector,
    read_text,
    read_whole,
    read_yes,
)

NAME = "trends"
SELECTOR = Selector()
KEYS = COMMON | {"series", "moving_average", "cumulative", "timeout_seconds"}
COUNTS = ("events", "people", "sessions")
MOST_SERIES = 20


@dataclass(frozen=True)
class Series:
    """One thing that is counted."""

    selector: Selector
    count: str = "events"
    name: str = ""


@dataclass(frozen=True)
class Wanted:
    """What the question asks for beside what all ask for."""

    series: tuple[Series, ...]
    average: int
    """Buckets; 0: none."""
    cumulative: bool
    timeout: int


@dataclass(frozen=True)
class Trends:
    """Series as {"name", "count", "values", "total"} and, where asked for, "moving_average" and "cumulative"."""

    starts: tuple[str, ...]
    whole: tuple[bool, ...]
    series: tuple[dict[str, Any], ...]
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None
    """{value: {"series": …}}"""
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns series, start, value (and group, first, where there is a breakdown)."""
        groups = self.by_value if self.by_value is not None else {"": {"series": self.series}}
        rows = [
            (group, one["name"], start, value)
            for group, several in groups.items()
            for one in several["series"]
            for start, value in zip(self.starts, one["values"], strict=True)
        ]
        names = ["group", "series", "start", "value"]
        table = pa.table({name: [row[index] for row in rows] for index, name in enumerate(names)})
        return table if self.by_value is not None else table.drop_columns(["group"])


def read_trends(question: Question) -> Wanted:
    """The keys of its own."""
    own = question.own
    several = read_list(own.get("series") or [{}], "series", "a list of series")
    if len(several) > MOST_SERIES:
        raise QuestionRefused("series", f"at most {MOST_SERIES} series", f"{len(several)}")
    return Wanted(
        tuple(_series(one, f"series[{number}]") for number, one in enumerate(several)),
        read_whole(own.get("moving_average") or 0, "moving_average", 0, 366),
        read_yes(own.get("cumulative", False), "cumulative"),
        read_whole(own.get("timeout_seconds", TIMEOUT), "timeout_seconds", 1, 10**9) * SECOND,
    )


def _series(value: Any, key: str) -> Series:
    given = {"sel": value} if isinstance(value, str) else read_object(value, key)
    for inner in given:
        if inner not in ("sel", "count", "name"):
            raise QuestionRefused(f"{key}.{inner}", "one of count, name, sel", "an unknown key")
    selector = read_selector(given.get("sel", {}), f"{key}.sel")
    name = given.get("name", "+".join(selector.events) if selector.events is not None else "any")
    return Series(selector, read_one_of(given.get("count", "events"), COUNTS, f"{key}.count"), read_text(name, key))


def answer(asked: Asked) -> Trends:
    """The values of every series in the question's buckets."""
    wanted = read_trends(asked.question)
    span = asked.span()
    counted = asked.counted(span) | {"series": len(wanted.series), "interval": asked.question.interval}
    if span is None:
        none = tuple(_empty(one, wanted) for one in wanted.series)
        return Trends((), (), none, counted, {} if asked.question.by else None)
    groups = ranked(asked, _selectors(asked, wanted), span)
    buckets = _buckets(asked, span)
    whole = _counted(asked, wanted, span, None)[""]
    by_value = None if groups is None else _counted(asked, wanted, span, groups)
    then, compare = asked.compared(span), None
    if then is not None:
        before = _buckets(asked, then)
        compare = {
            "from": then.first.isoformat(), "to": then.last.isoformat(), "starts": list(before.labels),
            "whole": _whole(asked, then, before), **_counted(asked, wanted, then, None)[""],
        }  # fmt: skip
        if groups is not None:
            compare["by_value"] = _counted(asked, wanted, then, groups)
    return Trends(
        buckets.labels, tuple(_whole(asked, span, buckets)), tuple(whole["series"]), counted,
        None if by_value is None else by_value, compare,
    )  # fmt: skip


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{"series": i} (from 0): who has an event of it in the range; with "start" in that bucket; with "value"."""
    wanted = read_trends(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person", to see who is behind a number')
    for key in number:
        if key not in ("series", "start", "value"):
            raise QuestionRefused(str(key), "one of series, start, value", "an unknown key")
    chosen = read_whole(number.get("series", 0), "series", 0, len(wanted.series) - 1)
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    low, high, place = span.low, span.high, -1
    buckets = _buckets(asked, span)
    if "start" in number:
        place = buckets.labels.index(read_one_of(read_text(number["start"], "start"), buckets.labels, "start"))
    groups = only_value(asked, number)

    def find(rows: Histories) -> Array:
        mine = _mine(rows)[rows.codes] & np.uint32(2 << chosen) > 0
        mine &= (rows.at >= low) & (rows.at < high)
        if groups is not None:
            mine &= _ranks(rows, groups)[rows.group] >= 0
        if place >= 0:
            at = np.clip(np.searchsorted(buckets.edges, rows.at, side="right") - 1, 0, len(buckets.number) - 1)
            mine &= buckets.number[at] == place
        before = np.concatenate([[0], np.cumsum(mine)])
        return rows.actor[before[rows.ends] > before[rows.starts]]

    by = asked.question.by if groups is not None else None
    labeller = None if by is None else value_labeller(asked.snapshot, by)
    found = each_history(asked, _selectors(asked, wanted), find, breakdown=labeller)
    people = np.unique(np.concatenate(found or [np.zeros(0, np.int32)]))
    return people[people > 0] if wanted.series[chosen].count == "people" else people


def _selectors(asked: Asked, wanted: Wanted) -> list[Selector]:
    return [asked.question.selector, *(one.selector for one in wanted.series)]


def _mine(rows: Histories) -> Array:
    """The bits of rows that match `event_sel`; 0 for all others."""
    return np.where((rows.bits & KEPT > 0) & (rows.bits & 1 > 0), rows.bits & np.uint32(0x7FFFFFFF), np.uint32(0))


def _ranks(rows: Histories, groups: Groups) -> Array:
    rank = {text: number for number, text in enumerate(groups.values)}
    rest = len(rank) if groups.other else -1
    return np.array([rank.get(text, rest) for text in rows.labels] or [rest], np.int32)


def _buckets(asked: Asked, span: Span) -> Buckets:
    question = asked.question
    return buckets_between(span.first, span.last, question.interval, question.timezone, question.week_start)


def _whole(asked: Asked, span: Span, buckets: Buckets) -> list[bool]:
    question = asked.question
    if question.interval == "hour":
        begun = int(buckets.edges[0]) >= span.low
        return [begun or number > 0 for number in range(len(buckets.labels))]
    found = []
    for label in buckets.labels:
        first = date.fromisoformat(label)
        after = midnight(next_first(first, question.interval), question.timezone)
        found.append(midnight(first, question.timezone) >= span.low and after <= span.high)
    return found


def _counted(asked: Asked, wanted: Wanted, span: Span, groups: Groups | None) -> dict[str, dict[str, Any]]:
    """{value: {"series": …}}"""
    values = other_is(groups)
    buckets = _buckets(asked, span)
    kinds = np.array([COUNTS.index(one.count) for one in wanted.series], np.int64)
    nothing = np.zeros(0, np.int32)
    by_person = asked.question.count_by == By()

    def fold(rows: Histories) -> tuple[Array, Array, Array]:
        value, rank_of = (rows.group, _ranks(rows, groups)) if groups is not None else (nothing, nothing)
        return count(
            rows.starts, rows.ends, rows.actor, rows.at, rows.codes, _mine(rows), rows.bits, value, rank_of, kinds,
            buckets.edges, buckets.number, span.low, span.high, wanted.timeout, LONGEST * SECOND,
            len(values), len(buckets.labels), by_person,
        )  # fmt: skip

    by = asked.question.by if groups is not None else None
    labeller = None if by is None else value_labeller(asked.snapshot, by)
    parts = each_history(asked, _selectors(asked, wanted), fold, breakdown=labeller)
    counts, new, totals = (np.sum([part[number] for part in parts], axis=0) for number in range(3))
    return {
        value: {
            "series": [
                _told(one, wanted, counts[place, number], new[place, number], int(totals[place, number]))
                for place, one in enumerate(wanted.series)
            ]
        }
        for number, value in enumerate(values)
    }


def _told(one: Series, wanted: Wanted, values: Array, new: Array, total: int) -> dict[str, Any]:
    told: dict[str, Any] = {"name": one.name, "count": one.count, "values": values.tolist(), "total": total}
    if wanted.average:
        sums = np.concatenate([[0], np.cumsum(values)])
        n = wanted.average
        told["moving_average"] = [
            None if end < n else float(sums[end] - sums[end - n]) / n for end in range(1, len(values) + 1)
        ]
    if wanted.cumulative:
        told["cumulative"] = np.cumsum(new).tolist()
    return told


def _empty(one: Series, wanted: Wanted) -> dict[str, Any]:
    nothing = np.zeros(0, np.int64)
    return _told(one, wanted, nothing, nothing, 0)


@compiled
def count(
    starts: Array, ends: Array, actor: Array, at: Array, codes: Array, bits: Array, all_bits: Array,
    value: Array, rank_of: Array, kinds: Array, edges: Array, number: Array, low: int, high: int,
    timeout: int, longest: int, values: int, buckets: int, by_person: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(series, values, buckets) counts, and of these the units first seen there; (series, values) totals."""
    series = len(kinds)
    counts = np.zeros((series, values, buckets), np.int64)
    new = np.zeros((series, values, buckets), np.int64)
    totals = np.zeros((series, values), np.int64)
    stamp = np.zeros((series, values, buckets), np.int64)
    stamp_ever = np.zeros((series, values), np.int64)
    sessions = False
    for s in range(series):
        sessions = sessions or kinds[s] == 2
    session = 0
    grouped = len(value) > 0
    last = len(number) - 1
    for k in range(len(starts)):
        person = not by_person or actor[k] > 0
        fresh = True
        first, before = 0, 0
        place = 0
        for i in range(starts[k], ends[k]):
            code = codes[i]
            t = at[i]
            if sessions and all_bits[code] >= 0x80000000:
                if fresh or t - before > timeout or t - first > longest:
                    session += 1
                    first = t
                    fresh = False
                before = t
            found = bits[code] >> 1
            if found == 0 or t < low or t >= high:
                continue
            g = 0
            if grouped:
                g = rank_of[value[i]]
                if g < 0:
                    continue
            if t >= edges[place + 1]:
                under, over = place + 1, last
                while under < over:
                    middle = (under + over + 1) // 2
                    if edges[middle] <= t:
                        under = middle
                    else:
                        over = middle - 1
                place = under
            b = number[place]
            for s in range(series):
                if (found >> s) & 1 == 0:
                    continue
                kind = kinds[s]
                if kind == 0:
                    counts[s, g, b] += 1
                    new[s, g, b] += 1
                    totals[s, g] += 1
                    continue
                if kind == 1 and not person:
                    continue
                unit = k + 1 if kind == 1 else session
                if stamp[s, g, b] != unit:
                    stamp[s, g, b] = unit
                    counts[s, g, b] += 1
                if stamp_ever[s, g] != unit:
                    stamp_ever[s, g] = unit
                    new[s, g, b] += 1
                    totals[s, g] += 1
    return counts, new, totals
