"""The effect by week since the beginning, and what the same method finds where nothing had begun yet.

Leads are out of sample: the last 28 days before the beginning are held out as if they were begun.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Bools, Floats
from uptake.statistics.estimate import Estimate
from uptake.statistics.experiments import welch
from uptake.statistics.imputation import Imputation
from uptake.statistics.panel import WEEK, Panel

HELD_OUT = 28
LEADS, LAGS = 8, 12


@dataclass(frozen=True, slots=True)
class Moment:
    """`since`: bins since the beginning (negative: before it); `units`: how many have a say."""

    since: int
    estimate: Estimate
    units: int


def held_out(panel: Panel, days: int = HELD_OUT) -> Panel:
    """The panel as if each unit had begun `days` earlier, its begun cells unknown."""
    earlier = np.where(panel.ever, np.maximum(panel.adopted - days, 0), panel.never)
    return panel.blank(panel.under).beginning(earlier)


def event_study(panel: Panel, leads: int = LEADS, lags: int = LAGS, bin_: int = WEEK) -> tuple[Moment, ...]:
    """Mean effects in bins of `bin_` days: up to `leads` before (out of sample) and `lags` + 1 from the beginning.

    Earlier leads than the held out days are taken by holding out that much more.
    """
    length = max(bin_ // panel.step, 1)
    found = []
    fits: dict[int, Imputation] = {}
    held = max(HELD_OUT // panel.step, length)
    for lead in range(-leads, 0):
        need = -lead * length
        block = -(-need // held) * held
        if block not in fits:
            fits[block] = Imputation(held_out(panel, block))
        cells = (panel.since >= lead * length) & (panel.since < (lead + 1) * length)
        moment = _moment(fits[block], cells & panel.ever[:, None], lead)
        if moment is not None:
            found.append(moment)
    after = Imputation(panel)
    for lag in range(lags + 1):
        cells = (panel.since >= lag * length) & (panel.since < (lag + 1) * length)
        moment = _moment(after, cells, lag)
        if moment is not None:
            found.append(moment)
    return tuple(found)


def arms_by_week(panel: Panel, leads: int = LEADS, lags: int = LAGS) -> tuple[Moment, ...]:
    """Where units were drawn by lot and all begin on one day: the difference of the two arms' means, week by week."""
    length = max(WEEK // panel.step, 1)
    found = []
    for week in range(-leads, lags + 1):
        start = panel.first + week * length
        part = panel.outcome[:, max(start, 0) : max(start + length, 0)]
        known = np.isfinite(part)
        rows = known.any(axis=1)
        if not rows.any():
            continue
        mean = np.where(known, part, 0.0).sum(axis=1)[rows] / known.sum(axis=1)[rows]
        estimate = welch(mean[panel.ever[rows]], mean[~panel.ever[rows]])
        if estimate.usable:
            found.append(Moment(week, estimate, int(rows.sum())))
    return tuple(found)


def _moment(fit: Imputation, cells: Bools, since: int) -> Moment | None:
    weights: Floats = cells.astype(np.float64)
    effect = fit.average(weights)
    if not effect.units:
        return None
    return Moment(since, effect.estimate, effect.units)
