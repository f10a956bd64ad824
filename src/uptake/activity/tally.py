"""A table of sums by key for folds whose keys are too many for an array: open addressing over plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled

FREE = -1
MOST_SQUARE = 2**22
"""Up to this key sums are joined in an array by key, above it by sorting."""


@dataclass(frozen=True)
class Counts:
    """Sums by key. The last `digits` digits of a key, to the base of the number of names, are numbers of names."""

    names: tuple[str, ...]
    """The last of them stands for none of the bucket's own, and is the same in every part."""
    digits: int
    keys: Array
    sums: Array
    """A row per key."""


def joined(parts: Sequence[Counts]) -> Counts:
    """The sums of all parts by keys of one numbering."""
    first = parts[0]
    if any(part.names != first.names for part in parts):
        numbers: dict[str, int] = {}
        for part in parts:
            for name in part.names[:-1]:
                numbers.setdefault(name, len(numbers))
        names = (*numbers, first.names[-1])
        parts = [_renumbered(part, numbers, names) for part in parts]
    else:
        names = first.names
    keys = np.concatenate([part.keys for part in parts])
    if not len(keys):
        return Counts(names, first.digits, keys, first.sums[:0])
    if int(keys.max()) < MOST_SQUARE:
        total = np.zeros((int(keys.max()) + 1, first.sums.shape[1]), np.int64)
        for part in parts:
            total[part.keys] += part.sums
        there = np.unique(keys) if len(keys) < 1000 else np.flatnonzero(np.bincount(keys))
        return Counts(names, first.digits, there, total[there])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    sums = np.add.reduceat(np.concatenate([part.sums for part in parts])[order], starts, axis=0)
    return Counts(names, first.digits, keys[starts], sums)


def _renumbered(part: Counts, numbers: dict[str, int], names: tuple[str, ...]) -> Counts:
    place = np.array([*(numbers[name] for name in part.names[:-1]), len(names) - 1], np.int64)
    rest, base, weight = part.keys, len(part.names), 1
    keys = np.zeros(len(part.keys), np.int64)
    for _ in range(part.digits):
        keys += place[rest % base] * weight
        rest, weight = rest // base, weight * len(names)
    return Counts(names, part.digits, keys + rest * weight, part.sums)


@compiled
def place_of(keys: Array, key: int) -> int:
    """Where the key stands, or the free place where it may be put. `keys`: a power of two of places, not all taken."""
    last = len(keys) - 1
    at = (key * 0x1E3779B97F4A7C15 >> 17) & last
    while keys[at] != FREE and keys[at] != key:
        at = (at + 1) & last
    return at


@compiled
def room_for(many: int) -> int:
    """A power of two of places, twice as many as there may be keys at most. (Tables that grow are slow: the arrays of a
    loop that puts others in their place are counted at every touch.)"""
    room = 2
    while room < 2 * many:
        room *= 2
    return room
