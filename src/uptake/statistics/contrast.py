"""A rule that changed for everybody: the action it pays for against one that it does not, in the same units.

The change of log(affected) less the change of log(unaffected), unit by unit: what moved both actions alike falls out.
The larger of two errors is taken: over units, and over days with their memory.
"""

from __future__ import annotations

import math

import numpy as np

from uptake.statistics.distributions import Floats
from uptake.statistics.estimate import NOTHING, Estimate, Relative
from uptake.statistics.series import with_memory


def affected_against_unaffected(affected: Floats, unaffected: Floats, start: int) -> Estimate:
    """The change on the log scale; both (units, days), counts or sums that are not negative, NaN unknown.

    Units that did either action on neither side of the start have no say.
    """
    changes = []
    for ours, theirs in zip(affected, unaffected, strict=True):
        known = np.isfinite(ours) & np.isfinite(theirs)
        before, after = known.copy(), known.copy()
        before[start:] = False
        after[:start] = False
        if not before.any() or not after.any():
            continue
        means = [float(part[side].mean()) for part in (ours, theirs) for side in (after, before)]
        if min(means) <= 0:
            continue
        changes.append(math.log(means[0] / means[1]) - math.log(means[2] / means[3]))
    if len(changes) < 2:
        return NOTHING
    over_units = float(np.std(changes, ddof=1)) / math.sqrt(len(changes))
    both = np.isfinite(affected) & np.isfinite(unaffected)
    a = np.where(both, affected, 0.0).sum(axis=0)
    b = np.where(both, unaffected, 0.0).sum(axis=0)
    day = np.flatnonzero((a > 0) & (b > 0))
    over_days = 0.0
    if len(day) > 4 and (day < start).any() and (day >= start).any():
        design = np.column_stack([np.ones(len(day)), day >= start]).astype(np.float64)
        _, covariance, _ = with_memory(np.log(a[day] / b[day]), design)
        over_days = math.sqrt(float(covariance[1, 1]))
    return Estimate(float(np.mean(changes)), max(over_units, over_days), len(changes) - 1)


def as_relative(log: Estimate) -> Relative | None:
    """A change on the log scale as a share of what would have been."""
    if not log.usable:
        return None
    return Relative(math.exp(log.value) - 1, math.exp(log.low) - 1, math.exp(log.high) - 1)
