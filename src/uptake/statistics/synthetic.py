"""One unit began: a weighted mix of the others in its place (synthetic difference in differences).

Arkhangelsky, Athey, Hirshberg, Imbens and Wager. Weights are the exact solution of the two convex problems, found as
non-negative least squares. What chance could do is told by giving every other unit the same treatment in turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from uptake.statistics.distributions import Bools, Floats
from uptake.statistics.estimate import Estimate
from uptake.statistics.panel import Panel
from uptake.statistics.permutation import Permuted, _judged

TIED = 1e5
"""How hard the weights are held to sum to 1, in units of the data."""


@dataclass(frozen=True, slots=True, eq=False)
class Synthetic:
    """unit_weights (donors,), day_weights (days before,); fit_error is the root mean square before the beginning,
    noise the spread of day-to-day changes of donors; placebo gives chance, its `estimate` the interval from donors."""

    estimate: Estimate
    unit_weights: Floats
    day_weights: Floats
    donors: tuple[str, ...]
    fit_error: float
    noise: float
    counterfactual: float
    placebo: Permuted


def simplex_weights(columns: Floats, target: Floats, ridge: float) -> Floats:
    """w >= 0 summing to 1 that minimise |intercept + columns·w - target|² + ridge²·rows·|w|²; columns (rows, k)."""
    rows, width = columns.shape
    centred = columns - columns.mean(axis=0)
    goal = target - target.mean()
    scale = max(float(np.abs(centred).max(initial=0.0)), float(np.abs(goal).max(initial=0.0)), 1e-12)
    stacked = np.vstack([centred / scale, math.sqrt(rows) * ridge / scale * np.eye(width), TIED * np.ones((1, width))])
    right = np.concatenate([goal / scale, np.zeros(width), [TIED]])
    weights, _ = nnls(stacked, right, maxiter=50 * width)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _weights(y: Floats, treated: Bools, start: int) -> tuple[Floats, Floats, float]:
    donors = y[~treated]
    before, after = donors[:, :start], donors[:, start:]
    noise = float(np.diff(before, axis=1).std(ddof=1))
    ridge = (int(treated.sum()) * after.shape[1]) ** 0.25 * noise
    units = simplex_weights(before.T, y[treated, :start].mean(axis=0), ridge)
    days = simplex_weights(before, after.mean(axis=1), 1e-6 * noise)
    return units, days, noise


def _effect(y: Floats, treated: Bools, start: int, units: Floats, days: Floats) -> float:
    donors, ours = y[~treated], y[treated].mean(axis=0)
    theirs = units @ donors
    return float(ours[start:].mean() - theirs[start:].mean() - days @ (ours[:start] - theirs[:start]))


def synthetic_effect(y: Floats, treated: Bools, start: int) -> float:
    """The effect on the rows `treated` of y (units, days) from column `start`; no gaps in y."""
    units, days, _ = _weights(y, treated, start)
    return _effect(y, treated, start, units, days)


def synthetic(panel: Panel) -> Synthetic:
    """The panel's one begun unit (or several that began together) against all that never did.

    Days on which any unit is unknown are left out. ValueError where no day before or after, or fewer than 2 donors,
    remain.
    """
    kept: Bools = np.asarray(panel.known.all(axis=0))
    y = panel.outcome[:, kept]
    start = int(kept[: panel.first].sum())
    treated: Bools = np.asarray(panel.ever)
    if start < 2 or start >= y.shape[1] or np.count_nonzero(~treated) < 2:
        raise ValueError("a synthetic control needs days before and after, and two donors")
    units, days, noise = _weights(y, treated, start)
    value = _effect(y, treated, start, units, days)
    donors = y[~treated]
    draws = []
    for row in range(len(donors)):
        other = np.zeros(len(donors), dtype=np.bool_)
        other[row] = True
        draws.append(synthetic_effect(donors, other, start) if len(donors) > 2 else math.nan)
    placebo = np.array([*draws, value])
    spread = math.sqrt(float(np.square(placebo[:-1]).mean())) if len(donors) > 2 else math.nan
    ours = y[treated].mean(axis=0)
    gap = ours[:start] - units @ donors[:, :start]
    return Synthetic(
        estimate=Estimate(value, spread, len(donors) - 1),
        unit_weights=units,
        day_weights=days,
        donors=tuple(name for name, one in zip(panel.units, treated, strict=True) if not one),
        fit_error=float(np.sqrt(np.mean((gap - gap.mean()) ** 2))),
        noise=noise,
        counterfactual=float(ours[start:].mean()) - value,
        placebo=_judged(value, placebo, True),
    )
