"""Before the start: what a rollout could detect, and which split of the departments answers best.

From history alone. The error of a future answer is foretold by what is left of the history after departments and
days, carried forward with its memory; as a cross-check, rollouts that never were are tried on the history itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from uptake.statistics.distributions import Floats, normal_quantile, t_quantile
from uptake.statistics.imputation import quick_effect
from uptake.statistics.panel import Panel
from uptake.statistics.plan import PEOPLE_EACH
from uptake.statistics.two_way import two_way_residual

BLOCKED_ABOVE = 2.0
"""Times the smallest effect that matters; a rollout that detects no less cannot answer."""

WAITING_AT_LEAST = 0.40
PLACEBOS = 100


@dataclass(frozen=True, slots=True)
class Noise:
    """What departments and days do not explain of a history: its spread, its memory from day to day, and the part of
    the spread that is forgotten at once (a small department's chance)."""

    spread: float
    memory: float
    forgotten: float
    mean: float
    units: int


@dataclass(frozen=True, slots=True)
class Gate:
    """detectable: the smallest effect found 4 times in 5, in the metric's unit; relative: against the history's mean.

    needed: departments needed to detect M, None where no number up to 100 000 does. placebo: the same from rollouts
    tried on the history, None where it is too short.
    """

    detectable: float
    relative: float | None
    se: float
    needed: int | None
    can_answer: bool
    placebo: float | None
    waiting_share: float
    remedies: tuple[str, ...]


def noise_of(history: Panel) -> Noise:
    """From a panel in which nobody had begun (begun cells are left out). ValueError under 2 units or 14 days."""
    waiting = history.known & ~history.under
    left = two_way_residual(history.outcome, waiting)
    units = int(np.isfinite(left).any(axis=1).sum())
    if units < 2 or history.never * history.step < 14:
        raise ValueError("a history needs two units and two weeks")
    cells = int(np.isfinite(left).sum())
    freedom = max(cells - units - history.never + 1, 1)
    spread = math.sqrt(float(np.nansum(left**2)) / freedom)

    def together(lag: int) -> float:
        both = left[:, lag:] * left[:, :-lag]
        known = np.isfinite(both)
        return float(both[known].mean()) if known.any() else 0.0

    first, second = together(1), together(2)
    variance = spread**2
    # Removing each unit's own mean pulls neighbours apart by about one part in the length.
    lift = variance / max(history.never, 2)
    first, second = first + lift, second + lift
    memory = min(max(second / first, 0.0), 0.98) if first > 0.02 * variance else 0.0
    kept = min(first / memory, variance) if memory > 0.05 else 0.0
    if memory <= 0.05:
        memory = 0.0
    mean = float(np.nanmean(np.where(waiting, history.outcome, np.nan)))
    return Noise(spread, memory, 1 - kept / variance if variance > 0 else 1.0, mean, units)


def foretold_se(noise: Noise, *, units: int, waiting_share: float, before: int, after: int) -> float:
    """Var = w'Γw / (P(1-P)·J): w takes the mean of `before` days from that of `after`, Γ the noise's memory."""
    weights: Floats = np.concatenate([np.full(before, -1 / before), np.full(after, 1 / after)])
    apart = np.abs(np.subtract.outer(np.arange(before + after), np.arange(before + after)))
    gamma = (1 - noise.forgotten) * noise.memory**apart
    gamma[np.diag_indices_from(gamma)] = 1.0
    variance = noise.spread**2 * float(weights @ gamma @ weights)
    return math.sqrt(variance / (waiting_share * (1 - waiting_share) * units))


def detectable(se: float, units: int, alpha: float = 0.05, power: float = 0.80) -> float:
    """MDE = (t(1-α/2) + t(power))·SE with t(G - 1)."""
    df = max(units - 1, 1)
    return (t_quantile(1 - alpha / 2, df) + t_quantile(power, df)) * se


def gate(
    history: Panel,
    smallest: float,
    *,
    waiting_share: float,
    after: int,
    before: int | None = None,
    units: int | None = None,
    seed: int = 0,
) -> Gate:
    """Can a rollout over these departments, read after `after` days, answer? `smallest` is M in the metric's unit."""
    noise = noise_of(history)
    count = units or noise.units
    days_before = before or history.never
    se = foretold_se(noise, units=count, waiting_share=waiting_share, before=days_before, after=after)
    least = detectable(se, count)

    def enough(number: int) -> bool:
        error = se * math.sqrt(count / number)
        return detectable(error, number) <= smallest

    needed = None
    if enough(100_000):
        low, high = 4, 100_000
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle + 1, high)
        needed = low
    can = least <= BLOCKED_ABOVE * smallest
    remedies: list[str] = []
    if not can:
        remedies = ["holdout", "wait_longer", "more_departments", "adjust_for_before"]
    if waiting_share < WAITING_AT_LEAST:
        remedies.append("more_waiting")
    return Gate(
        detectable=least,
        relative=least / noise.mean if noise.mean > 0 else None,
        se=se,
        needed=needed,
        can_answer=can,
        placebo=placebo_detectable(history, waiting_share, seed=seed),
        waiting_share=waiting_share,
        remedies=tuple(remedies),
    )


def placebo_detectable(history: Panel, waiting_share: float, *, draws: int = PLACEBOS, seed: int = 0) -> float | None:
    """The same from rollouts that never were: `draws` random ones at the middle of the history; None if too short."""
    if history.never < 28 or len(history.units) < 4:
        return None
    rng = np.random.default_rng(seed)
    count = len(history.units)
    begins = max(round(count * (1 - waiting_share)), 1)
    clean = history.blank(history.under)
    found = []
    for _ in range(draws):
        adopted = np.full(count, history.never)
        adopted[rng.permutation(count)[:begins]] = history.never // 2
        found.append(quick_effect(clean.beginning(adopted)))
    values = np.array(found)
    values = values[np.isfinite(values)]
    if len(values) < 10:
        return None
    return detectable(math.sqrt(float((values**2).mean())), count)


