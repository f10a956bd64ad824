"""Rows of a bucket in runs: neighbours of one person, business date, company and department, a fifth as many as rows.

What a summary asks of a period it asks of runs first; only where names of events matter does it look at the rows of
those that are left. They are remembered with the columns, so a write makes anew only those of the buckets it touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.columns import NOBODY, Array, Property
from uptake.activity.compile import compiled
from uptake.activity.conditions import Sieve
from uptake.activity.log import Snapshot
from uptake.activity.memory import Made
from uptake.activity.owners import table_of
from uptake.activity.question import Selector

ALWAYS, NEVER = (-(2**62), 2**62), (1, 0)
"""Spans of dates, as numbers."""
COLUMNS = ("person", "business_day", "company", "department")


@dataclass(frozen=True)
class InRuns:
    """A snapshot (see `log.Snapshot`) whose rows are the runs of another: it has the columns they are made of."""

    whole: Snapshot

    @property
    def buckets(self) -> int:
        return self.whole.buckets

    @property
    def rows(self) -> int:
        return self.whole.rows

    @property
    def properties(self) -> Mapping[str, Property]:
        return self.whole.properties

    @property
    def not_activity(self) -> Sequence[str]:
        return self.whole.not_activity

    @property
    def machines(self) -> Sequence[int]:
        return self.whole.machines

    def columns(self, bucket: int, names: list[str]) -> dict[str, Any]:
        known = dict(zip(COLUMNS, runs_of(self.whole, bucket)[1:], strict=True))
        return {name: known[name] for name in names}

    def remembered(self, bucket: int, key: Hashable, make: Callable[[], Made]) -> Made:
        return self.whole.remembered(bucket, ("runs", key), make)

    def texts(self, column: str) -> pa.Array[Any]:
        return self.whole.texts(column)

    def person_codes(self, people: Iterable[Any]) -> Array:
        return self.whole.person_codes(people)

    def person_names(self, codes: Iterable[int]) -> list[str]:
        return self.whole.person_names(codes)


@dataclass(frozen=True)
class Kept:
    """The runs of a bucket that are left."""

    begin: Array
    """The first row of each; with `end`, in the order of the log."""
    end: Array
    person: Array
    day: Array
    company: Array
    department: Array


class SieveOfRuns:
    """Which runs of a period hold rows that count, and which of their rows do."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        events: Collection[str] | None = None,
        companies: Collection[int] | None = None,
        departments: Collection[int] | None = None,
        only_persons: Array | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.sieve = Sieve(
            InRuns(snapshot),
            selector=Selector(tuple(events) if events is not None else None),
            companies=companies,
            departments=departments,
            only_persons=only_persons,
        )
        found, self.sieve.events = self.sieve.events, None
        self.alive: Array = np.zeros(0, bool) if found is None else np.append(found, False)
        """By code of an event whether rows of it count; of length 0: all do."""

    def of(self, bucket: int, *days: tuple[int, int]) -> Kept:
        """The runs of people and places that count, on these dates (first and last, as numbers; none: on any)."""
        begin, person, day, company, department = runs_of(self.snapshot, bucket)
        assert len(days) <= 2, "a period and the one before"
        spans = [*(days or (ALWAYS,)), NEVER][:2]
        edges = (*spans[0], *spans[1])
        firms, rooms = table_of(self.sieve.companies), table_of(self.sieve.departments)
        if firms is None or rooms is None or self.sieve.only is not None or len(self.sieve.machines):
            left = np.flatnonzero(self.sieve.mask(bucket))
            firms = rooms = np.zeros(0, np.bool_)
            runs = (begin[left], begin[left + 1], person[left], day[left], company[left], department[left])
        else:
            runs = (begin[:-1], begin[1:], person, day, company, department)
        return Kept(*picked(*runs, firms, rooms, *edges))

    def many(self, bucket: int, kept: Kept) -> Array:
        """How many rows of each run count."""
        if not len(self.alive):
            sizes: Array = kept.end - kept.begin
            return sizes
        counted: Array = count_alive(kept.begin, kept.end, self.events(bucket), self.alive)
        return counted

    def events(self, bucket: int) -> Array:
        """The codes of the events of all rows."""
        codes: Array = self.snapshot.columns(bucket, ["event"])["event"]
        return codes


