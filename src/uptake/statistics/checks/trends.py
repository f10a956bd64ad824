"""Did begun and waiting units move alike before anything began?"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from uptake.statistics.distributions import Floats
from uptake.statistics.estimate import Estimate, jackknifed
from uptake.statistics.event_study import HELD_OUT, event_study, held_out
from uptake.statistics.imputation import Imputation
from uptake.statistics.panel import WEEK, Panel
from uptake.statistics.plan import Assignment, Plan
from uptake.statistics.result import Check, Light
from uptake.statistics.two_way import slope

FRAGILE, ROBUST = 0.5, 1.0
SELECTION_DAYS = 14
SELECTION_RATIO = 1.5


def weekly_slope(panel: Panel) -> Estimate:
    """How much more begun units rose each week than waiting ones, on cells not yet begun; by the jackknife.

    Where every unit begins sometime, the earlier half stands for those who begin.
    """
    ever = panel.ever
    if ever.all():
        ever = panel.adopted <= np.median(panel.adopted)
    week = np.arange(panel.never) * panel.step / WEEK
    regressor = ever[:, None] * (week - week.mean())[None, :]
    value, without, _ = slope(regressor, panel.outcome, panel.known & ~panel.under)
    return jackknifed(value, without)


def pretrend(panel: Panel, plan: Plan) -> list[Check]:
    """A slope that chance does not explain stops; one that cannot be shown small enough against M warns.

    The second is needed since a small true drift passes the first most of the time.
    """
    found = weekly_slope(panel)
    if not found.usable:
        return [Check("PRETREND", Light.WARN, None), Check("PRETREND_SIZE", Light.WARN, None)]
    stop = found.p < 0.05
    lasts = float(np.mean(panel.never - panel.adopted[panel.ever])) * panel.step / WEEK
    low, high = (end * lasts / 2 for end in found.interval(0.90))
    worst = max(abs(low), abs(high))
    return [
        Check("PRETREND", Light.STOP if stop else Light.PASS, found.p, {"per_week": found.value}),
        Check("PRETREND_SIZE", Light.PASS if worst < plan.smallest else Light.WARN, worst, {"smallest": plan.smallest}),
    ]


def placebo_time(panel: Panel, days: int = HELD_OUT) -> Check:
    """The start moved 28 days earlier, what really began removed: nothing should be found."""
    effect = Imputation(held_out(panel, max(days // panel.step, 1))).average()
    found = effect.estimate
    stop = found.usable and found.excludes_zero
    light = Light.STOP if stop else Light.PASS if found.usable else Light.WARN
    return Check("PLACEBO_TIME", light, found.value, {"low": found.low, "high": found.high, "days": days})


def honest(panel: Panel, effect: Estimate) -> Check:
    """How many times the largest step before the start the trends may part after it until the answer is gone.

    Steps between 28-day means, leads out of sample; the parting may grow every 28 days, and the sampling interval
    is added to it whole: a bound that errs on the safe side of HonestDiD's relative magnitudes.
    """
    block = HELD_OUT // panel.step
    leads = max(min(int(np.median(panel.adopted[panel.ever])) // block - 1, 3), 1) if panel.ever.any() else 1
    path = [one for one in event_study(panel, leads=leads, lags=0, bin_=HELD_OUT) if one.since < 0]
    levels = [one.estimate.value for one in path] + [0.0]
    steps = [abs(later - sooner) for sooner, later in pairwise(levels)]
    after = max(math.ceil(float(np.mean(panel.never - panel.adopted[panel.ever])) / block), 1)
    largest = max(steps, default=math.nan) * (after + 1) / 2
    room = max(effect.low, -effect.high, 0.0)
    if not effect.usable or not math.isfinite(largest):
        return Check("HONEST", Light.WARN, None)
    bar = room / largest if largest > 0 else (99.0 if room > 0 else 0.0)
    # Nothing is claimed where the interval holds 0: then there is nothing to be fragile.
    light = Light.WARN if room > 0 and bar < FRAGILE else Light.PASS
    return Check("HONEST", light, min(bar, 99.0), {"robust": bar >= ROBUST})


def selected_on_outcome(panel: Panel, plan: Plan) -> Check:
    """Were they chosen for how they had just done? Then what comes back by itself looks like an effect.

    Told by whoever registered it, or by a gap that opened in the 14 days before (1.5 times the gap earlier, and more
    than chance at 1 %). `number`: the effect with the baseline taken before those days.
    """
    days = max(SELECTION_DAYS // panel.step, 1)
    ever = panel.ever
    last = (panel.since >= -days) & (panel.since < 0) & ever[:, None]
    fit = Imputation(held_out(panel, days)).average(last.astype(np.float64)).estimate
    earlier = _gap(panel, days)
    opened = fit.usable and abs(earlier + fit.value) > SELECTION_RATIO * abs(earlier) and fit.p < 0.01
    stop = opened or plan.assignment is Assignment.SELECTED_ON_METRIC
    if not stop:
        return Check("SELECTED_ON_OUTCOME", Light.PASS, fit.value if fit.usable else None)
    window = (panel.since >= -2 * days) & (panel.since < 0) & ever[:, None]
    refit = Imputation(panel.blank(window)).average().estimate
    return Check(
        "SELECTED_ON_OUTCOME", Light.STOP, refit.value, {"low": refit.low, "high": refit.high, "gap": fit.value}
    )


def _gap(panel: Panel, days: int) -> float:
    """Begun less waiting units before the last days, over the days both are known."""
    before: Floats = np.where(panel.since < -days, panel.outcome, np.nan)
    before = before[:, : max(panel.first - days, 1)]
    with np.errstate(invalid="ignore"):
        known = np.isfinite(before)
        mean = np.where(known, before, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    rows = known.any(axis=1)
    ours, theirs = mean[rows & panel.ever], mean[rows & ~panel.ever]
    return float(ours.mean() - theirs.mean()) if len(ours) and len(theirs) else 0.0
