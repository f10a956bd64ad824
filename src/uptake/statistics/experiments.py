"""Drawn by lot: two arms compared, with what was known before them used to see more clearly.

People drawn: Welch, or Lin's regression (with CUPED as its one-covariate relative). Departments drawn: one mean for
each department, never its people as if they had been drawn one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from uptake.statistics.distributions import Bools, Floats, chi_square_above
from uptake.statistics.estimate import NOTHING, Estimate


def welch(treated: Floats, control: Floats) -> Estimate:
    """The difference of two means whose spreads may differ; one value for each drawn unit."""
    n, m = len(treated), len(control)
    if n < 2 or m < 2:
        return NOTHING
    a, b = float(treated.var(ddof=1)) / n, float(control.var(ddof=1)) / m
    difference = float(treated.mean() - control.mean())
    if a + b == 0:
        return Estimate(difference, 0.0, n + m - 2)
    return Estimate(difference, math.sqrt(a + b), (a + b) ** 2 / (a**2 / (n - 1) + b**2 / (m - 1)))


def cuped(treated: Floats, control: Floats, before_treated: Floats, before_control: Floats) -> Estimate:
    """Welch after taking from each value θ·(before - mean before), θ over both arms together.

    CUPED (Deng, Xu, Kohavi, Walker). θ is the pooled covariance over the variance of what was before.
    """
    after = np.concatenate([treated, control])
    before = np.concatenate([before_treated, before_control])
    spread = float(before.var(ddof=1)) if len(before) > 1 else 0.0
    theta = float(np.cov(after, before)[0, 1]) / spread if spread > 0 else 0.0
    middle = float(before.mean())
    return welch(treated - theta * (before_treated - middle), control - theta * (before_control - middle))


def lin(outcome: Floats, arm: Bools, before: Floats) -> Estimate:
    """Lin's regression: outcome on arm, covariates and their products, the covariates centred; HC2 errors.

    outcome (n,), arm (n,) True where treated, before (n,) or (n, k).
    """
    covariates = before.reshape(len(outcome), -1)
    covariates = covariates - covariates.mean(axis=0)
    treated = arm.astype(np.float64)[:, None]
    design = np.hstack([np.ones_like(treated), treated, covariates, treated * covariates])
    return least_squares(outcome, design, 1, robust=True)


def least_squares(outcome: Floats, design: Floats, which: int, robust: bool = False, df: int | None = None) -> Estimate:
    """One coefficient of an ordinary regression (n, k); errors classical or HC2; df n - k if not given."""
    count, width = design.shape
    if count <= width or np.linalg.matrix_rank(design) < width:
        return NOTHING
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ outcome
    residual = outcome - design @ coefficients
    if robust:
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
        meat = design * (residual / np.sqrt(np.maximum(1 - leverage, 1e-12)))[:, None]
        variance = inverse @ (meat.T @ meat) @ inverse
    else:
        variance = inverse * float(residual @ residual) / (count - width)
    return Estimate(float(coefficients[which]), math.sqrt(float(variance[which, which])), df or count - width)


def departments(outcome: Floats, arm: Bools, before: Floats | None = None) -> Estimate:
    """Departments drawn by lot: their means compared, adjusted for their means before; t(G - 3), t(G - 2) without."""
    if before is None:
        design = np.column_stack([np.ones(len(outcome)), arm])
    else:
        design = np.column_stack([np.ones(len(outcome)), arm, before - before.mean()])
    return least_squares(outcome, design.astype(np.float64), 1)


def sample_ratio_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """How likely arms of these sizes are if they were drawn with these shares (chi-square)."""
    total = sum(counts)
    weights = [share / sum(shares) for share in shares]
    if total == 0:
        return 1.0
    statistic = sum((seen - total * share) ** 2 / (total * share) for seen, share in zip(counts, weights, strict=True))
    return chi_square_above(statistic, len(counts) - 1)
