"""Quantiles and tail probabilities, typed: the one place that asks scipy for distributions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def t_quantile(probability: float, df: float) -> float:
    """Of Student's t with `df` degrees of freedom."""
    return float(special.stdtrit(df, probability))


def normal_quantile(probability: float) -> float:
    return float(special.ndtri(probability))


def t_two_sided(statistic: float, df: float) -> float:
    """How likely a value as far from 0 in either direction is, under t."""
    if not math.isfinite(statistic):
        return 0.0
    return float(2 * special.stdtr(df, -abs(statistic)))


def normal_two_sided(statistic: float) -> float:
    return float(2 * special.ndtr(-abs(statistic)))


def chi_square_above(statistic: float, df: float) -> float:
    return float(special.chdtrc(df, statistic))


def chi_square_quantile(probability: float, df: float) -> float:
    return float(special.chdtri(df, 1 - probability)) if df > 0 else 0.0


def binomial_at_least(count: Ints | int, trials: Ints | int, probability: Floats | float) -> Floats:
    """P(X >= count) of Binomial(trials, probability), elementwise; 1 where count is 0."""
    counts, of, chance = np.broadcast_arrays(
        np.asarray(count, dtype=np.float64), np.asarray(trials, dtype=np.float64), np.asarray(probability, np.float64)
    )
    tail = np.asarray(special.bdtrc(np.maximum(counts - 1, 0), of.astype(np.int64), chance), dtype=np.float64)
    return np.where(counts <= 0, 1.0, np.where(counts > of, 0.0, tail))


def poisson_at_least(count: Floats, mean: Floats) -> Floats:
    """P(X >= count) of a Poisson of that mean, elementwise."""
    tail = np.asarray(special.pdtrc(np.maximum(count - 1, 0), mean), dtype=np.float64)
    return np.where(count <= 0, 1.0, tail)


def poisson_at_most(count: Floats, mean: Floats) -> Floats:
    return np.asarray(special.pdtr(count, mean), dtype=np.float64)


def normal_above(value: Floats) -> Floats:
    """P(Z > value), elementwise."""
    return np.asarray(special.ndtr(-value), dtype=np.float64)


def poisson_interval(count: float, level: float = 0.95) -> tuple[float, float]:
    """Garwood's exact interval of a Poisson mean of which `count` was seen."""
    tail = (1 - level) / 2
    low = chi_square_quantile(tail, 2 * count) / 2 if count > 0 else 0.0
    return low, chi_square_quantile(1 - tail, 2 * (count + 1)) / 2


def share_interval(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a share of which `hits` out of `of` were seen."""
    tail = (1 - level) / 2
    low = float(special.betaincinv(hits, of - hits + 1, tail)) if hits > 0 else 0.0
    high = float(special.betaincinv(hits + 1, of - hits, 1 - tail)) if hits < of else 1.0
    return low, high
