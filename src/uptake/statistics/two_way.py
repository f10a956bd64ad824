"""Least squares on units and days, and the same with each unit left out.

On the cells of a mask, y = unit + day. The days alone satisfy T x T normal equations S·day = r, with the units taken
out; leaving one unit out takes its share from S and r. Units that are known on the same cells share one factorization,
so that a panel without gaps needs one for each date of beginning, however many units it has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from uptake.statistics.distributions import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Column 0 is the fit of all; column 1 + k the fit without unit k.

    unit: (J, 1 + J), NaN for units without a cell; day: (T, 1 + J), NaN for days without one in that fit.
    """

    unit: Floats
    day: Floats


class TwoWay:
    """The fit of units and days on the cells of a mask (J, T); `mask` afterwards holds the cells that can be used."""

    def __init__(self, mask: Bools) -> None:
        self.mask = _connected(mask)
        self.cells = self.mask.astype(np.float64)
        self.per_unit = self.cells.sum(axis=1)
        self.per_day = self.cells.sum(axis=0)
        scaled = self.cells / np.maximum(self.per_unit, 1)[:, None]
        self._normal = np.diag(self.per_day) - self.cells.T @ scaled
        kinds: dict[bytes, list[int]] = {}
        for row in range(len(mask)):
            kinds.setdefault(np.packbits(self.mask[row]).tobytes(), []).append(row)
        self._kinds = [np.array(rows) for rows in kinds.values()]

    def solve(self, values: Floats, leaving_out: bool = True) -> Effects:
        """The effects for values (J, T); only the cells of the mask are read."""
        units, days = self.mask.shape
        clean = np.where(self.mask, values, 0.0)
        mean = clean.sum(axis=1) / np.maximum(self.per_unit, 1)
        residual = self.cells * (clean - mean[:, None])
        right = residual.sum(axis=0)
        fits = 1 + units if leaving_out else 1
        day = np.full((days, fits), np.nan)
        open_ = self.per_day > 0
        day[open_, 0] = _solved(self._normal[np.ix_(open_, open_)], right[open_, None])[:, 0]
        if leaving_out:
            for rows in self._kinds:
                cells = self.cells[rows[0]]
                left = self.per_day - cells > 0
                count = self.per_unit[rows[0]]
                normal = self._normal
                if count:
                    normal = normal - np.diag(cells) + np.outer(cells, cells) / count
                rights = right[:, None] - residual[rows].T
                day[np.ix_(left, rows + 1)] = _solved(normal[np.ix_(left, left)], rights[left])
        filled = np.nan_to_num(day)
        here = np.isfinite(day).astype(np.float64)
        count = self.cells @ here
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = np.where(count > 0, (clean @ here - self.cells @ filled) / count, np.nan)
        return Effects(unit=unit, day=day)


def _solved(normal: Floats, right: Floats) -> Floats:
    """One solution of the singular equations: the one whose days sum to 0."""
    if not len(normal):
        return right
    lifted = normal + np.trace(normal) / len(normal) ** 2
    try:
        factor = linalg.cho_factor(lifted, check_finite=False)
        return np.asarray(linalg.cho_solve(factor, right, check_finite=False), dtype=np.float64)
    except linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(normal, hermitian=True) @ right, dtype=np.float64)


def _connected(mask: Bools) -> Bools:
    """The mask without cells that no chain of units and days ties to the largest part."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return mask.copy()
    units, days = mask.shape
    graph = coo_matrix((np.ones(len(rows)), (rows, columns + units)), shape=(units + days, units + days))
    parts, label = connected_components(graph, directed=False)
    if parts == 1:
        return mask.copy()
    cells = np.bincount(label[rows], minlength=parts)
    return np.asarray(mask & (label[:units] == cells.argmax())[:, None])


def two_way_residual(values: Floats, mask: Bools) -> Floats:
    """What units and days do not explain of values (J, T) on the mask; NaN outside it."""
    fit = TwoWay(mask)
    effects = fit.solve(values, leaving_out=False)
    return np.where(fit.mask, values - effects.unit[:, :1] - effects.day[:, 0][None, :], np.nan)


def slope(regressor: Floats, values: Floats, mask: Bools) -> tuple[float, Floats, Ints]:
    """y ~ b·x + unit + day on the mask: b, b without each unit of `rows`, and those rows (who have a cell).

    NaN where x does not vary beside units and days.
    """
    fit = TwoWay(mask)
    effects = fit.solve(regressor)
    x = np.where(fit.mask, regressor, 0.0)
    y = np.where(fit.mask, values, 0.0)
    alpha, day = np.nan_to_num(effects.unit), np.nan_to_num(effects.day)

    def against(other: Floats) -> Floats:
        """Sum of (x residualised)·other in the fit of all and in each without a unit."""
        product, by_unit, by_day = (x * other).sum(axis=1), other.sum(axis=1), other.sum(axis=0)
        units = len(other)
        total = np.full(1 + units, product.sum())
        total[1:] -= product
        days = by_day @ day
        days[1:] -= np.einsum("jt,tj->j", other, day[:, 1:])
        own = by_unit @ alpha
        own[1:] -= by_unit * np.diagonal(alpha[:, 1:])
        return np.asarray(total - own - days, dtype=np.float64)

    spread = against(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.where(spread > 1e-9 * max(float((x * x).sum()), 1e-300), against(y) / spread, np.nan)
    rows = np.flatnonzero(fit.per_unit > 0)
    return float(slopes[0]), slopes[1:][rows], rows
