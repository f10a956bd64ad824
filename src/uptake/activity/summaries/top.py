"""The most frequent names of events, or sources, with their people and their share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.incoming import row_numbers
from uptake.activity.log import ActivityLog, Snapshot, asked, buckets_with, each_bucket
from uptake.activity.periods import day_number
from uptake.activity.summaries.runs import SieveOfRuns

FEW = 64
"""Up to so many places are all looked through for everybody, of more only those where somebody was."""


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
        sieve = SieveOfRuns(snapshot, companies=companies, departments=departments, only_persons=codes_of)

        width = len(texts) if groups is None else len(titles)
        own = np.append(np.arange(len(texts)), -1)

        def fold_of(bucket: int) -> Array:
            runs = sieve.of(bucket, (day_number(first), day_number(last)))
            columns = snapshot.columns(bucket, [of, "event"] if len(sieve.alive) else [of])
            codes, table = columns[of], own if groups is None else group_of
            return count(
                runs.begin, runs.end, runs.person, codes, table, columns.get("event", codes), sieve.alive, width
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
def count(
    begin: Array, end: Array, person: Array, codes: Array, place_of: Array, event: Array, alive: Array, places: int
) -> Array:
    """(places + 1, 2) events and distinct people of every place of a code (-1: it has none), and of all in the last.

    Of the rows of runs whose event is alive (of length 0: of all)."""
    counts = np.zeros((places + 1, 2), np.int64)
    own = np.zeros(places + 1, np.int64)  # the last is of rows without a place
    touched = np.empty(places, np.int64)
    few, some = places <= FEW, len(alive) > 0
    many = 0
    k = 0
    while k < len(begin):
        first, who = np.uint64(begin[k]), person[k]
        while k + 1 < len(begin) and begin[k + 1] == end[k] and person[k + 1] == who:
            k += 1  # long stretches of rows are counted faster than short ones
        last = np.uint64(end[k])
        k += 1
        if few and not some:
            for row in range(first, last):
                place = place_of[codes[row]]
                own[np.uint64(place if place >= 0 else places)] += 1
        else:
            for row in range(first, last):
                place = place_of[codes[row]]
                if place < 0 or (some and not alive[event[row]]):
                    continue
                if own[place] == 0 and not few:
                    touched[many] = place
                    many += 1
                own[place] += 1
        if k < len(begin) and person[k] == who:
            continue
        any_ = False  # here is all that one actor did
        for one in range(places if few else many):
            place = one if few else touched[one]
            if own[place] == 0:
                continue
            any_ = True
            counts[place, 0] += own[place]
            counts[place, 1] += who > 0
            counts[places, 0] += own[place]
            own[place] = 0
        counts[places, 1] += any_ and who > 0
        many = 0
    return counts
