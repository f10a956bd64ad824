"""A table of sums by key for folds whose keys are too many for an array: open addressing over plain arrays."""

from __future__ import annotations

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled

FREE = -1


@compiled
def place_of(keys: Array, key: int) -> int:
    """Where the key stands, or the free place where it may be put. `keys`: a power of two of places, not all taken."""
    last = len(keys) - 1
    at = (key * 0x1E3779B97F4A7C15 >> 17) & last
    while keys[at] != FREE and keys[at] != key:
        at = (at + 1) & last
    return at


@compiled
def grown(keys: Array, sums: Array) -> tuple[Array, Array]:
    """The same table with twice the places."""
    new_keys = np.full(2 * len(keys), FREE, np.int64)
    new_sums = np.zeros((2 * len(keys), sums.shape[1]), np.int64)
    for i in range(len(keys)):
        if keys[i] != FREE:
            at = place_of(new_keys, keys[i])
            new_keys[at] = keys[i]
            new_sums[at] = sums[i]
    return new_keys, new_sums
