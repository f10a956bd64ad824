"""Whose all rows of an actor are: people have one company nearly always, so by company whole people are counted.

For each actor of a bucket the one number that a column has in all of its rows is remembered. Narrowing by company then
keeps or leaves out whole people, and a breakdown by company adds people up where they belong, in the pass that counts
everybody. The few with several companies are looked at row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Numbers
from uptake.activity.log import Snapshot

SEVERAL = -1
"""What an actor has whose rows differ (or have a negative number)."""
PLACES = ("company", "department")
OUT, IN, SOME = 0, 1, 2
"""None of an actor's rows count, all do, or it depends on the row."""


def starts_of(person: Array) -> Array:
    """Where each person's rows begin, and the number of rows at the end."""
    bounds = np.flatnonzero(person[1:] != person[:-1]) + 1 if len(person) else np.zeros(0, np.int64)
    return np.concatenate([np.zeros(min(1, len(person)), np.int64), bounds, np.array([len(person)], np.int64)])


def actors_of(snapshot: Snapshot, bucket: int) -> tuple[Array, Array]:
    """Where the rows of each actor of a bucket begin (and their number at the end), and who that is. Remembered."""

    def make() -> tuple[Array, Array]:
        person = snapshot.columns(bucket, ["person"])["person"]
        starts = starts_of(person)
        return starts, person[starts[:-1]]

    return snapshot.remembered(bucket, "actors", make)


class Owners(NamedTuple):
    """The company or department of all rows of each actor of a bucket."""

    values: Array
    """int32; SEVERAL: an actor's rows differ."""
    several: bool
    """Whether any actor's do."""
    most: int
    """The largest number of all rows, -1 where there are negative ones."""


def owners_of(snapshot: Snapshot, bucket: int, place: str) -> Owners:
    """Whose all rows of the actors of a bucket are. Remembered."""

    def make() -> Owners:
        starts, _ = actors_of(snapshot, bucket)
        column = snapshot.columns(bucket, [place])[place]
        values = only_values(starts, column)
        most = int(column.max()) if len(column) and column.min() >= 0 else -1 if len(column) else 0
        return Owners(values, bool((values == SEVERAL).any()), most)

    return snapshot.remembered(bucket, ("owners", place), make)


def table_of(numbers: Numbers | None) -> Array | None:
    """By number whether it is in the set, the last for all beyond; of length 0: any number will do; None: no table."""
    if numbers is None:
        return np.zeros(0, np.bool_)
    return None if numbers.table is None else numbers.table >= 0


def verdicts(snapshot: Snapshot, bucket: int, companies: Array, places: Array) -> Array:
    """int8 by actor of a bucket whether its rows are of these companies, and of places whose company or department is
    listed: OUT, IN or SOME. The tables are those of `table_of`."""
    company = owners_of(snapshot, bucket, "company").values
    department = owners_of(snapshot, bucket, "department").values if len(places) else company
    return judged(company, department, companies, places)


def narrowed_codes(
    codes: Array, dead: int, first: Array, last: Array, columns: Callable[[], tuple[Array, Array]],
    companies: Array, places: Array,
) -> Array:  # fmt: skip
    """The codes, `dead` at those rows of [first, last) that are not of these companies or places."""
    if not len(first):
        return codes
    found = codes.copy()
    company, department = columns()
    narrow(found, dead, first, last, company, department, companies, places)
    return found


@compiled
def only_values(starts: Array, column: Array) -> Array:
    """int32 by actor the value of all its rows; SEVERAL: they differ."""
    found = np.empty(len(starts) - 1, np.int32)
    for a in range(len(starts) - 1):
        value = column[starts[a]]
        differ = np.int32(0)
        for row in range(starts[a], starts[a + 1]):
            differ |= column[row] ^ value
        found[a] = value if differ == 0 and value >= 0 else SEVERAL
    return found


@compiled
def spread(starts: Array, ends: Array, owner: Array, rows: int) -> Array:
    """int32 by row the value of its actor."""
    found = np.zeros(rows, np.int32)
    for a in range(len(starts)):
        found[starts[a] : ends[a]] = owner[a]
    return found


@compiled
def judged(company: Array, department: Array, companies: Array, places: Array) -> Array:
    """int8 by actor, see `verdicts`."""
    found = np.empty(len(company), np.int8)
    some, more = len(companies) > 0, len(places) > 0
    for a in range(len(company)):
        one, two = company[a], department[a]
        known = one >= 0
        verdict = IN
        if some:
            verdict = SOME
            if known:
                verdict = IN if companies[min(one, len(companies) - 1)] else OUT
        if more and verdict != OUT:
            inside = SOME
            if (known and places[min(one, len(places) - 1)]) or (two >= 0 and places[min(two, len(places) - 1)]):
                inside = IN
            elif known and two >= 0:
                inside = OUT
            if inside != IN:
                verdict = inside
        found[a] = verdict
    return found


@compiled
def narrow(
    codes: Array, dead: int, first: Array, last: Array, company: Array, department: Array,
    companies: Array, places: Array,
) -> None:  # fmt: skip
    """Writes `dead` where a row of [first, last) is of another company or place."""
    some, more = len(companies) > 0, len(places) > 0
    for a in range(len(first)):
        for row in range(first[a], last[a]):
            kept = True
            if some:
                kept = companies[min(max(company[row], 0), len(companies) - 1)]
            if more:
                there = places[min(max(company[row], 0), len(places) - 1)]
                kept &= there | places[min(max(department[row], 0), len(places) - 1)]
            if not kept:
                codes[row] = dead


@compiled
def first_at(at: Array, start: int, end: int, instant: int) -> int:
    """The first of the rows [start, end) at or after the instant; `end` if there is none."""
    if start == end or at[start] >= instant:
        return start
    low, high = start, end
    while low < high:
        middle = (low + high) // 2
        if at[middle] < instant:
            low = middle + 1
        else:
            high = middle
    return low
