"""Who was there in which interval: the common ground of retention, lifecycle, stickiness and seats.

Two kernels: `first_rows` looks for one event per actor and interval and skips the rest of it; `visits` counts every
event, per value of a breakdown where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from uptake.activity.asking import OTHER, Groups
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import Histories
from uptake.activity.periods import Buckets, buckets_between, first_of, next_first
from uptake.activity.question import Moment

LONG_AGO = -(2**62)
"""An instant before every event."""
STEPS = 48
"""Rows walked one by one before a leap is worth its cost."""


@dataclass(frozen=True)
class Intervals:
    """Intervals in a row; `number[i]` is the one of instants in [edges[i], edges[i+1])."""

    edges: Array
    number: Array
    count: int
    labels: tuple[str, ...]
    ends: tuple[int, ...]
    """The instant at which each interval is over."""

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
    known = history.actor > 0
    if known.all():
        return history.starts, history.ends, history.actor
    return history.starts[known], history.ends[known], history.actor[known]


def bit_of(selector: int) -> Any:
    """The bit of a selector, of the type of the bits of histories."""
    return np.uint32(1 << selector)


def presence(history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals) -> Array:
    """(actors, intervals) int32: the row of each actor's first event of the selector in each interval; -1: none."""
    return first_rows(
        starts, ends, history.at, history.codes, history.bits, bit_of(selector),
        intervals.edges, intervals.number, intervals.count,
    )  # fmt: skip


def counts(history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals) -> Array:
    """(actors, intervals) int32: each actor's events of the selector in each interval."""
    table = np.zeros(1, np.int32)
    who, _, found = visits(
        starts, ends, history.at, history.codes, history.bits, bit_of(selector),
        np.zeros(0, np.int32), table, intervals.edges, intervals.number, intervals.count,
    )  # fmt: skip
    whole = np.zeros((len(starts), intervals.count), np.int32)
    whole[who] = found
    return whole


def visits_by(
    history: Histories, starts: Array, ends: Array, selector: int, intervals: Intervals, groups: Groups
) -> tuple[Array, Array, Array]:
    """For every actor and value of the breakdown with an event of the selector in the intervals: the actor's place,
    the place of the value in `groups.labels`, and (pairs, intervals) int32 of events."""
    rank = ranks_of(history.labels, groups)
    return visits(
        starts, ends, history.at, history.codes, history.bits, bit_of(selector),
        history.group, rank, intervals.edges, intervals.number, intervals.count,
    )  # fmt: skip


def ranks_of(labels: tuple[str, ...], groups: Groups) -> Array:
    """For every label its place in the answer's; -1: it has none."""
    known = {text: place for place, text in enumerate(groups.values)}
    rest = len(groups.values) if groups.other else -1
    return np.array([known.get(text, rest) for text in labels] or [rest], np.int32)


def ranked(sizes: Mapping[str, int], limit: int) -> Groups:
    """The values with the most actors, at most `limit`."""
    order = sorted(sizes, key=lambda text: (-sizes[text], text))
    return Groups(tuple(order[:limit]), len(order) > limit)


def label_of(text: str, groups: Groups) -> str:
    """The label under which a value stands in the answer."""
    return text if text in groups.values else OTHER


@compiled
def leap(at: Array, row: int, end: int, limit: int) -> int:
    """The first row from `row` on at or after the instant `limit`; `end`: none."""
    stop = min(end, row + STEPS)
    while row < stop and at[row] < limit:
        row += 1
    if row < stop or row == end:
        return row
    step = STEPS
    low = row
    while low + step < end and at[low + step] < limit:
        low += step
        step *= 2
    high = min(low + step, end)
    while low < high:
        middle = (low + high) // 2
        if at[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


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
            limit = edges[place + 1]
            column = number[place]
            if found[a, column] < 0:
                while row < end and at[row] < limit:
                    if bits[codes[row]] & bit:
                        found[a, column] = row
                        break
                    row += 1
            row = leap(at, row, end, limit)
    return found


@compiled
def visits(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, bit: Any, group: Array, rank: Array,
    edges: Array, number: Array, intervals: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Actor, value and events per interval, for every pair of actor and value (rank by code; -1 does not count)."""
    room = max(16, len(starts))
    who = np.empty(room, np.int64)
    which = np.empty(room, np.int32)
    events = np.zeros((room, intervals), np.int32)
    pairs = 0
    highest = 0
    for one in rank:
        highest = max(highest, one)
    slot = np.full(highest + 1, -1, np.int64)
    whose = np.full(highest + 1, -1, np.int64)
    last = len(edges) - 1
    grouped = len(group) > 0
    for a in range(len(starts)):
        row, end = starts[a], ends[a]
        if row < end and at[row] < edges[0]:
            row = leap(at, row, end, edges[0])
        place = 0
        while row < end:
            t = at[row]
            if t >= edges[last]:
                break
            while t >= edges[place + 1]:
                place += 1
            if bits[codes[row]] & bit:
                value = rank[group[row]] if grouped else 0
                if value >= 0:
                    if whose[value] != a:
                        whose[value] = a
                        if pairs == room:
                            room *= 2
                            more_who = np.empty(room, np.int64)
                            more_which = np.empty(room, np.int32)
                            more_events = np.zeros((room, intervals), np.int32)
                            more_who[:pairs] = who
                            more_which[:pairs] = which
                            more_events[:pairs] = events
                            who, which, events = more_who, more_which, more_events
                        slot[value] = pairs
                        who[pairs] = a
                        which[pairs] = value
                        pairs += 1
                    events[slot[value], number[place]] += 1
            row += 1
    return who[:pairs], which[:pairs], events[:pairs]


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
