"""Two numbers each and no more: every way to make one percentage of them, and why none may be claimed.

A table of metrics before and after, without units, dates or controls, has as many "average increases" as there are
ways to average; that they differ is shown, and the verdict is always that it cannot be told.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

MISSING = ("NO_CONTROL", "TOO_FEW_UNITS", "TOO_SHORT", "DENOMINATOR", "PRETREND_SIZE")


@dataclass(frozen=True, slots=True)
class Refusal:
    """mean_change is absolute (in the table's unit); the others are relative and contradict each other."""

    mean_change: float
    mean_of_relative: float
    ratio_of_sums: float
    geometric: float
    median_relative: float
    codes: tuple[str, ...] = MISSING


def refused(table: Sequence[tuple[float, float]]) -> Refusal:
    """(before, after) of each metric, before above 0. ValueError for an empty table or a before that is not."""
    if not table or any(before <= 0 for before, _ in table):
        raise ValueError("a table needs rows whose value before is above 0")
    relative = [after / before - 1 for before, after in table]
    return Refusal(
        mean_change=statistics.fmean(after - before for before, after in table),
        mean_of_relative=statistics.fmean(relative),
        ratio_of_sums=sum(after for _, after in table) / sum(before for before, _ in table) - 1,
        geometric=math.exp(statistics.fmean(math.log(1 + max(one, -0.999999)) for one in relative)) - 1,
        median_relative=statistics.median(relative),
    )
