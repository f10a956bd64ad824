"""An estimate with its interval, and the leave-one-out jackknife that most of them come from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Floats, t_quantile, t_two_sided

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` in the metric's own unit (a share for rates), its standard error and the degrees of freedom of its t.

    `se` is NaN where nothing can be said of it; then `low` and `high` are infinite.
    """

    value: float
    se: float
    df: float

    @property
    def low(self) -> float:
        return self.interval()[0]

    @property
    def high(self) -> float:
        return self.interval()[1]

    @property
    def p(self) -> float:
        """Two-sided, against no difference; 1 where nothing can be said."""
        if not self.usable:
            return 1.0
        return t_two_sided(self.value / self.se, self.df) if self.se > 0 else float(self.value == 0)

    @property
    def usable(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.se) and self.df >= 1

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        if not self.usable:
            return -math.inf, math.inf
        reach = t_quantile(1 - (1 - level) / 2, self.df) * self.se
        return self.value - reach, self.value + reach


NOTHING = Estimate(math.nan, math.nan, 0)


def jackknifed(value: float, without: Floats) -> Estimate:
    """The estimate whose leave-one-out values are `without` (G,): se² = (G-1)/G Σ(b₋ᵢ - b)², df = G - 1.

    A value that does not exist without some unit has no standard error: the whole answer hangs on that unit.
    """
    count = len(without)
    if count < 2 or not np.isfinite(without).all() or not math.isfinite(value):
        return Estimate(value, math.nan, max(count - 1, 0))
    return Estimate(value, math.sqrt((count - 1) / count * float(((without - value) ** 2).sum())), count - 1)


@dataclass(frozen=True, slots=True)
class Relative:
    """A change as a share of the counterfactual: value 0.5 is half as much again. Never a rate's percentage points."""

    value: float
    low: float
    high: float


def relative_of(absolute: Estimate, counterfactual: float, without: Floats, without_c: Floats) -> Relative | None:
    """Absolute / counterfactual, the interval by the jackknife of log(1 + relative); None where it cannot be taken."""
    if not counterfactual > 0 or not absolute.usable:
        return None
    ratio = 1 + absolute.value / counterfactual
    with np.errstate(invalid="ignore", divide="ignore"):
        others = 1 + without / without_c
    if ratio <= 0 or not (others > 0).all():
        return None
    log = jackknifed(math.log(ratio), np.log(others))
    low, high = log.interval()
    if not math.isfinite(low):
        return None
    return Relative(ratio - 1, math.exp(low) - 1, math.exp(high) - 1)
