"""When everybody was last active, and where; and from when to when the record reaches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.conditions import Sieve
from uptake.activity.log import ActivityLog, Snapshot, each_bucket
from uptake.activity.periods import EPOCH, MICROSECOND, day_of


@dataclass(frozen=True)
class LastActivity:
    """A person's last event that counts as activity."""

    at: datetime
    """UTC."""
    day: date
    """Its business date."""
    company: int
    department: int


def last_activity(
    log: ActivityLog, *, companies: Collection[int] | None = None, persons: Collection[int] | None = None
) -> dict[int, LastActivity]:
    """By person, of the events of these companies (None: all)."""

    def ask(snapshot: Snapshot) -> dict[int, LastActivity]:
        codes = None if persons is None else snapshot.person_codes(persons)
        sieve = Sieve(snapshot, companies=companies, only_persons=codes)

        def of(bucket: int) -> list[list[int]]:
            names = ["person", "happened_at", "business_day", "company", "department"]
            columns = snapshot.columns(bucket, names)
            kept = np.flatnonzero(sieve.mask(bucket) & (columns["person"] > 0))
            person = columns["person"][kept]
            ends = kept[np.flatnonzero(np.append(person[1:] != person[:-1], True))] if len(kept) else kept
            return [columns[name][ends].tolist() for name in names]

        return {
            person: LastActivity(EPOCH + at * MICROSECOND, day_of(day), company, department)
            for part in each_bucket(snapshot, of)
            for person, at, day, company, department in zip(*part, strict=True)
        }

    return log.reading(ask)


def extent(log: ActivityLog, *, companies: Collection[int] | None = None) -> tuple[date, date] | None:
    """The first and the last business date with activity; None: there is none."""

    def ask(snapshot: Snapshot) -> tuple[date, date] | None:
        sieve = Sieve(snapshot, companies=companies)

        def of(bucket: int) -> Array:
            days = snapshot.columns(bucket, ["business_day"])["business_day"][sieve.mask(bucket)]
            return np.array([days.min(), days.max()]) if len(days) else np.zeros(0, np.int64)

        found = np.concatenate(each_bucket(snapshot, of))
        return (day_of(found.min()), day_of(found.max())) if len(found) else None

    return log.reading(ask)
