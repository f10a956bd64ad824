"""Drills on one's own history: does the method stay silent where nothing began, and does it find what is planted?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Ints
from uptake.statistics.imputation import Imputation
from uptake.statistics.panel import Panel

DRILLS = 100
LEAST_DAYS = 40
"""Of a history: half of them come before the first pretended start. What a short one cannot tell shows as low power."""
LEAST_UNITS = 8


@dataclass(frozen=True, slots=True)
class Drill:
    """Of `drills` pretended rollouts on history: how often an effect was claimed where there was none, how often the
    planted one was found, and how often its interval held it (shares)."""

    drills: int
    planted: float
    false_alarms: float
    power: float
    coverage: float


def drill(
    history: Panel,
    planted: float,
    *,
    waiting_share: float = 0.4,
    waves: int = 3,
    drills: int = DRILLS,
    seed: int = 0,
    told: Callable[[int, int], None] | None = None,
) -> Drill:
    """Rollouts dealt out by lot over the second half of a history in which nobody had begun (begun cells are left out).

    planted: the effect added in the metric's unit. ValueError where the history has fewer than LEAST_DAYS days or
    LEAST_UNITS units.
    """
    clean = history.blank(history.under)
    count, days = clean.outcome.shape
    if days * clean.step < LEAST_DAYS or count < LEAST_UNITS:
        raise ValueError(f"a drill needs {LEAST_DAYS} days and {LEAST_UNITS} units")
    rng = np.random.default_rng(seed)
    alarms = found = covered = 0
    for done in range(drills):
        pretended = clean.beginning(_dealt(rng, count, days, waiting_share, waves))
        nothing = Imputation(pretended).average().estimate
        alarms += nothing.usable and nothing.excludes_zero
        # Adding one number to every begun cell moves the estimate by it and leaves its error as it is.
        low, high = nothing.low + planted, nothing.high + planted
        found += nothing.usable and (low > 0 if planted > 0 else high < 0)
        covered += nothing.usable and low <= planted <= high
        if told is not None:
            told(done + 1, drills)
    return Drill(drills, planted, alarms / drills, found / drills, covered / drills)


def _dealt(rng: np.random.Generator, count: int, days: int, waiting_share: float, waves: int) -> Ints:
    order = rng.permutation(count)
    waiting = max(round(count * waiting_share), 2)
    adopted = np.full(count, days, dtype=np.int64)
    starts = np.linspace(days // 2, days * 3 // 4, waves).astype(np.int64)
    for wave, rows in enumerate(np.array_split(order[waiting:], waves)):
        adopted[rows] = starts[wave]
    return adopted
