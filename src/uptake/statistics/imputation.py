"""What began at different dates in different units: each begun cell against what its unit and day would have been.

The estimator of Borusyak, Jaravel and Spiess: unit and day effects are fitted on the cells not yet begun only, so that
no begun unit serves as a control; the effect of a cell is what was seen less the sum of its two effects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Bools, Floats, Ints
from uptake.statistics.estimate import NOTHING, Estimate, Relative, jackknifed, relative_of
from uptake.statistics.panel import Panel
from uptake.statistics.two_way import Effects, TwoWay


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """A weighted mean of cell effects, with what it is made of.

    without: (G,), the mean without each unit of `rows` (the G units of the fit); counterfactual: the weighted mean of
    what the same cells would have been; seen = counterfactual + estimate.
    """

    estimate: Estimate
    without: Floats
    rows: Ints
    counterfactual: float
    counterfactual_estimate: Estimate
    relative: Relative | None
    cells: int
    units: int

    @property
    def seen(self) -> float:
        return self.counterfactual + self.estimate.value


class Imputation:
    """The fit of a panel on its cells not yet begun.

    used: (J, T), begun cells that have an answer; lost_days: how many days with begun cells have no unit still waiting.
    """

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        waiting = panel.known & ~panel.under
        self.fit = TwoWay(waiting)
        self.effects: Effects = self.fit.solve(panel.outcome)
        open_days = self.fit.per_day > 0
        begun = panel.known & panel.under
        self.used: Bools = begun & (self.fit.per_unit > 0)[:, None] & open_days[None, :]
        self.lost_days = int((begun.any(axis=0) & ~open_days).sum())
        self.rows: Ints = np.flatnonzero((self.fit.per_unit > 0) & (self.fit.mask.any(axis=1) | self.used.any(axis=1)))
        self._y = np.where(self.used, panel.outcome, 0.0)

    def imputed(self) -> Floats:
        """(J, T): what each begun cell would have been; NaN elsewhere."""
        expected = self.effects.unit[:, :1] + self.effects.day[:, 0][None, :]
        return np.where(self.used, expected, np.nan)

    def cell_effects(self) -> Floats:
        """(J, T): seen less imputed for begun cells; NaN elsewhere."""
        return np.where(self.used, self.panel.outcome - self.imputed(), np.nan)

    def average(self, weights: Floats | None = None) -> Effect:
        """The mean effect over begun cells with these weights (J, T), all equal where none are given."""
        given = np.ones(self.used.shape) if weights is None else weights
        share = np.where(self.used, np.nan_to_num(given), 0.0)
        if share.sum() <= 0:
            return Effect(NOTHING, np.zeros(0), self.rows, math.nan, NOTHING, None, 0, 0)
        seen, expected = self._means(share)
        effects = seen - expected
        rows = self.rows
        without = effects[1:][rows]
        absolute = jackknifed(float(effects[0]), without)
        counterfactual = float(expected[0])
        return Effect(
            estimate=absolute,
            without=without,
            rows=rows,
            counterfactual=counterfactual,
            counterfactual_estimate=jackknifed(counterfactual, expected[1:][rows]),
            relative=relative_of(absolute, counterfactual, without, expected[1:][rows]),
            cells=int((share > 0).sum()),
            units=int((share > 0).any(axis=1).sum()),
        )

    def _means(self, share: Floats) -> tuple[Floats, Floats]:
        """Weighted means of what was seen and of what was imputed: of all, then without each unit (1 + J)."""
        units = len(share)
        day, alpha = self.effects.day, np.nan_to_num(self.effects.unit)
        filled, here = np.nan_to_num(day), np.isfinite(day).astype(np.float64)
        weighted = share * self._y
        per_unit = share @ here  # (J, 1 + J): each unit's weight on the days that fit has
        seen = weighted.sum(axis=0) @ here
        by_day = share.sum(axis=0) @ filled
        by_unit = (per_unit * alpha).sum(axis=0)
        total = per_unit.sum(axis=0)
        own = np.arange(units)
        seen[1:] -= np.einsum("jt,tj->j", weighted, here[:, 1:])
        by_day[1:] -= np.einsum("jt,tj->j", share, filled[:, 1:])
        by_unit[1:] -= (per_unit * alpha)[own, own + 1]
        total[1:] -= per_unit[own, own + 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            return (
                np.asarray(np.where(total > 0, seen / total, np.nan)),
                np.asarray(np.where(total > 0, (by_unit + by_day) / total, np.nan)),
            )


def quick_effect(panel: Panel) -> float:
    """The mean effect alone, without any interval: for permutations."""
    waiting = panel.known & ~panel.under
    fit = TwoWay(waiting)
    effects = fit.solve(panel.outcome, leaving_out=False)
    cells = panel.known & panel.under & (fit.per_unit > 0)[:, None] & (fit.per_day > 0)[None, :]
    if not cells.any():
        return math.nan
    return float((panel.outcome - effects.unit[:, :1] - effects.day[:, 0][None, :])[cells].mean())
