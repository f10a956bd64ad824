"""How each person came to use something in each company: the first and last day, the first of value, the habit."""

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
from uptake.activity.question import Selector

FIELDS = ("person", "company", "first", "last", "value", "days", "gap", "weeks")
NEVER = -(2**31)


@dataclass(frozen=True)
class Use:
    """One person (a negative number: an identity nobody has claimed) in one company (0: unassigned)."""

    person: int
    company: int
    first: date
    """The first business date with activity."""
    last: date
    value: date | None
    """The first business date with a core action; None: there was none."""
    days: int
    """Different days with activity."""
    gap: float | None
    """The median number of days from one active day to the next; None: active on one day only."""
    weeks: int
    """Of the last weeks, those with activity; the last of them ends with the last day asked about."""


@dataclass(frozen=True)
class Uses:
    """Everybody's use, in columns (see `FIELDS`)."""

    columns: tuple[Array, ...]

    def rows(self) -> list[Use]:
        """As values, by person and company."""
        plain = (column.tolist() for column in self.columns)
        return [
            Use(
                person, company, day_of(first), day_of(last), None if value == NEVER else day_of(value), int(days),
                None if gap != gap else gap, int(weeks),
            )
            for person, company, first, last, value, days, gap, weeks in zip(*plain, strict=True)
        ]  # fmt: skip

    def to_arrow(self) -> pa.Table:
        """One row per person and company; days as days since 1970."""
        return pa.table(dict(zip(FIELDS, self.columns, strict=True)))


def use(
    log: ActivityLog,
    *,
    last: date,
    companies: Collection[int] | None = None,
    sources: Collection[str] | None = None,
    core: Collection[str] | None = None,
    weeks: int = 4,
) -> Uses:
    """Up to the business date `last`, in these companies by these sources (None: all), of what counts as activity.

    `core`: names of the events of value (None: any that counts as activity); `weeks`: how many weeks a habit is
    looked for in, counted back from `last`.
    """

    def fold_all(snapshot: Snapshot) -> tuple[Array, ...]:
        sieve = Sieve(snapshot, companies=companies, sources=sources)
        valued = Sieve(snapshot, selector=Selector(tuple(core) if core is not None else None))

        def of(bucket: int) -> tuple[Array, ...]:
            names = ["person", "company", "business_day"]
            columns = snapshot.columns(bucket, names)
            keep = np.flatnonzero(sieve.mask(bucket) & (columns["business_day"] <= day_number(last)))
            core_row = valued.mask(bucket)[keep]
            person, company, day = (columns[name][keep] for name in names)
            return fold(person, company, day, core_row, day_number(last), weeks)

        parts = each_bucket(snapshot, of)
        return tuple(np.concatenate([part[index] for part in parts]) for index in range(len(FIELDS)))

    def tell(snapshot: Snapshot, found: tuple[Array, ...]) -> Uses:
        order = np.lexsort((found[1], found[0]))
        return Uses(tuple(column[order] for column in found))

    return log.summing(fold_all, tell, asked("use", last, companies, sources, core, weeks), _moved)


def _moved(found: tuple[Array, ...], before: tuple[Array, ...], now: tuple[Array, ...]) -> tuple[Array, ...]:
    """The rows of people with those of some put in the place of what they were."""
    stay = ~np.isin(found[0], before[0])
    return tuple(np.concatenate([was[stay], new]) for was, new in zip(found, now, strict=True))


def fold(person: Array, company: Array, day: Array, core: Array, last: int, weeks: int) -> tuple[Array, ...]:
    """The columns of `FIELDS` of rows that all count."""
    if not len(person):
        return tuple(np.zeros(0, np.float64 if name == "gap" else np.int64) for name in FIELDS)
    order = np.lexsort((day, company, person))
    person, company, day, core = (one[order].astype(np.int64) for one in (person, company, day, core))
    new_pair = np.append(True, (person[1:] != person[:-1]) | (company[1:] != company[:-1]))
    starts = np.flatnonzero(new_pair)
    value = np.minimum.reduceat(np.where(core > 0, day, 2**31), starts)
    kept = np.flatnonzero(new_pair | np.append(True, day[1:] != day[:-1]))
    pair = (np.cumsum(new_pair) - 1)[kept]
    day = day[kept]
    begin = np.flatnonzero(np.append(True, pair[1:] != pair[:-1]))
    days = np.diff(np.append(begin, len(day)))
    week = (last - day) // 7
    new_week = np.append(True, (week[1:] != week[:-1]) | (pair[1:] != pair[:-1])) & (week < weeks)
    return (
        person[starts], company[starts], day[begin], day[begin + days - 1], np.where(value == 2**31, NEVER, value),
        days, _gaps(pair, day, len(begin)), np.bincount(pair[new_week], minlength=len(begin)),
    )  # fmt: skip


def _gaps(pair: Array, day: Array, pairs: int) -> Array:
    """The median difference of neighbouring days of each pair; not a number where there is one day only."""
    same = np.flatnonzero(pair[1:] == pair[:-1])
    gap, whose = day[same + 1] - day[same], pair[same]
    order = np.lexsort((gap, whose))
    gap = gap[order]
    count = np.bincount(whose, minlength=pairs)
    start = np.cumsum(count) - count
    found = np.full(pairs, np.nan)
    there = np.flatnonzero(count)
    low, high = start[there] + (count[there] - 1) // 2, start[there] + count[there] // 2
    found[there] = (gap[low] + gap[high]) / 2
    return found
