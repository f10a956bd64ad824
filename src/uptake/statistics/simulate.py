"""Panels whose truth is known: departments with levels of their own, a common unrest, weekdays, memory, and a start.

What the coverage, the false alarms and the drills are measured on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Floats
from uptake.statistics.panel import Panel


@dataclass(frozen=True, slots=True)
class World:
    """The designed generator. Shares between 0 and 1; `effect` in shares (0.042 is 4.2 percentage points).

    starts: days on which a group of departments begins; waiting: the share that never does. memory: how much of a
    department's deviation is left the next day. rise: what everybody gains over the panel, whatever is done. ramp:
    days until the effect is whole. drift: what departments that begin gain over the panel by themselves. fades: the
    share of the effect gone in the end.
    """

    departments: int = 60
    days: int = 180
    starts: tuple[int, ...] = (90, 104, 118)
    waiting: float = 0.25
    effect: float = 0.042
    spread_of_effect: float = 0.02
    level: float = 0.40
    spread_of_levels: float = 0.08
    common: float = 0.006
    rise: float = 0.05
    memory: float = 0.5
    noise: float = 0.03
    ramp: int = 0
    drift: float = 0.0
    fades: float = 0.0
    missing: float = 0.0
    smallest_department: int = 8
    largest_department: int = 60
    companies: int = 1
    first_day: str = "2026-01-05"


def simulated(world: World, seed: int) -> tuple[Panel, float]:
    """A panel, and the true mean effect over its begun cells."""
    rng = np.random.default_rng(seed)
    count, days = world.departments, world.days
    heads = rng.integers(world.smallest_department, world.largest_department + 1, count).astype(np.float64)
    levels = world.level + world.spread_of_levels * rng.standard_normal(count)
    walk = np.cumsum(world.common * rng.standard_normal(days)) * math.sqrt(1 - 0.9) * 2
    week = 0.03 * np.sin(2 * np.pi * np.arange(days) / 7)
    common = walk + week + world.rise * np.arange(days) / days
    order = rng.permutation(count)
    never = round(count * world.waiting)
    adopted = np.full(count, days, dtype=np.int64)
    for group, rows in enumerate(np.array_split(order[never:], len(world.starts))):
        adopted[rows] = world.starts[group]
    own = _remembering(rng, count, days, world.memory) * world.noise
    since = np.arange(days)[None, :] - adopted[:, None]
    begun = since >= 0
    grown = np.minimum((since + 1) / max(world.ramp, 1), 1.0)
    left = 1 - world.fades * np.clip(since / 56, 0, 1)
    sizes = world.effect + world.spread_of_effect * (rng.standard_normal(count) if world.effect else np.zeros(count))
    effect = np.where(begun, sizes[:, None] * grown * left, 0.0)
    drift = world.drift * (adopted < days)[:, None] * np.arange(days)[None, :] / days
    share = np.clip(levels[:, None] + common[None, :] + own + effect + drift, 0.01, 0.99)
    people = np.repeat(heads[:, None], days, axis=1)
    came = rng.binomial(people.astype(np.int64), share).astype(np.float64)
    outcome = came / people
    if world.missing:
        outcome[rng.random(outcome.shape) < world.missing] = np.nan
    first = np.datetime64(world.first_day, "D")
    panel = Panel(
        units=tuple(f"D{index:03}" for index in range(count)),
        days=np.arange(first, first + np.timedelta64(days, "D")),
        outcome=outcome,
        headcount=people,
        adopted=adopted,
        numerator=came,
        denominator=people,
        company=tuple(f"C{index % world.companies:02}" for index in range(count)),
        role=tuple(("clerk", "warehouse", "sales")[index % 3] for index in range(count)),
    )
    cells = begun & np.isfinite(outcome)
    return panel, float(effect[cells].mean()) if cells.any() else 0.0


def _remembering(rng: np.random.Generator, count: int, days: int, memory: float) -> Floats:
    """AR(1) noise of variance 1, (count, days)."""
    fresh = rng.standard_normal((count, days))
    kept = np.empty_like(fresh)
    kept[:, 0] = fresh[:, 0]
    scale = math.sqrt(1 - memory**2)
    for day in range(1, days):
        kept[:, day] = memory * kept[:, day - 1] + scale * fresh[:, day]
    return kept
