"""Cuts time into local days, weeks, months: the edges, as instants, between which an event falls.

Buckets come from the wall clock of the zone. A day is [local midnight, next local midnight), so it may last 23 or
25 hours. An hour is a reading of the clock: the hour that is shown twice is one bucket (with two hours of events),
the hour that is skipped stands with nothing in it, and so every day has the same 24 of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from uptake.basics.business_day import start_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_ZERO = date(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
INTERVALS = ("hour", "day", "week", "month", "quarter")
WEEK_STARTS = ("monday", "sunday")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Buckets:
    """`number[i]` is the bucket of instants in [edges[i], edges[i+1]); `labels` name the buckets by their start."""

    edges: Ints
    """Microseconds since 1970 UTC, increasing; one more than `number`."""
    number: Ints
    labels: tuple[str, ...]


def microseconds(at: datetime) -> int:
    """The instant as microseconds since 1970 UTC."""
    return (at - EPOCH) // MICROSECOND


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - DAY_ZERO).days


def day_of(number: int) -> date:
    return DAY_ZERO + timedelta(days=int(number))


def midnight(day: date, zone: str) -> int:
    """The instant at which the local date starts, in microseconds."""
    return microseconds(start_of(day, zone))


def local_date(at: int, zone: str) -> date:
    """The local date of an instant in microseconds."""
    return (EPOCH + int(at) * MICROSECOND).astimezone(ZoneInfo(zone)).date()


def first_of(day: date, interval: str, week_start: str = "monday") -> date:
    """The first date of the day, week, month or quarter that holds `day`."""
    if interval == "week":
        return day - timedelta(days=day.weekday() if week_start == "monday" else (day.weekday() + 1) % 7)
    if interval == "month":
        return day.replace(day=1)
    if interval == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day


def next_first(first: date, interval: str) -> date:
    """The first date of the following day, week, month or quarter."""
    if interval == "week":
        return first + timedelta(days=7)
    if interval == "month":
        return (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    if interval == "quarter":
        return (first.replace(month=first.month + 2, day=28) + timedelta(days=4)).replace(day=1)
    return first + timedelta(days=1)


@lru_cache(maxsize=256)
def buckets_between(first: date, last: date, interval: str, zone: str, week_start: str = "monday") -> Buckets:
    """The buckets that touch the local dates from `first` to `last` (both inclusive), whole ones."""
    if interval == "hour":
        return _hours(first, last, zone)
    starts = [first_of(first, interval, week_start)]
    while starts[-1] <= last:
        starts.append(next_first(starts[-1], interval))
    edges = np.array([midnight(day, zone) for day in starts], dtype=np.int64)
    return Buckets(edges, np.arange(len(starts) - 1, dtype=np.int64), tuple(day.isoformat() for day in starts[:-1]))


def _hours(first: date, last: date, zone: str) -> Buckets:
    """Hours by the reading of the clock, between changes of the clock a row of equal ones."""
    low, high = start_of(first, zone), start_of(last + timedelta(days=1), zone)
    turns = [low, *_clock_changes(low, high, zone), high]
    origin = datetime.combine(first, datetime.min.time())
    edges: list[int] = []
    number: list[int] = []
    for begin, end in pairwise(turns):
        at = begin
        while at < end:
            wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
            edges.append(microseconds(at))
            number.append((wall - origin) // timedelta(hours=1))
            rest = timedelta(hours=1) - timedelta(
                minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond
            )
            at = min(at + rest, end)
    edges.append(microseconds(high))
    count = ((last - first).days + 1) * 24
    labels = tuple((origin + timedelta(hours=hour)).isoformat(timespec="minutes") for hour in range(count))
    return Buckets(np.array(edges, dtype=np.int64), np.array(number, dtype=np.int64).clip(0, count - 1), labels)


def _clock_changes(low: datetime, high: datetime, zone: str) -> list[datetime]:
    """The instants in (low, high) at which the clock of the zone is moved, to the second."""
    tz = ZoneInfo(zone)
    changes = []
    at = low
    while at < high:
        then = min(at + timedelta(days=1), high)
        if at.astimezone(tz).utcoffset() != then.astimezone(tz).utcoffset():
            before, after = at, then
            while after - before > timedelta(seconds=1):
                middle = (before + (after - before) / 2).replace(microsecond=0)
                if middle <= before:
                    break
                if middle.astimezone(tz).utcoffset() == at.astimezone(tz).utcoffset():
                    before = middle
                else:
                    after = middle
            changes.append(after)
        at = then
    return [change for change in changes if change < high]
