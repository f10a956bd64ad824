"""The second line for staggered beginnings: each date of beginning against the day before it (Callaway, Sant'Anna).

Every cohort is compared with the units that had not begun by that day. One baseline day makes its error larger than
the imputation's; agreement of the two is what it is for.
"""

from __future__ import annotations

import numpy as np

from uptake.statistics.estimate import NOTHING, Estimate, jackknifed
from uptake.statistics.panel import Panel


def group_time_average(panel: Panel) -> Estimate:
    """The mean of ATT(g, t) over begun cells (units weigh alike), by the jackknife over units.

    NOTHING where no cohort has a day before it and a unit still waiting.
    """
    y, known = panel.outcome, panel.known
    units = len(panel.units)
    total = np.zeros(1 + units)
    cells = np.zeros(1 + units)
    for start in np.unique(panel.adopted[panel.ever]):
        if start == 0:
            continue
        inside = panel.adopted == start
        base = y[:, start - 1]
        change = y[:, start:] - base[:, None]
        here = known[:, start:] & np.isfinite(base)[:, None]
        change = np.where(here, change, 0.0)
        mine = here & inside[:, None]
        later = here & (panel.adopted[:, None] > np.arange(start, panel.never)[None, :]) & ~inside[:, None]
        sums, counts = [], []
        for chosen in (mine, later):
            part, number = np.where(chosen, change, 0.0), chosen.astype(np.float64)
            sums.append(np.vstack([part.sum(axis=0), part.sum(axis=0) - part]))
            counts.append(np.vstack([number.sum(axis=0), number.sum(axis=0) - number]))
        both = (counts[0] > 0) & (counts[1] > 0)
        effect = sums[0] / np.maximum(counts[0], 1) - sums[1] / np.maximum(counts[1], 1)
        total += np.where(both, effect * counts[0], 0.0).sum(axis=1)
        cells += np.where(both, counts[0], 0.0).sum(axis=1)
    if cells[0] == 0:
        return NOTHING
    with np.errstate(invalid="ignore", divide="ignore"):
        average = np.where(cells > 0, total / cells, np.nan)
    return jackknifed(float(average[0]), average[1:][known.any(axis=1)])
