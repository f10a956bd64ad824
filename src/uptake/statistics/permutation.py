"""Chance by drawing again: what the statistic would be had other units been chosen.

A p-value so made can be no smaller than 1 over the number of choices, and is never told smaller.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from uptake.statistics.distributions import Bools, Floats, Ints
from uptake.statistics.imputation import quick_effect
from uptake.statistics.panel import Panel

DRAWS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Permuted:
    """`draws` (n,): the statistic in each other choice; `p` two-sided; `floor` the smallest p there could be."""

    value: float
    draws: Floats
    p: float
    floor: float
    exhaustive: bool


def _judged(value: float, draws: Floats, exhaustive: bool) -> Permuted:
    """Exhaustive draws contain the choice made; drawn ones get it added."""
    draws = draws[np.isfinite(draws)]
    as_far = int((np.abs(draws) >= abs(value) * (1 - 1e-9)).sum())
    if exhaustive:
        return Permuted(value, draws, max(as_far, 1) / max(len(draws), 1), 1 / max(len(draws), 1), True)
    return Permuted(value, draws, (1 + as_far) / (1 + len(draws)), 1 / (1 + len(draws)), False)


def permuted_arms(statistic: Callable[[Bools], float], arm: Bools, draws: int = DRAWS, seed: int = 0) -> Permuted:
    """Which units are in the arm (n,), drawn anew: all choices where they are at most `draws`, else `draws` of them."""
    size, inside = len(arm), int(arm.sum())
    if math.comb(size, inside) <= draws:
        values = []
        for chosen in combinations(range(size), inside):
            other = np.zeros(size, dtype=np.bool_)
            other[list(chosen)] = True
            values.append(statistic(other))
        return _judged(statistic(arm), np.array(values), True)
    rng = np.random.default_rng(seed)
    return _judged(statistic(arm), np.array([statistic(rng.permutation(arm)) for _ in range(draws)]), False)


def permuted_adoption(
    panel: Panel, draws: int = DRAWS, seed: int = 0, told: Callable[[int, int], None] | None = None
) -> Permuted:
    """The mean effect with the dates of beginning dealt out anew among units; `told(done, of)` hears of progress.

    With one begun unit every other takes its date once, and p is over all of them.
    """
    begun = np.flatnonzero(panel.ever)
    value = quick_effect(panel)
    if len(begun) == 1:
        found = []
        for row in range(len(panel.units)):
            other = panel.adopted.copy()
            other[begun[0]], other[row] = panel.adopted[row], panel.adopted[begun[0]]
            found.append(quick_effect(panel.beginning(other)))
        return _judged(value, np.array(found), True)
    rng = np.random.default_rng(seed)
    found = []
    for done in range(draws):
        other_dates: Ints = rng.permutation(panel.adopted)
        found.append(quick_effect(panel.beginning(other_dates)))
        if told is not None:
            told(done + 1, draws)
    return _judged(value, np.array(found), False)
