"""How many events came in by each source for each company and business date, whatever they were and whoever did them:
whether data is there, not whether anybody was active. Bookkeeping, machines and nobody count."""

from __future__ import annotations

from datetime import date

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.log import ActivityLog, Snapshot, each_bucket
from uptake.activity.periods import day_number, day_of

Flow = dict[tuple[str, int], dict[date, int]]
"""(source, number of the company; 0: none) → {business date: events}, without empty days."""


def flow(log: ActivityLog, *, first: date, last: date) -> Flow:
    """The events of the business dates from `first` to `last`."""
    days = (last - first).days + 1

    def ask(snapshot: Snapshot) -> Flow:
        names = snapshot.texts("source").to_pylist()

        def of(bucket: int) -> tuple[Array, Array]:
            columns = snapshot.columns(bucket, ["business_day", "company", "source"])
            day = columns["business_day"].astype(np.int64) - day_number(first)
            inside = np.flatnonzero((day >= 0) & (day < days))
            places = columns["company"][inside].astype(np.int64)
            keys = (places * len(names) + columns["source"][inside]) * days + day[inside]
            return np.unique(keys, return_counts=True)

        found: Flow = {}
        for keys, counts in each_bucket(snapshot, of):
            for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
                rest, offset = divmod(key, days)
                company, source = divmod(rest, len(names))
                per_day = found.setdefault((names[source], company), {})
                day = day_of(day_number(first) + offset)
                per_day[day] = per_day.get(day, 0) + count
        return found

    return log.reading(ask)
