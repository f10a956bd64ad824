"""Medians of very many whole numbers, exact and without sorting them all.

Whoever finds the numbers counts them by bin (`bin_of`: the leading digit of a number to the base of 2048, and where it
stands), part by part; only those of the bin in the middle are looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled

DIGIT = 11
"""Bits of a digit."""


def digits_of(most: int) -> int:
    """How many digits the numbers from 0 to `most` have."""
    return max(1, -(-most.bit_length() // DIGIT))


@compiled
def bin_of(number: int, digits: int) -> int:
    """The bin of a number of at most so many digits: smaller numbers have smaller ones (or the same)."""
    place = digits - 1
    while place > 0 and number >> (place * DIGIT) == 0:
        place -= 1
    return (place << DIGIT) + (number >> (place * DIGIT))


def medians(parts: Sequence[tuple[Array, Array]], counts: Array) -> list[float | None]:
    """The median of each value's numbers; of an even number the mean of the two in the middle, of none None.

    parts: int64 numbers, and the value each belongs to (of length 0: all to the first); counts: (values, bins), how
    many of them are in each bin."""
    up_to = counts.cumsum(axis=1)
    sizes = up_to[:, -1].tolist()
    low, high = (np.zeros(len(sizes), np.int64) for _ in range(2))
    before = [0 for _ in sizes]
    known: list[list[int | None]] = []
    for value, size in enumerate(sizes):
        ranks = [(size - 1) // 2, size // 2] if size else []
        bins = [int(np.searchsorted(up_to[value], rank, side="right")) for rank in ranks]
        known.append([one if one < 1 << DIGIT else None for one in bins])  # the last digit is the number itself
        wide = [one for one in bins if one >= 1 << DIGIT]
        if wide:
            before[value] = int(up_to[value, wide[0] - 1])
            low[value], high[value] = _first(wide[0]), _first(wide[-1] + 1)
    found: list[tuple[Array, Array]] = [between(numbers, value, low, high) for numbers, value in parts]
    numbers, whose = (np.concatenate([one[index] for one in found]) for index in range(2))
    told: list[float | None] = []
    for value, size in enumerate(sizes):
        own = np.sort(numbers[whose == value]).tolist() if None in known[value] else []
        two = [
            own[rank - before[value]] if exact is None else exact
            for rank, exact in zip(((size - 1) // 2, size // 2), known[value], strict=False)
        ]
        told.append(sum(two) / 2 if two else None)
    return told


def _first(bin_: int) -> int:
    """The first number of a bin."""
    place, digit = bin_ >> DIGIT, bin_ & ((1 << DIGIT) - 1)
    return max(1, digit) << (place * DIGIT)


@compiled
def between(numbers: Array, value: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The numbers from low to below high of their value, and the value of each."""
    several = len(value) > 0
    count = 0
    for i in range(len(numbers)):
        v = value[i] if several else 0
        count += low[v] <= numbers[i] < high[v]
    found, whose = np.empty(count, np.int64), np.zeros(count, np.int32)
    count = 0
    for i in range(len(numbers)):
        v = value[i] if several else 0
        if low[v] <= numbers[i] < high[v]:
            found[count], whose[count] = numbers[i], v
            count += 1
    return found, whose
