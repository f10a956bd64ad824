"""How many events came in by each source for each company and business date, whatever they were and whoever did them:
whether data is there, not whether anybody was active. Bookkeeping, machines and nobody count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.columns import NOBODY, Array, bucket_of
from uptake.activity.log import ActivityLog, Snapshot, asked, each_bucket
from uptake.activity.periods import day_number

Flow = dict[tuple[str, int], dict[date, int]]
"""(source, number of the company; 0: none) → {business date: events}, without empty days."""

COLUMNS = ["person", "business_day", "company", "source"]
COMPANY = 32
"""A company and a source are one number: the company from this bit on, the source's code below it."""


def flow(log: ActivityLog, *, first: date, last: date) -> Flow:
    """The events of the business dates from `first` to `last`."""
    start, days = day_number(first), (last - first).days + 1
    dates = [first + timedelta(days=number) for number in range(days)]

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        def of(bucket: int) -> tuple[Array, Array]:
            columns = snapshot.columns(bucket, COLUMNS)
            return _counted(columns, columns["person"] != NOBODY, start, days)

        return _added(each_bucket(snapshot, of), days)

    def tell(snapshot: Snapshot, sums: tuple[Array, ...]) -> Flow:
        # what nobody did is not carried on with people's rows; it lies in one place
        columns = snapshot.columns(int(bucket_of(np.array([NOBODY], np.int32), snapshot.buckets)[0]), COLUMNS)
        keys, counts = _added([sums, _counted(columns, columns["person"] == NOBODY, start, days)], days)
        names = snapshot.texts("source").to_pylist()
        found: Flow = {}
        for key, row in zip(keys.tolist(), counts.tolist(), strict=True):
            per_day = {day: count for day, count in zip(dates, row, strict=True) if count}
            if per_day:
                found[names[key & ((1 << COMPANY) - 1)], key >> COMPANY] = per_day
        return found

    def moved(sums: tuple[Array, ...], before: tuple[Array, ...], now: tuple[Array, ...]) -> tuple[Array, ...]:
        return _added([sums, (before[0], -before[1]), now], days)

    return log.summing(fold, tell, asked("flow", first, last), moved)


def _counted(columns: dict[str, Any], rows: Array, start: int, days: int) -> tuple[Array, Array]:
    """(n,) companies with sources, (n, days) events of them among these rows (a mask)."""
    day = columns["business_day"].astype(np.int64) - start
    inside = np.flatnonzero(rows & (day >= 0) & (day < days))
    pairs = (columns["company"][inside].astype(np.int64) << COMPANY) + columns["source"][inside]
    coded = pa.array(pairs).dictionary_encode()
    keys: Array = coded.dictionary.to_numpy()
    cells = coded.indices.to_numpy().astype(np.int64) * days + day[inside]
    return keys, np.bincount(cells, minlength=len(keys) * days).reshape(len(keys), days)


def _added(parts: Sequence[tuple[Array, ...]], days: int) -> tuple[Array, Array]:
    """The sums of parts, by company and source."""
    keys = np.concatenate([part[0] for part in parts])
    counts = np.concatenate([part[1].reshape(-1, days) for part in parts])
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.append(True, keys[order][1:] != keys[order][:-1])) if len(keys) else order
    return keys[order][starts], np.add.reduceat(counts[order], starts, axis=0) if len(keys) else counts
