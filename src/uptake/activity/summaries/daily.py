"""Events and distinct people per business date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.log import ActivityLog, Snapshot, asked, buckets_with, each_bucket
from uptake.activity.periods import day_number
from uptake.activity.summaries.runs import SieveOfRuns


@dataclass(frozen=True)
class Daily:
    """One entry per date. `total_people` is distinct over the dates, not their sum."""

    days: tuple[date, ...]
    events: tuple[int, ...]
    people: tuple[int, ...]
    total_events: int
    total_people: int
    spans: tuple[tuple[int, int], ...] = ()
    """Events and distinct people of each of the spans asked about."""

    def to_arrow(self) -> pa.Table:
        """Columns day, events, people."""
        return pa.table({"day": list(self.days), "events": list(self.events), "people": list(self.people)})


def daily(
    log: ActivityLog,
    *,
    first: date,
    last: date,
    companies: Collection[int] | None = None,
    departments: Collection[int] | None = None,
    persons: Collection[int] | None = None,
    events: Collection[str] | None = None,
    spans: Sequence[tuple[date, date]] = (),
) -> Daily:
    """Per business date from `first` to `last`, of the events of these companies (of the event's row), departments,
    people and names; None: all of them. `spans`: parts of these dates (first and last) whose people are also told."""

    days = (last - first).days + 1
    begins, ends = (np.array([(span[end] - first).days for span in spans], np.int64) for end in range(2))

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        codes = None if persons is None else snapshot.person_codes(persons)
        sieve = SieveOfRuns(snapshot, events=events, companies=companies, departments=departments, only_persons=codes)

        def of(bucket: int) -> tuple[Array, Array]:
            runs = sieve.of(bucket, (day_number(first), day_number(last)))
            return count(runs.person, runs.day, sieve.many(bucket, runs), day_number(first), days, begins, ends)

        parts = each_bucket(snapshot, of, None if codes is None else buckets_with(snapshot, codes))
        return np.sum([part[0] for part in parts], axis=0), np.sum([part[1] for part in parts], axis=0)

    def tell(snapshot: Snapshot, sums: tuple[Array, ...]) -> Daily:
        counts, totals = sums
        return Daily(
            tuple(first + timedelta(days=number) for number in range(days)),
            tuple(counts[0].tolist()),
            tuple(counts[1].tolist()),
            int(totals[-1, 0]),
            int(totals[-1, 1]),
            tuple((int(many), int(people)) for many, people in totals[:-1]),
        )

    return log.summing(fold, tell, asked("daily", first, last, companies, departments, persons, events, spans))


@compiled
def count(
    person: Array, day: Array, many: Array, first: int, days: int, begins: Array, ends: Array
) -> tuple[Array, Array]:
    """(2, days) events and distinct people of each day, (spans + 1, 2) of each span of days and of all of them at last;
    many: rows of each run that count."""
    spans = len(begins)
    counts = np.zeros((2, days), np.int64)
    totals = np.zeros((spans + 1, 2), np.int64)
    seen = np.full(days, -1, np.int64)
    seen_in = np.full(spans + 1, -1, np.int64)
    run = -1
    for i in range(len(person)):
        if i == 0 or person[i] != person[i - 1]:
            run += 1
        d = day[i] - first
        if many[i] == 0 or d < 0 or d >= days:
            continue
        counts[0, d] += many[i]
        known = person[i] > 0
        if known and seen[d] != run:
            seen[d] = run
            counts[1, d] += 1
        for span in range(spans + 1):
            if span < spans and (d < begins[span] or d > ends[span]):
                continue
            totals[span, 0] += many[i]
            if known and seen_in[span] != run:
                seen_in[span] = run
                totals[span, 1] += 1
    return counts, totals
