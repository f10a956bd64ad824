"""Who was there in which interval: the common ground of retention, lifecycle, stickiness and seats.

Two kernels: `first_rows` looks for one event per actor and interval and skips the rest of it; `visits` counts every
event, per value of a breakdown where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from uptake.activity.asking import OTHER, Asked, Groups, ranks_of
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import Histories, each_history
from uptake.activity.periods import Buckets, buckets_between, first_of, next_first
from uptake.activity.question import By, Moment, QuestionRefused, shown
from uptake.activity.visits import each_visit, first_visits, slots_of

Part = TypeVar("Part")
LONG_AGO = -(2**62)
"""An instant before every event."""
STRIDE = 8
"""Rows a leap takes at once at first."""
STRIDES = 16
"""So many of one length, and the next are twice as long."""


@dataclass(frozen=True)
class Intervals:
    """Intervals in a row; `number[i]` is the one of instants in [edges[i], edges[i+1])."""

    edges: Array
    number: Array
    count: int
    labels: tuple[str, ...]
    ends: tuple[int, ...]
    """The instant at which each interval is over."""

    @cached_property
    def slots(self) -> Array:
        """By day from the first edge on the interval, where the edges are days."""
        return slots_of(self.edges, self.number)

    def unfinished(self, as_of: int | None) -> tuple[bool, ...] | None:
        """Which intervals are not over at an instant; None: no instant is given."""
        return None if as_of is None else tuple(end > as_of + 1 for end in self.ends)


def intervals_from(start: Moment, count: int, interval: str, zone: str, week_start: str) -> Intervals:
    """`count` whole intervals, the first of them the one that holds `start`."""
    if interval == "hour":
        skipped = _hour_of(start, zone)
        last = start.day + timedelta(days=(skipped + count) // 24 + 1)
        return _cut(buckets_between(start.day, last, "hour", zone), skipped, count)
    first = last = first_of(start.day, interval, week_start)
    for _ in range(count - 1):
        last = next_first(last, interval)
    return _cut(buckets_between(first, last, interval, zone, week_start), 0, count)


def intervals_until(end: Moment, count: int, interval: str, zone: str, week_start: str) -> Intervals:
    """`count` whole intervals, the last of them the one that holds `end`."""
    if interval == "hour":
        hour = _hour_of(end, zone) if end.at is not None else 23
        first = end.day - timedelta(days=count // 24 + 1)
        return _cut(
            buckets_between(first, end.day, "hour", zone), (end.day - first).days * 24 + hour + 1 - count, count
        )
    first = first_of(end.day, interval, week_start)
    for _ in range(count - 1):
        first = first_of(first - timedelta(days=1), interval, week_start)
    return intervals_from(Moment(first), count, interval, zone, week_start)


def intervals_over(first: date, last: date, interval: str, zone: str, week_start: str) -> Intervals:
    """The whole intervals that touch the local dates from `first` to `last`."""
    buckets = buckets_between(first, last, interval, zone, week_start)
    return _cut(buckets, 0, len(buckets.labels))


def with_all_before(of: Intervals, interval: str, zone: str, week_start: str) -> Intervals:
    """The same with two more in front: all time before, and the interval just before the first."""
    first = date.fromisoformat(of.labels[0][:10])
    if interval == "hour":
        day_before = buckets_between(first - timedelta(days=1), first, "hour", zone)
        hour = 24 + int(of.labels[0][11:13])
        begin = int(day_before.edges[:-1][day_before.number == hour - 1][0])
    else:
        before = first_of(first - timedelta(days=1), interval, week_start)
        begin = int(buckets_between(before, before, interval, zone, week_start).edges[0])
    edges = np.concatenate([np.array([LONG_AGO, begin], np.int64), of.edges])
    number = np.concatenate([np.array([0, 1], np.int64), of.number + 2])
    return Intervals(edges, number, of.count + 2, ("", "", *of.labels), (begin, int(of.edges[0]), *of.ends))


def _hour_of(at: Moment, zone: str) -> int:
    """The hour of the day in which an instant lies; 0 for a whole day."""
    if at.at is None:
        return 0
    hours = buckets_between(at.day, at.day, "hour", zone)
    return int(hours.number[np.searchsorted(hours.edges, at.at, side="right") - 1])


def _cut(buckets: Buckets, skipped: int, count: int) -> Intervals:
    """Those numbered from `skipped` on, `count` of them."""
    inside = np.flatnonzero((buckets.number >= skipped) & (buckets.number < skipped + count))
    first, last = int(inside[0]), int(inside[-1])
    edges, number = buckets.edges[first : last + 2], buckets.number[first : last + 1] - skipped
    ends = np.full(count, edges[-1], np.int64)
    for place in range(len(number) - 1, -1, -1):  # an interval the clock skips is over when the next one begins
        ends[: number[place] + 1] = edges[place + 1]
    ends = np.maximum.accumulate(ends)
    labels = buckets.labels[skipped : skipped + count]
    return Intervals(edges, np.ascontiguousarray(number), count, labels, tuple(ends.tolist()))


def people_of(history: Histories) -> tuple[Array, Array, Array]:
    """Starts, ends and codes of those who are counted: identities nobody has claimed are not people."""
    known = history.people
    return known.starts, known.ends, known.actor


def people_between(asked: Asked, spans: Intervals, value: object = None, groups: Groups | None = None) -> Array:
    """Codes, sorted, of the people with an event of the question's selector in any of the intervals; with a `value`,
    one of that value of the question's `by`."""
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person" where people are asked for')
    if value is not None and (groups is None or value not in groups.labels):
        raise QuestionRefused("value", "a value of the breakdown", shown(value))

    def of(history: Histories, spans: Intervals) -> Array:
        starts, ends, actor = people_of(history)
        if groups is not None and value is not None:
            who, which, _ = visits_by(history, starts, ends, 0, spans, groups)
            found: Array = actor[who[which == groups.labels.index(str(value))]]
        else:
            found = actor[(presence(history, starts, ends, 0, spans) >= 0).any(axis=1)]
        return found

    by = asked.question.by if value is not None else None
    return np.unique(np.concatenate(each_presence(asked, spans, of, by)))


