"""The people of a place: when they were last active, how much they did, and on which days."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.log import ActivityLog, Snapshot, asked, buckets_with, each_bucket
from uptake.activity.periods import EPOCH, MICROSECOND, day_number, day_of
from uptake.activity.summaries.runs import SieveOfRuns, last_alive

BEFORE = -(2**31)
"""A business date before every event."""


@dataclass(frozen=True)
class PersonActivity:
    """One person, in the companies and departments asked about."""

    person: int
    events: int
    """In the period."""
    active_days: int
    """Business dates of the period with an event."""
    last_at: datetime
    """The last event up to the end of the period (UTC), also where it lies before the period."""
    last_day: date
    """Its business date."""
    per_day: tuple[int, ...]
    """Events per date of the last `spark_days` dates of the period."""


@dataclass(frozen=True)
class People:
    """Everyone with an event up to the end of the period, by number."""

    rows: tuple[PersonActivity, ...]
    unidentified_events: int
    """Events in the period of identities that are nobody's yet."""
    spark_first: date
    """The date of the first entry of `per_day`."""

    def to_arrow(self) -> pa.Table:
        """One row per person; per_day is a list."""
        names = list(PersonActivity.__dataclass_fields__)
        return pa.table({name: [getattr(row, name) for row in self.rows] for name in names})


def people(
    log: ActivityLog,
    *,
    first: date,
    last: date,
    companies: Collection[int] | None = None,
    departments: Collection[int] | None = None,
    persons: Collection[int] | None = None,
    spark_days: int = 30,
) -> People:
    """What each person did by business date in these companies (of the event's row) and departments; None: all."""

    def fold_all(snapshot: Snapshot) -> tuple[Array, ...]:
        codes = None if persons is None else snapshot.person_codes(persons)
        sieve = SieveOfRuns(snapshot, companies=companies, departments=departments, only_persons=codes)

        def of(bucket: int) -> tuple[Array, Array, Array]:
            runs = sieve.of(bucket, (BEFORE, day_number(last)))
            many, ends = sieve.many(bucket, runs), runs.end - 1
            if len(sieve.alive):
                ends = last_alive(runs.begin, runs.end, sieve.events(bucket), sieve.alive)
            there = many > 0
            at = snapshot.columns(bucket, ["happened_at"])["happened_at"][ends[there]]
            person = runs.person[there]
            people = len(np.unique(person))
            return count(
                person, runs.day[there], at, many[there], day_number(first), day_number(last), spark_days, people
            )

        parts = each_bucket(snapshot, of, None if codes is None else buckets_with(snapshot, codes))
        return tuple(np.concatenate([part[index] for part in parts]) for index in range(3))

    def tell(snapshot: Snapshot, found: tuple[Array, ...]) -> People:
        rows = _rows(*found)
        identified = sorted((row for row in rows if row.person > 0), key=lambda row: row.person)
        unidentified = sum(row.events for row in rows if row.person < 0)
        return People(tuple(identified), unidentified, last - timedelta(days=spark_days - 1))

    key = asked("people", first, last, companies, departments, persons, spark_days)
    return log.summing(fold_all, tell, key, _moved)


def _moved(found: tuple[Array, ...], before: tuple[Array, ...], now: tuple[Array, ...]) -> tuple[Array, ...]:
    """The rows of people with those of some put in the place of what they were."""
    stay = ~np.isin(found[0][:, 0], before[0][:, 0])
    return tuple(np.concatenate([was[stay], new]) for was, new in zip(found, now, strict=True))


def _rows(numbers: Array, last_at: Array, per_day: Array) -> list[PersonActivity]:
    instants: list[Any] = last_at.tolist()
    return [
        PersonActivity(person, events, days, EPOCH + at * MICROSECOND, day_of(day), tuple(spark))
        for (person, events, days, day), at, spark in zip(numbers.tolist(), instants, per_day.tolist(), strict=True)
    ]


@compiled
def count(
    person: Array, day: Array, at: Array, many: Array, first: int, last: int, spark_days: int, people: int
) -> tuple[Array, Array, Array]:
    """(people, 4) person, events, active days, last day; (people,) last instant; (people, spark_days) events.

    Of runs that end with `last`: at is the last instant of each, many its rows that count (one at least)."""
    numbers = np.zeros((people, 4), np.int64)
    last_at = np.zeros(people, np.int64)
    per_day = np.zeros((people, spark_days), np.int64)
    run = -1
    counted_day = 0
    for i in range(len(person)):
        if i == 0 or person[i] != person[i - 1]:
            run += 1
            counted_day = first - 1
            numbers[run, 0] = person[i]
        d = day[i]
        last_at[run] = at[i]
        numbers[run, 3] = d
        if d >= first:
            numbers[run, 1] += many[i]
            if d > counted_day:
                counted_day = d
                numbers[run, 2] += 1
            if d > last - spark_days:
                per_day[run, d - last + spark_days - 1] += many[i]
    return numbers, last_at, per_day
