"""Answers that are sums over people go from one snapshot to the next: only people with new rows are counted again.

Every count of a summary is a sum of what each person adds to it. Where later rows were added and nothing else has
changed, the sums of the new snapshot are the old ones, less what the people with new rows added before, plus what they
add now. Their rows are a small excerpt of the log, which the same folds read as if it were a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from uptake.activity.columns import NOBODY, REST, Array, Property, column_types
from uptake.activity.incoming import row_numbers
from uptake.activity.memory import Made
from uptake.activity.store import Manifest

if TYPE_CHECKING:
    from uptake.activity.log import FileSnapshot, Snapshot

State = tuple[Array, ...]
"""The sums a question needs, as arrays."""
Fold = Callable[["Snapshot"], State]
Moved = Callable[[State, State, State], State | None]
"""(sums, what the people with new rows added before, what they add now) → the new sums; None: they do not fit."""
LARGEST_PART = 5
"""More than one row in so many read again: then all are."""


@dataclass(frozen=True)
class Excerpt:
    """Some people's rows of a snapshot as a log of one bucket (see `log.Snapshot`)."""

    whole: FileSnapshot
    places: Mapping[int, Array]
    """Bucket → the numbers of its rows, ascending."""
    _read: dict[str, Any] = field(default_factory=dict)

    @property
    def buckets(self) -> int:
        return 1

    @property
    def rows(self) -> int:
        return sum(map(len, self.places.values()))

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
        missing = [name for name in names if name not in self._read]
        if missing:
            parts = [
                (self.whole.columns(bucket, missing), rows) for bucket, rows in sorted(self.places.items())
            ]  # fmt: skip
            types = column_types(dict(self.properties))
            for name in missing:
                if name == REST:
                    rest = [columns[name].take(row_numbers(rows)) for columns, rows in parts]
                    self._read[name] = pa.concat_arrays(rest or [pa.array([], pa.large_string())])
                else:
                    empty = np.zeros(0, types[name][0])
                    self._read[name] = np.concatenate([empty, *(columns[name][rows] for columns, rows in parts)])
        return {name: self._read[name] for name in names}

    def remembered(self, bucket: int, key: Hashable, make: Callable[[], Made]) -> Made:
        return make()

    def texts(self, column: str) -> pa.Array[Any]:
        return self.whole.texts(column)

    def person_codes(self, people: Iterable[Any]) -> Array:
        return self.whole.person_codes(people)

    def person_names(self, codes: Iterable[int]) -> list[str]:
        return self.whole.person_names(codes)


def step(before: Manifest, now: FileSnapshot) -> tuple[Excerpt, Excerpt] | None:
    """The rows of the people with new rows, as they were and as they are; None where more than that has changed."""
    new = now.manifest
    told = (before.epoch, before.buckets, before.bases, before.not_activity, before.machines)
    if told != (new.epoch, new.buckets, new.bases, new.not_activity, new.machines):
        return None
    if now.elsewhere is not None:  # the rows are not here
        return None
    were: dict[int, Array] = {}
    are: dict[int, Array] = {}
    count = 0
    for bucket in range(new.buckets):
        rows = before.rows_of(bucket)
        if rows == new.rows_of(bucket):
            continue
        person, late = now.memory.arrived(new, bucket, rows)
        people = np.unique(person[late])
        people = people[people != NOBODY]
        starts, ends = np.searchsorted(person, people), np.searchsorted(person, people, "right")
        theirs = np.concatenate([np.zeros(0, np.int64), *map(np.arange, starts, ends)])
        count += len(theirs)
        if count * LARGEST_PART > new.rows:
            return None
        are[bucket], were[bucket] = theirs, theirs[~late[theirs]]
    return Excerpt(now, were), Excerpt(now, are)


def added(sums: State, before: State, now: State) -> State | None:
    """The new sums where all arrays are plain sums; they may have grown at their end (new names)."""
    return tuple(map(_added, sums, before, now))


def _added(total: Array, before: Array, now: Array) -> Array:
    found = np.zeros(now.shape, total.dtype)
    found[: len(total)] = total
    found[: len(before)] -= before
    return found + now