def each_presence(
    asked: Asked, intervals: Intervals, fold: Callable[[Histories, Intervals], Part], by: By | None
) -> list[Part]:
    """What the fold makes of each bucket's visits where they say enough of who was there when, else of its rows.

    The fold is given the intervals as its histories count time."""
    selectors = (asked.question.selector,)
    parts = each_visit(asked, selectors, intervals.edges, in_days(fold, intervals), by)
    if parts is not None:
        return parts
    return each_history(asked, selectors, lambda history: fold(history, intervals), breakdown=by)


def in_days(
    fold: Callable[[Histories, Intervals], Part], intervals: Intervals
) -> Callable[[Histories, Array], Part]:  # fmt: skip
    """A fold of histories and intervals as one of visits, whose edges are days."""
    known: list[Intervals] = []

    def of(history: Histories, days: Array) -> Part:
        if not known:
            known.append(replace(intervals, edges=days))
        return fold(history, known[0])

    return of


def bit_of(selector: int) -> Any:
    """The bit of a selector, of the type of the bits of histories."""
    return np.uint32(1 << selector)


def presence(history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals) -> Array:
    """(actors, intervals) int32: the row of each actor's first event of the selector in each interval; -1: none."""
    if len(history.many):
        first = int(intervals.edges[0])
        return first_visits(starts, ends, history.at, history.codes, intervals.slots, first, intervals.count)
    return first_rows(
        starts, ends, history.at, history.codes, history.bits, bit_of(selector),
        intervals.edges, intervals.number, intervals.count,
    )  # fmt: skip


def counts(history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals) -> Array:
    """(actors, intervals) int32: each actor's events of the selector in each interval."""
    return count_rows(
        starts, ends, history.at, history.codes, history.bits, bit_of(selector),
        intervals.edges, intervals.number, intervals.count,
    )  # fmt: skip


def visits_by(
    history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals, groups: Groups
) -> tuple[Array, Array, Array]:
    """For every actor and value of the breakdown with an event of the selector in the intervals: the actor's place,
    the place of the value in `groups.labels`, and (pairs, intervals) int32 of events."""
    return visits(history, starts, ends, selector, intervals, ranks_of(history.labels, groups))


def visits(
    history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals, rank: Array
) -> tuple[Array, Array, Array]:
    """As `visits_by`, with the place of each label given; -1: its events do not count."""
    room = max(64, 4 * len(starts))
    values = int(rank.max(initial=0)) + 1
    while True:
        who, which = np.empty(room, np.int32), np.empty(room, np.int32)
        events = np.zeros((room, intervals.count), np.int32)
        pairs = count_pairs(
            starts, ends, history.at, history.codes, history.bits, bit_of(selector), history.group, rank, values,
            intervals.edges, intervals.number, who, which, events,
        )  # fmt: skip
        if pairs <= room:
            return who[:pairs], which[:pairs], events[:pairs]
        room = pairs


def ranked(sizes: Mapping[str, int], limit: int) -> Groups:
    """The values with the most actors, at most `limit`."""
    order = sorted(sizes, key=lambda text: (-sizes[text], text))
    return Groups(tuple(order[:limit]), len(order) > limit)


def label_of(text: str, groups: Groups) -> str:
    """The label under which a value stands in the answer."""
    return text if text in groups.values else OTHER


