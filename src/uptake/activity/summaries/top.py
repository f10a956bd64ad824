"""The most frequent names of events, or sources, with their people and their share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Sieve
from uptake.activity.incoming import row_numbers
from uptake.activity.log import ActivityLog, Snapshot, asked, buckets_with, each_bucket
from uptake.activity.periods import day_number


@dataclass(frozen=True)
class Named:
    """One name. Shares are of all names, also those not shown: from 0 to 1."""

    name: str
    events: int
    people: int
    events_share: float
    people_share: float


@dataclass(frozen=True)
class Top:
    """The names with the most events first; equal ones by name."""

    rows: tuple[Named, ...]
    names: int
    """How many there are, shown or not."""
    total_events: int
    total_people: int

    def to_arrow(self) -> pa.Table:
        """Columns name, events, people, events_share, people_share."""
        columns = list(Named.__dataclass_fields__)
        return pa.table({name: [getattr(row, name) for row in self.rows] for name in columns})


def top(
    log: ActivityLog,
    *,
    of: str,
    first: date,
    last: date,
    companies: Collection[int] | None = None,
    departments: Collection[int] | None = None,
    persons: Collection[int] | None = None,
    limit: int = 10,
    groups: Mapping[str, str] | None = None,
) -> Top:
    """The top names by business date; `of` is event or source.

    With `groups`, names are counted together under what they are mapped to, and those not mapped are left out.
    """
    assert of in ("event", "source"), "top counts names of events or sources"

    titles = sorted(set(groups.values())) if groups is not None else []

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        texts = snapshot.texts(of)
        places = {title: place for place, title in enumerate(titles)}
        # One more than there are texts: the code of no text is -1.
        group_of = np.array([*(places.get((groups or {}).get(str(one), ""), -1) for one in texts.to_pylist()), -1])
        codes_of = None if persons is None else snapshot.person_codes(persons)
        sieve = Sieve(snapshot, companies=companies, departments=departments, only_persons=codes_of)

        def fold_of(bucket: int) -> Array:
            columns = snapshot.columns(bucket, ["person", "business_day", of])
            codes, keep, width = columns[of], sieve.mask(bucket), len(texts)
            if groups is not None:
                codes = group_of[codes].astype(codes.dtype)
                keep, width = keep & (codes >= 0), len(titles)
            return count(
                columns["person"], columns["business_day"], codes, keep, day_number(first), day_number(last), width
            )

        buckets = None if codes_of is None else buckets_with(snapshot, codes_of)
        counts: Array = np.sum(each_bucket(snapshot, fold_of, buckets), axis=0)
        return counts[:-1], counts[-1:]

    def tell(snapshot: Snapshot, sums: tuple[Array, ...]) -> Top:
        counts, totals = sums
        total_events, total_people = totals[0].tolist()
        there = np.flatnonzero(counts[:, 0])
        if groups is None:
            names = [str(text) for text in snapshot.texts(of).take(row_numbers(there)).to_pylist()]
        else:
            names = [titles[place] for place in there]
        found = sorted(zip(names, counts[there].tolist(), strict=True), key=lambda one: (-one[1][0], one[0]))
        rows = tuple(
            Named(name, events, people, events / total_events, people / total_people if total_people else 0.0)
            for name, (events, people) in found[:limit]
        )
        return Top(rows, len(found), total_events, total_people)

    return log.summing(
        fold, tell, asked("top", of, first, last, companies, departments, persons, limit, (groups or {}).items())
    )


@compiled
def count(person: Array, day: Array, code: Array, keep: Array, first: int, last: int, codes: int) -> Array:
    """(codes + 1, 2) events and distinct people of every code, and of all of them in the last row."""
    counts = np.zeros((codes + 1, 2), np.int64)
    seen = np.full(codes + 1, -1, np.int64)
    run = -1
    for i in range(len(person)):
        if i == 0 or person[i] != person[i - 1]:
            run += 1
        if not keep[i] or day[i] < first or day[i] > last:
            continue
        for both in range(2):
            c = code[i] if both == 0 else codes
            counts[c, 0] += 1
            if person[i] > 0 and seen[c] != run:
                seen[c] = run
                counts[c, 1] += 1
    return counts
