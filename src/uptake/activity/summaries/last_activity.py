"""When everybody was last active, and where; and from when to when the record reaches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.conditions import Sieve
from uptake.activity.log import ActivityLog, Snapshot, asked, buckets_with, each_bucket
from uptake.activity.periods import EPOCH, MICROSECOND, day_number, day_of
from uptake.activity.summaries.runs import SieveOfRuns


@dataclass(frozen=True)
class LastActivity:
    """A person's last event that counts as activity."""

    person: int
    at: datetime
    """UTC."""
    day: date
    """Its business date."""
    company: int
    department: int


@dataclass(frozen=True)
class LastActivities:
    """Everybody's last activity, in columns, by person; one person's or all silent ones' as values."""

    person: Array
    at: Array
    """Microseconds since 1970 UTC."""
    day: Array
    """Business dates as days since 1970."""
    company: Array
    department: Array

    def get(self, person: int) -> LastActivity | None:
        """One person's; None: never active."""
        place = int(np.searchsorted(self.person, person))
        return self._at(place) if place < len(self.person) and self.person[place] == person else None

    def before(self, day: date) -> list[LastActivity]:
        """Of those who have been silent since before the date, the longest silent first."""
        silent = np.flatnonzero(self.day < day_number(day))
        return [self._at(place) for place in silent[np.argsort(self.at[silent], kind="stable")].tolist()]

    def _at(self, place: int) -> LastActivity:
        return LastActivity(
            int(self.person[place]),
            EPOCH + int(self.at[place]) * MICROSECOND,
            day_of(self.day[place]),
            int(self.company[place]),
            int(self.department[place]),
        )

    def to_arrow(self) -> pa.Table:
        """One row per person."""
        return pa.table({name: getattr(self, name) for name in COLUMNS})


COLUMNS = ("person", "at", "day", "company", "department")


def last_activity(
    log: ActivityLog, *, companies: Collection[int] | None = None, persons: Collection[int] | None = None
) -> LastActivities:
    """Of the events of these companies (None: all), for these people (None: everybody)."""

    def ask(snapshot: Snapshot) -> LastActivities:
        codes = None if persons is None else snapshot.person_codes(persons)
        sieve = Sieve(snapshot, companies=companies, only_persons=codes)

        def of(bucket: int) -> list[Array]:
            names = ["person", "happened_at", "business_day", "company", "department"]
            columns = snapshot.columns(bucket, names)
            kept = np.flatnonzero(sieve.mask(bucket) & (columns["person"] > 0))
            person = columns["person"][kept]
            ends = kept[np.flatnonzero(np.append(person[1:] != person[:-1], True))] if len(kept) else kept
            return [columns[name][ends] for name in names]

        parts = each_bucket(snapshot, of, None if codes is None else buckets_with(snapshot, codes))
        joined = [np.concatenate([part[index] for part in parts]) for index in range(len(COLUMNS))]
        order = np.argsort(joined[0], kind="stable")
        return LastActivities(*(column[order] for column in joined))

    return log.reading(ask)


def extent(log: ActivityLog, *, companies: Collection[int] | None = None) -> tuple[date, date] | None:
    """The first and the last business date with activity; None: there is none."""

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        sieve = SieveOfRuns(snapshot, companies=companies)

        def of(bucket: int) -> Array:
            runs = sieve.of(bucket)
            days = runs.day[sieve.many(bucket, runs) > 0]
            return np.array([days.min(), days.max()]) if len(days) else np.zeros(0, np.int64)

        found = np.concatenate(each_bucket(snapshot, of))
        return (np.array([found.min(), found.max()]) if len(found) else np.zeros(0, np.int64),)

    def tell(snapshot: Snapshot, days: tuple[Array, ...]) -> tuple[date, date] | None:
        found = days[0]
        return (day_of(found.min()), day_of(found.max())) if len(found) else None

    return log.summing(fold, tell, asked("extent", companies), _widened)


def _widened(found: tuple[Array, ...], before: tuple[Array, ...], now: tuple[Array, ...]) -> tuple[Array, ...]:
    """Rows were only added: the span reaches to theirs too."""
    days = np.concatenate([found[0], now[0]])
    return (np.array([days.min(), days.max()]) if len(days) else days,)