@compiled
def leap(at: Array, row: int, end: int, limit: int) -> Any:
    """The first row from `row` on at or after the instant `limit`; `end`: none."""
    place, stop = np.uint64(row), np.uint64(end)  # what cannot be negative is indexed faster
    step = np.uint64(STRIDE)
    strides = 0
    while place + step < stop and at[place + step] < limit:
        place += step
        strides += 1
        if strides == STRIDES:
            strides = 0
            step *= np.uint64(2)
    while step > np.uint64(STRIDE):
        step //= np.uint64(2)
        if place + step < stop and at[place + step] < limit:
            place += step
    while place < stop and at[place] < limit:
        place += np.uint64(1)
    return np.int64(place)


@compiled
def first_rows(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, bit: Any,
    edges: Array, number: Array, intervals: int,
) -> Array:  # fmt: skip
    """(actors, intervals) int32: the first row with the bit in each interval; -1: none."""
    found = np.full((len(starts), intervals), -1, np.int32)
    last = len(edges) - 1
    for a in range(len(starts)):
        row, end = starts[a], ends[a]
        if row < end and at[row] < edges[0]:
            row = leap(at, row, end, edges[0])
        place = 0
        while row < end:
            t = at[row]
            if t >= edges[last]:
                break
            if t >= edges[place + 1]:
                place += 1
                if t >= edges[place + 1]:
                    high = last - 1
                    while place < high:
                        middle = (place + high + 1) // 2
                        if edges[middle] <= t:
                            place = middle
                        else:
                            high = middle - 1
            stop = leap(at, row, end, edges[place + 1])
            column = number[place]
            if found[a, column] < 0:
                for i in range(row, stop):
                    if bits[codes[i]] & bit:
                        found[a, column] = i
                        break
            row = stop
    return found


@compiled
def count_rows(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, bit: Any,
    edges: Array, number: Array, intervals: int,
) -> Array:  # fmt: skip
    """(actors, intervals) int32: rows with the bit in each interval."""
    found = np.zeros((len(starts), intervals), np.int32)
    last = len(edges) - 1
    for a in range(len(starts)):
        row, end = starts[a], ends[a]
        if row < end and at[row] < edges[0]:
            row = leap(at, row, end, edges[0])
        place = 0
        while row < end and at[row] < edges[last]:
            while at[row] >= edges[place + 1]:
                place += 1
            stop = leap(at, row, end, edges[place + 1])
            many = 0
            for i in range(row, stop):
                if bits[codes[i]] & bit:
                    many += 1
            found[a, number[place]] += many
            row = stop
    return found


@compiled
def count_pairs(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, bit: Any, group: Array, rank: Array, values: int,
    edges: Array, number: Array, who: Array, which: Array, events: Array,
) -> int:  # fmt: skip
    """Writes actor, value and rows per interval of every pair of actor and value; how many pairs there are.

    What finds no room in the arrays is only counted."""
    pairs = 0
    slot = np.full(values, -1, np.int64)
    whose = np.full(values, -1, np.int64)
    last = len(edges) - 1
    room = len(who)
    for a in range(len(starts)):
        row, end = starts[a], ends[a]
        if row < end and at[row] < edges[0]:
            row = leap(at, row, end, edges[0])
        place = 0
        while row < end and at[row] < edges[last]:
            while at[row] >= edges[place + 1]:
                place += 1
            stop = leap(at, row, end, edges[place + 1])
            column = number[place]
            for i in range(row, stop):
                if bits[codes[i]] & bit:
                    value = rank[group[i]]
                    if value >= 0:
                        if whose[value] != a:
                            whose[value] = a
                            slot[value] = pairs
                            if pairs < room:
                                who[pairs] = a
                                which[pairs] = value
                            pairs += 1
                        if slot[value] < room:
                            events[slot[value], column] += 1
            row = stop
    return pairs


@compiled
def first_match(starts: Array, ends: Array, at: Array, codes: Array, bits: Array, bit: Any, after: int) -> Array:
    """int64 per actor: the first row with the bit at or after an instant; -1: none."""
    found = np.full(len(starts), -1, np.int64)
    for a in range(len(starts)):
        row, end = starts[a], ends[a]
        if row < end and at[row] < after:
            row = leap(at, row, end, after)
        while row < end:
            if bits[codes[row]] & bit:
                found[a] = row
                break
            row += 1
    return found


@compiled
def first_of_name(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, name: Any, passing: Any
) -> Array:  # fmt: skip
    """int64 per actor: the first row with the bit `name`, if it or one at the same instant also has `passing`."""
    found = np.full(len(starts), -1, np.int64)
    for a in range(len(starts)):
        row, end = starts[a], ends[a]
        while row < end and not bits[codes[row]] & name:
            row += 1
        if row == end:
            continue
        instant = at[row]
        while row < end and at[row] == instant:
            if bits[codes[row]] & name and bits[codes[row]] & passing:
                found[a] = row
                break
            row += 1
    return found
