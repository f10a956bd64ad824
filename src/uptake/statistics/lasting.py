"""Does an effect last? It by months since the beginning, each with its interval, or too few days to say.

Months are 28 days of each unit's own time. The four weeks before the beginning are out of sample, as in `event_study`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uptake.statistics.estimate import NOTHING, Estimate
from uptake.statistics.event_study import HELD_OUT, held_out
from uptake.statistics.imputation import Imputation
from uptake.statistics.panel import Panel

MONTH = 28
FEWEST_DAYS, FEWEST_UNITS = 10, 2
SPANS = (
    ("before", -HELD_OUT, -1),
    ("month_1", 0, MONTH - 1),
    ("month_2", MONTH, 2 * MONTH - 1),
    ("month_3", 2 * MONTH, 3 * MONTH - 1),
    ("after", 3 * MONTH, None),
)
"""Name, first and last day since the beginning; no last day: to the end of the data."""


@dataclass(frozen=True, slots=True)
class Span:
    """The mean effect over the days `first` to `last` since the beginning.

    days: on how many of them something is known; units: how many have a say, which need not be the same in each span.
    enough: False where fewer than 10 days or 2 units are known; the estimate then says nothing.
    """

    name: str
    first: int
    last: int | None
    days: int
    units: int
    enough: bool
    estimate: Estimate


def spans(panel: Panel, fit: Imputation | None = None) -> tuple[Span, ...]:
    """All five of `SPANS`, in that order. fit: of the panel, where it was made already."""
    after = Imputation(panel) if fit is None else fit
    earlier = Imputation(held_out(panel, max(HELD_OUT // panel.step, 1)))
    return tuple(_span(panel, earlier if first < 0 else after, name, first, last) for name, first, last in SPANS)


def _span(panel: Panel, fit: Imputation, name: str, first: int, last: int | None) -> Span:
    since = panel.since * panel.step
    cells = (since >= first) & panel.ever[:, None]
    if last is not None:
        cells &= since <= last
    known = fit.used & cells
    days = len(np.unique(panel.since[known])) * panel.step
    effect = fit.average(cells.astype(np.float64))
    enough = days >= FEWEST_DAYS and effect.units >= FEWEST_UNITS and effect.estimate.usable
    return Span(name, first, last, days, effect.units, enough, effect.estimate if enough else NOTHING)