def runs_of(snapshot: Snapshot, bucket: int) -> tuple[Array, Array, Array, Array, Array]:
    """Where each run begins (and their rows at the end), its person, date, company and department. Remembered."""

    def make() -> tuple[Array, Array, Array, Array, Array]:
        columns = snapshot.columns(bucket, list(COLUMNS))
        person, day, company, department = (columns[name] for name in COLUMNS)
        begin = beginnings(person, day, company, department)
        first = begin[:-1]
        return begin, person[first], day[first], company[first], department[first]

    return snapshot.remembered(bucket, "runs", make)


@compiled
def beginnings(person: Array, day: Array, company: Array, department: Array) -> Array:
    """int32: the rows that differ from the one before, and the number of rows."""
    count = 0
    found = np.empty(len(person) + 1, np.int32)
    for i in range(len(person)):
        if (
            i == 0 or person[i] != person[i - 1] or day[i] != day[i - 1]
            or company[i] != company[i - 1] or department[i] != department[i - 1]
        ):  # fmt: skip
            found[count] = i
            count += 1
    found[count] = len(person)
    return found[: count + 1].copy()


@compiled
def picked(
    begin: Array, end: Array, person: Array, day: Array, company: Array, department: Array, firms: Array, rooms: Array,
    first: int, last: int, other_first: int, other_last: int,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """The runs (begin, end, person, day, company, department) of anybody on the dates of either span whose company and
    department are listed; the tables are those of `owners.table_of`."""
    starts, ends, who = np.empty(len(person), np.int32), np.empty(len(person), np.int32), np.empty_like(person)
    when, firm, room = np.empty_like(day), np.empty_like(company), np.empty_like(department)
    count = np.uint64(0)
    some, more = len(firms) > 0, len(rooms) > 0
    for i in range(len(person)):
        d = day[i]
        if not ((d >= first) & (d <= last)) | ((d >= other_first) & (d <= other_last)):
            continue
        inside = person[i] != NOBODY
        if some:
            inside &= firms[np.uint64(min(max(company[i], 0), len(firms) - 1))]
        if more:
            inside &= rooms[np.uint64(min(max(department[i], 0), len(rooms) - 1))]
        starts[count], ends[count], who[count] = begin[i], end[i], person[i]
        when[count], firm[count], room[count] = d, company[i], department[i]
        count += np.uint64(inside)
    return starts[:count], ends[:count], who[:count], when[:count], firm[:count], room[:count]


@compiled
def count_alive(begin: Array, end: Array, codes: Array, alive: Array) -> Array:
    """int32: how many rows of each run have a code that is alive."""
    found = np.empty(len(begin), np.int32)
    so_far = np.empty(len(codes) + 1, np.int32)
    k = 0
    while k < len(begin):
        start, first = k, np.uint64(begin[k])
        while k + 1 < len(begin) and begin[k + 1] == end[k]:
            k += 1  # long stretches of rows are counted faster than short ones
        k += 1
        many = np.int32(0)
        for row in range(first, np.uint64(end[k - 1])):
            so_far[row - first] = many
            many += alive[codes[row]]
        so_far[np.uint64(end[k - 1]) - first] = many
        for run in range(start, k):
            found[run] = so_far[np.uint64(end[run]) - first] - so_far[np.uint64(begin[run]) - first]
    return found


@compiled
def last_alive(begin: Array, end: Array, codes: Array, alive: Array) -> Array:
    """int32: the last row of each run whose code is alive; of those that have one."""
    found = np.zeros(len(begin), np.int32)
    for k in range(len(begin)):
        for row in range(begin[k], end[k]):
            if alive[codes[row]]:
                found[k] = row
    return found
