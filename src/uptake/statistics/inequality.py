"""How evenly something is shared out: the Gini coefficient and Theil's T index.

Gini: half the mean absolute difference between two drawn at random, relative to the mean (0: all alike; towards 1: one
has all). Theil's T: the mean of x/m · ln(x/m), where m is the mean; who has nothing adds nothing (0: all alike; at most
ln n).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, log


def gini(values: Sequence[float]) -> float | None:
    """0 to 1 of values that are not negative; None where there are none or all are 0."""
    total = fsum(values)
    if not values or total <= 0:
        return None
    count = len(values)
    ranked = fsum(rank * value for rank, value in enumerate(sorted(values), start=1))
    return 2 * ranked / (count * total) - (count + 1) / count


def theil(values: Sequence[float]) -> float | None:
    """0 to ln n of values that are not negative; None where there are none or all are 0."""
    total = fsum(values)
    if not values or total <= 0:
        return None
    mean = total / len(values)
    return fsum(value / mean * log(value / mean) for value in values if value > 0) / len(values)
