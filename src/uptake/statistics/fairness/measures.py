"""Measures of fairness: observed over expected, reach, inequality within and between groups, ranks, earnability."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from uptake.statistics.distributions import Floats, poisson_interval
from uptake.statistics.inequality import gini, theil

BOOTSTRAPS = 2000
GINI_FROM = 30
LORENZ_STEPS, LORENZ_PEOPLE = 10, 10


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio with its interval; `people` behind it."""

    value: float
    low: float
    high: float
    people: int


def zero_share(points: Floats) -> float:
    """Who has nothing, as a share of all eligible."""
    return float((points <= 0).mean()) if len(points) else 0.0


def top_share(points: Floats, part: float = 0.10) -> float | None:
    """The share of all points held by the top tenth of people (at least one); None where there are none."""
    total = float(points.sum())
    if total <= 0:
        return None
    count = max(math.ceil(len(points) * part - 1e-9), 1)
    return float(np.sort(points)[-count:].sum()) / total


def lorenz(points: Floats) -> list[tuple[float, float]] | None:
    """Lorenz curve from (0, 0) to (1, 1): share of people from the one with fewest on, share of all points they hold.

    At most ten steps of at least ten people each, so that no step tells of single ones; None under 30 people or where
    there are no points.
    """
    count, total = len(points), float(points.sum())
    if count < GINI_FROM or total <= 0:
        return None
    held = np.cumsum(np.sort(points))
    steps = min(LORENZ_STEPS, count // LORENZ_PEOPLE)
    ends = [round(step * count / steps) for step in range(1, steps + 1)]
    return [(0.0, 0.0), *((end / count, float(held[end - 1]) / total) for end in ends)]


def gini_interval(points: Floats, seed: int = 0) -> Ratio | None:
    """Gini without its small-sample bias (n/(n-1)), interval by drawing people again; None under 30 people."""
    count = len(points)
    value = gini([float(one) for one in points])
    if value is None or count < GINI_FROM:
        return None
    rng = np.random.default_rng(seed)
    drawn = np.sort(points[rng.integers(0, count, (BOOTSTRAPS, count))], axis=1)
    totals = drawn.sum(axis=1)
    kept = totals > 0
    ginis = 2 * (drawn[kept] @ np.arange(1, count + 1)) / (count * totals[kept]) - (count + 1) / count
    lift = count / (count - 1)
    low, high = np.quantile(ginis * lift, (0.025, 0.975))
    return Ratio(value * lift, float(low), float(high), count)


def between_theil(points: Floats, groups: Sequence[str]) -> tuple[float, float]:
    """Theil's T split exactly: (within, between) groups."""
    total = float(points.sum())
    whole = theil([float(one) for one in points])
    if whole is None:
        return 0.0, 0.0
    mean = total / len(points)
    names = np.asarray(groups)
    between = 0.0
    for name in sorted(set(groups)):
        part = points[names == name]
        if part.sum() > 0:
            between += float(part.sum()) / total * math.log(float(part.mean()) / mean)
    between = max(between, 0.0)
    return whole - between, between


@dataclass(frozen=True, slots=True)
class Split:
    """Of the inequality: within cells of both groupings, due to the first and to the second (shares of Theil's T)."""

    theil: float
    within: float
    first: float
    second: float


def two_way_theil(points: Floats, first: Sequence[str], second: Sequence[str]) -> Split | None:
    """Between department x role, shared out by Shapley as the two overlap: ½[(B_both - B_other) + B_own]."""
    whole = theil([float(one) for one in points])
    if whole is None or whole == 0:
        return None
    both = between_theil(points, [f"{a}\x1f{b}" for a, b in zip(first, second, strict=True)])[1]
    a, b = between_theil(points, first)[1], between_theil(points, second)[1]
    return Split(whole, (whole - both) / whole, (both - b + a) / 2 / whole, (both - a + b) / 2 / whole)


@dataclass(frozen=True, slots=True)
class Expected:
    """Observed over expected of one group, with the exact interval, widened by the dispersion where that is over 1."""

    group: str
    people: int
    observed: float
    expected: float
    ratio: Ratio


def observed_over_expected(
    groups: Sequence[str], opportunities: Floats, actions: Floats, points: Sequence[float]
) -> tuple[tuple[Expected, ...], float]:
    """What each group earned against what its opportunities are worth at everybody's rate; and the dispersion φ.

    groups (n,); opportunities and actions (n, a): how often each person could do and did each kind of action;
    points (a,): what one is worth. Intervals count in mean points per action, so that a point is not a count.
    """
    worth = np.asarray(points, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(opportunities.sum(axis=0) > 0, actions.sum(axis=0) / opportunities.sum(axis=0), 0.0)
    expected_of, observed_of = opportunities @ (rate * worth), actions @ worth
    total = float((actions @ (worth**2)).sum())
    # Points come in lumps: one action of w points has variance w², so counts are in lumps of Σw²/Σw.
    lump = total / float(observed_of.sum()) if observed_of.sum() > 0 else 1.0
    names = np.asarray(groups)
    rows = []
    for name in sorted(set(groups)):
        inside = names == name
        rows.append((name, int(inside.sum()), float(observed_of[inside].sum()), float(expected_of[inside].sum())))
    spread = [(o - e) ** 2 / e / lump for _, _, o, e in rows if e > 0]
    phi = max(sum(spread) / (len(spread) - 1), 1.0) if len(spread) > 1 else 1.0
    if len(spread) <= 3:  # too few groups to tell dispersion from difference
        phi = 1.0
    told = []
    for name, people, observed, expected in rows:
        if expected <= 0:
            continue
        low, high = poisson_interval(observed / lump)
        value = observed / expected
        low, high = low * lump / expected, high * lump / expected
        wide = math.sqrt(phi)
        ratio = Ratio(value, max(value - (value - low) * wide, 0.0), value + (high - value) * wide, people)
        told.append(Expected(name, people, observed, expected, ratio))
    return tuple(told), phi


def reach(points: Floats, groups: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Of each group: who has anything, and how many there are."""
    names = np.asarray(groups)
    return {name: (int((points[names == name] > 0).sum()), int((names == name).sum())) for name in sorted(set(groups))}


def reach_ratio(reached: tuple[int, int], best: tuple[int, int]) -> tuple[Ratio, float]:
    """Reach over that of the best group, the interval on the log scale; and Fisher's exact p."""
    a, n = reached
    b, m = best
    p = float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue)
    if a == 0 or b == 0:
        return Ratio(0.0, 0.0, math.inf, n), p
    value = (a / n) / (b / m)
    error = math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    return Ratio(value, value * math.exp(-1.96 * error), value * math.exp(1.96 * error), n), p


def below_four_fifths(reached: tuple[int, int], best: tuple[int, int], fifths: tuple[int, int] = (4, 5)) -> bool:
    """Exactly, in whole numbers: 0.80 itself passes."""
    (a, n), (b, m) = reached, best
    return fifths[1] * a * m < fifths[0] * b * n


@dataclass(frozen=True, slots=True)
class Difference:
    """Kruskal-Wallis: H, p, and the effect sizes that decide."""

    h: float
    p: float
    epsilon2: float
    eta2: float


def group_difference(points: Floats, groups: Sequence[str]) -> Difference | None:
    """None where there are fewer than two groups or everybody has the same."""
    names = np.asarray(groups)
    parts = [points[names == name] for name in sorted(set(groups))]
    count, kinds = len(points), len(parts)
    if kinds < 2 or count <= kinds or np.ptp(points) == 0:
        return None
    found = stats.kruskal(*parts)
    h = float(found.statistic)
    return Difference(h, float(found.pvalue), h / (count - 1), (h - kinds + 1) / (count - kinds))


def rank_mobility(before: Floats, after: Floats) -> tuple[float, float] | None:
    """Spearman of two months' points of the same people, and how much of the top tenth stays."""
    if len(before) < 3 or np.ptp(before) == 0 or np.ptp(after) == 0:
        return None
    rho = float(stats.spearmanr(before, after).statistic)
    count = max(len(before) // 10, 1)
    tops = [set(np.argsort(-part, kind="stable")[:count].tolist()) for part in (before, after)]
    return rho, len(tops[0] & tops[1]) / count


def exposure_rate(points: Floats, hours: Floats, groups: Sequence[str]) -> dict[str, float | None]:
    """Points per scheduled hour of each group."""
    names = np.asarray(groups)
    told: dict[str, float | None] = {}
    for name in sorted(set(groups)):
        worked = float(hours[names == name].sum())
        told[name] = float(points[names == name].sum()) / worked if worked > 0 else None
    return told


def earnability(per_hour: Mapping[str, Mapping[str, tuple[float, float]]]) -> dict[str, float]:
    """The best points an hour of each role: its actions as name → (points, most an hour can hold of it alone).

    An hour is spent on what pays best; with actions that fill an hour alike this is the largest product.
    """
    return {role: max((worth * most for worth, most in acts.values()), default=0.0) for role, acts in per_hour.items()}