@dataclass(frozen=True, slots=True)
class Wave:
    """A date (days from the first start) and the units that begin then."""

    after_days: int
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollout:
    """waves in order; waiting: who begins only after the reading; gate of exactly this rollout."""

    waves: tuple[Wave, ...]
    waiting: tuple[str, ...]
    gate: Gate


def best_rollout(
    history: Panel,
    smallest: float,
    *,
    after: int,
    waves: int = 1,
    apart: int = 14,
    most_waiting: float = 0.5,
    seed: int = 0,
) -> Rollout:
    """The split that detects least among waiting shares from 20 % to `most_waiting`, drawn so that the arms are alike.

    Units are ordered by their level and dealt out in small blocks by lot, so that every wave holds high and low ones.
    """
    shares = [share for share in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5) if share <= most_waiting + 1e-9]
    noise = noise_of(history)
    errors = [
        foretold_se(noise, units=noise.units, waiting_share=share, before=history.never, after=after)
        for share in shares
    ]
    share = shares[int(np.argmin(errors))]
    level = np.nanmean(np.where(history.known & ~history.under, history.outcome, np.nan), axis=1)
    order = np.argsort(level, kind="stable")
    rng = np.random.default_rng(seed)
    count = len(history.units)
    waits = np.zeros(count, dtype=np.bool_)
    wanted = round(share * count)
    edges = np.linspace(0, count, wanted + 1).round().astype(int)
    for start, end in pairwise(edges):
        waits[order[rng.integers(start, end)]] = True
    goes = [int(row) for row in order if not waits[row]]
    dealt: list[list[str]] = [[] for _ in range(waves)]
    for start in range(0, len(goes), waves):
        block = goes[start : start + waves]
        for wave, row in zip(rng.permutation(waves), block, strict=False):
            dealt[int(wave)].append(history.units[row])
    return Rollout(
        waves=tuple(Wave(index * apart, tuple(sorted(names))) for index, names in enumerate(dealt)),
        waiting=tuple(sorted(history.units[row] for row in np.flatnonzero(waits))),
        gate=gate(history, smallest, waiting_share=share, after=after, seed=seed),
    )


def gate_of_people(history: Panel, smallest: float, *, begin_share: float, after: int) -> Gate:
    """Can people drawn by lot answer, `begin_share` of them beginning and read after `after` days?

    The spread of people's means over the last days of the history, seen more clearly by what they did before (CUPED);
    over at most half of the history, so that a longer reading only does better. `needed`: people in all.
    ValueError under 4 people or 14 days.
    """
    window = min(after, history.never // 2)
    if history.never * history.step < 14 or window < 1:
        raise ValueError("a history needs two weeks")
    y, x = (_person_means(history.outcome[:, part]) for part in (slice(-window, None), slice(None, -window)))
    rows = np.isfinite(y)
    count = int(rows.sum())
    if count < 4:
        raise ValueError("a history needs four people")
    y, x = y[rows], x[rows]
    x = np.where(np.isfinite(x), x, np.nanmean(x)) if np.isfinite(x).any() else np.zeros(count)
    spread_before = float(x.var(ddof=1))
    slope = float(np.cov(y, x)[0, 1]) / spread_before if spread_before > 0 else 0.0
    spread = float((y - slope * x).std(ddof=1))
    people = len(history.units)

    def error(number: int) -> float:
        return spread * math.sqrt(1 / (begin_share * number) + 1 / ((1 - begin_share) * number))

    least = detectable(error(people), people - 1)
    reach = normal_quantile(0.975) + normal_quantile(0.80)
    by_spread = math.ceil((reach * spread / smallest) ** 2 / (begin_share * (1 - begin_share)))
    needed = max(by_spread, math.ceil(PEOPLE_EACH / min(begin_share, 1 - begin_share)))
    can = least <= BLOCKED_ABOVE * smallest
    remedies = [] if can else ["wait_longer", "more_people"]
    if min(begin_share, 1 - begin_share) < WAITING_AT_LEAST:
        remedies.append("even_shares")
    mean = float(y.mean())
    relative = least / mean if mean > 0 else None
    waiting = 1 - begin_share
    return Gate(least, relative, error(people), needed, can, None, waiting, tuple(remedies))


def _person_means(part: Floats) -> Floats:
    known = np.isfinite(part)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, part, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def people_per_arm(difference: float, spread: float, alpha: float = 0.05, power: float = 0.80) -> int:
    """People in each of two equal arms to find a difference of means, by the noncentral t."""
    size = abs(difference) / spread
    count = max(math.ceil(2 * ((normal_quantile(1 - alpha / 2) + normal_quantile(power)) / size) ** 2), 2)
    while _power(count, size, alpha) < power:
        count += 1
    while count > 2 and _power(count - 1, size, alpha) >= power:
        count -= 1
    return count


def _power(count: int, size: float, alpha: float) -> float:
    df, shift = 2 * count - 2, size * math.sqrt(count / 2)
    bound = t_quantile(1 - alpha / 2, df)
    return float(1 - special.nctdtr(df, shift, bound) + special.nctdtr(df, shift, -bound))


def design_effect(per_cluster: float, icc: float) -> float:
    """By how many times whole departments drawn by lot need more people: 1 + (m - 1)·ICC."""
    return 1 + (per_cluster - 1) * icc
