"""One series and no control: the step at the beginning, beyond trend and weekday, with errors that remember.

Regression with autoregressive errors of order 1, by iterated generalised least squares (Cochrane-Orcutt). Errors taken
as independent would be far too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Floats, Ints
from uptake.statistics.estimate import NOTHING, Estimate
from uptake.statistics.panel import WEEK, Panel

ROUNDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Interrupted:
    """The step, the memory of the errors (rho) and what the trend alone would have given after the start (n,)."""

    estimate: Estimate
    rho: float
    counterfactual: float
    expected: Floats


def with_memory(outcome: Floats, design: Floats, rounds: int = ROUNDS) -> tuple[Floats, Floats, float]:
    """Coefficients (k,), their covariance (k, k) and rho of y = Xb + e, e(t) = rho·e(t-1) + noise."""
    rho = 0.0
    coefficients = np.zeros(design.shape[1])
    covariance = np.zeros((design.shape[1], design.shape[1]))
    for _ in range(rounds):
        x = design[1:] - rho * design[:-1] if rho else design
        y = outcome[1:] - rho * outcome[:-1] if rho else outcome
        inverse = np.linalg.pinv(x.T @ x)
        coefficients = inverse @ (x.T @ y)
        left = y - x @ coefficients
        covariance = inverse * float(left @ left) / max(len(y) - design.shape[1], 1)
        residual = outcome - design @ coefficients
        spread = float(residual[:-1] @ residual[:-1])
        new = float(residual[1:] @ residual[:-1]) / spread if spread > 0 else 0.0
        new = min(max(new, -0.98), 0.98)
        if abs(new - rho) < 1e-8:
            break
        rho = new
    return coefficients, covariance, rho


def interrupted(outcome: Floats, start: int, weekday: Ints | None = None) -> Interrupted:
    """The step of a series (n,) from index `start`; weekday (n,) 0..6 takes the week's rhythm out.

    Days unknown are left out (neighbours then stand for each other's memory).
    """
    known = np.isfinite(outcome)
    day = np.arange(len(outcome), dtype=np.float64)
    columns = [np.ones(len(outcome)), (day >= start).astype(np.float64), (day - day.mean()) / max(len(outcome), 1)]
    if weekday is not None:
        present = np.unique(weekday[known])
        columns += [(weekday == one).astype(np.float64) for one in present[1:]]
    design = np.column_stack(columns)
    y, x = outcome[known], design[known]
    if len(y) <= x.shape[1] + 2 or not 0 < int((day[known] < start).sum()) < len(y):
        return Interrupted(NOTHING, math.nan, math.nan, np.full(0, np.nan))
    coefficients, covariance, rho = with_memory(y, x)
    estimate = Estimate(float(coefficients[1]), math.sqrt(float(covariance[1, 1])), len(y) - x.shape[1] - 1)
    plain = design.copy()
    plain[:, 1] = 0
    expected = np.asarray((plain @ coefficients)[start:], dtype=np.float64)
    seen = float(outcome[start:][known[start:]].mean())
    return Interrupted(estimate, rho, seen - estimate.value, expected)


def interrupted_panel(panel: Panel) -> Interrupted:
    """The mean over units that began together, day by day (people weigh alike), against its own trend."""
    weight = np.where(panel.known, panel.headcount, 0.0)
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(total > 0, np.where(panel.known, panel.outcome * weight, 0.0).sum(axis=0) / total, np.nan)
    weekday = (panel.days.astype("datetime64[D]").astype(np.int64) + 3) % WEEK if panel.step == 1 else None
    return interrupted(mean, panel.first, weekday)
