"""By what rhythm everybody was active: first and last day, the usual gap, days of the last weeks and of two spans."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.conditions import Sieve
from uptake.activity.log import ActivityLog, Snapshot, asked, each_bucket
from uptake.activity.periods import day_number, day_of

FIELDS = ("person", "first", "last", "gap", "recent", "earlier", "used")
USED_DAYS = 56
"""What somebody used to do is told of the eight weeks up to the own last active day."""
SHIFT = 20
OFFSET = 1 << (SHIFT - 1)


@dataclass(frozen=True)
class Rhythm:
    """One person's days with activity in the places asked about."""

    person: int
    first: date
    last: date
    gap: float | None
    """The median number of days from one active day to the next; None: active on one day only."""
    recent: int
    """Active days from `recent` up to the last day asked about."""
    earlier: int
    """Active days from `earlier` up to the day before `recent`."""
    used: float
    """Days a week over the eight weeks (fewer, where there were no more) up to the own last active day."""
    weeks: tuple[int, ...]
    """Active days of each of the last weeks; the last of them ends with the last day asked about."""


@dataclass(frozen=True)
class Rhythms:
    """Everybody's, in columns by person (see `FIELDS`; days as days since 1970), and days by person and week."""

    columns: tuple[Array, ...]
    weeks: Array

    def get(self, person: int) -> Rhythm | None:
        """One person's; None: never active."""
        people = self.columns[0]
        place = int(np.searchsorted(people, person))
        if place >= len(people) or people[place] != person:
            return None
        first, last, gap, recent, earlier, used = (column[place].item() for column in self.columns[1:])
        return Rhythm(
            person, day_of(first), day_of(last), None if gap != gap else gap, int(recent), int(earlier), used,
            tuple(self.weeks[place].tolist()),
        )  # fmt: skip

    def to_arrow(self) -> pa.Table:
        """One row per person; weeks is a list."""
        return pa.table({**dict(zip(FIELDS, self.columns, strict=True)), "weeks": list(self.weeks)})


def rhythm(
    log: ActivityLog,
    *,
    last: date,
    recent: date,
    earlier: date,
    weeks: int = 16,
    companies: Collection[int] | None = None,
    departments: Collection[int] | None = None,
    sources: Collection[str] | None = None,
) -> Rhythms:
    """Up to the business date `last`, of what counts as activity in these companies and departments by these sources
    (None: all). `earlier` ≤ `recent` ≤ `last` begin the two spans whose active days are counted."""

    def fold_all(snapshot: Snapshot) -> tuple[Array, ...]:
        sieve = Sieve(snapshot, companies=companies, departments=departments, sources=sources)

        def of(bucket: int) -> tuple[Array, ...]:
            columns = snapshot.columns(bucket, ["person", "business_day"])
            person, day = columns["person"], columns["business_day"]
            keep = np.flatnonzero(sieve.mask(bucket) & (person > 0) & (day <= day_number(last)))
            return fold(
                person[keep].astype(np.int64), day[keep].astype(np.int64),
                day_number(last), day_number(recent), day_number(earlier), weeks,
            )  # fmt: skip

        parts = each_bucket(snapshot, of)
        return tuple(np.concatenate([part[index] for part in parts]) for index in range(len(FIELDS) + 1))

    def tell(snapshot: Snapshot, found: tuple[Array, ...]) -> Rhythms:
        order = np.argsort(found[0], kind="stable")
        *columns, days = (column[order] for column in found)
        return Rhythms(tuple(columns), days)

    key = asked("rhythm", last, recent, earlier, weeks, companies, departments, sources)
    return log.summing(fold_all, tell, key, _moved)


def _moved(found: tuple[Array, ...], before: tuple[Array, ...], now: tuple[Array, ...]) -> tuple[Array, ...]:
    """The rows of people with those of some put in the place of what they were."""
    stay = ~np.isin(found[0], before[0])
    return tuple(np.concatenate([was[stay], new]) for was, new in zip(found, now, strict=True))


def fold(person: Array, day: Array, last: int, recent: int, earlier: int, weeks: int) -> tuple[Array, ...]:
    """The columns of `FIELDS` and the weeks, of rows that all count."""
    keys = (person << SHIFT) + (day + OFFSET)
    if len(keys) and not (keys[1:] >= keys[:-1]).all():
        keys.sort()
    keys = keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
    person, day = keys >> SHIFT, (keys & ((1 << SHIFT) - 1)) - OFFSET
    begin = np.flatnonzero(np.append(True, person[1:] != person[:-1])) if len(keys) else np.zeros(0, np.int64)
    if not len(begin):
        empty = np.zeros(0, np.int64)
        return *(empty.astype(float) if name in ("gap", "used") else empty for name in FIELDS), np.zeros(
            (0, weeks), int
        )
    count = np.diff(np.append(begin, len(day)))
    whose = np.repeat(np.arange(len(begin)), count)
    own_first, own_last = day[begin], day[begin + count - 1]
    used = np.bincount(whose[day > own_last[whose] - USED_DAYS], minlength=len(begin))
    span = np.minimum(own_last - own_first + 1, USED_DAYS)
    week = weeks - 1 - (last - day) // 7
    inside = week >= 0
    by_week = np.bincount(whose[inside] * weeks + week[inside], minlength=len(begin) * weeks)
    return (
        person[begin], own_first, own_last, _gaps(whose, day, count),
        np.bincount(whose[day >= recent], minlength=len(begin)),
        np.bincount(whose[(day >= earlier) & (day < recent)], minlength=len(begin)),
        used / np.maximum(1.0, span / 7), by_week.reshape(len(begin), weeks),
    )  # fmt: skip


def _gaps(whose: Array, day: Array, count: Array) -> Array:
    """The median difference of neighbouring days of each; not a number where there is one day only."""
    same = np.flatnonzero(whose[1:] == whose[:-1])
    gap = (day[same + 1] - day[same])[np.lexsort((day[same + 1] - day[same], whose[same]))]
    many = count - 1
    start = np.cumsum(many) - many
    found = np.full(len(count), np.nan)
    there = np.flatnonzero(many)
    low, high = start[there] + (many[there] - 1) // 2, start[there] + many[there] // 2
    found[there] = (gap[low] + gap[high]) / 2
    return found
