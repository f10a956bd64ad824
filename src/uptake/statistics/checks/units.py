"""Are there enough units, days, controls, and a denominator that is not made by the metric itself?"""

from __future__ import annotations

import numpy as np

from uptake.statistics.design import PRE_DAYS, days_after, days_before, waiting_at_first
from uptake.statistics.experiments import sample_ratio_p
from uptake.statistics.panel import Panel
from uptake.statistics.plan import Headcount, Plan
from uptake.statistics.result import Check, Light


def no_control(panel: Panel, *, bears_trend: bool) -> Check:
    """Without a unit still waiting after the start there is nothing to compare with.

    `bears_trend`: the design compares with its own past and is graded for it, so that this is a warning there.
    """
    cells = int((panel.known & ~panel.under)[:, panel.first :].sum()) if panel.ever.any() else 0
    light = Light.PASS if cells else (Light.WARN if bears_trend else Light.STOP)
    return Check("NO_CONTROL", light, cells)


def too_few_units(panel: Panel) -> Check:
    """Begun or waiting units under 4 are few, under 2 too few."""
    treated, waiting = int(panel.ever.sum()), waiting_at_first(panel) if panel.ever.any() else len(panel.units)
    fewest = min(treated, waiting)
    light = Light.STOP if fewest < 2 else Light.WARN if fewest < 4 else Light.PASS
    return Check("TOO_FEW_UNITS", light, fewest, {"treated": treated, "waiting": waiting})


def one_treated(panel: Panel, alpha: float) -> Check:
    """With one begun unit chance can say nothing below 1 / (controls + 1)."""
    controls = int((~panel.ever).sum())
    floor = 1 / (controls + 1)
    return Check("ONE_TREATED", Light.STOP if floor > alpha else Light.PASS, floor, {"controls": controls})


def too_short(panel: Panel, *, needs_before: bool = True) -> Check:
    """At least 28 days known before (for 80 % of begun units) and 28 after the first beginning.

    needs_before: False where people were drawn by lot, who need no days before to be alike.
    """
    before = sorted(days_before(panel))
    pre = before[int(0.2 * len(before))] if before else 0
    after = days_after(panel) if before else 0
    least = min(pre, after) if needs_before else after
    return Check(
        "TOO_SHORT",
        Light.STOP if least < PRE_DAYS else Light.PASS,
        least,
        {"before": pre, "after": after},
    )


def sample_ratio(panel: Panel, plan: Plan) -> Check:
    """Arms of another size than was drawn: something chose beside the lot."""
    p = sample_ratio_p((int(panel.ever.sum()), int((~panel.ever).sum())), plan.shares or (1.0, 1.0))
    return Check("SRM", Light.STOP if p < 0.001 else Light.WARN if p < 0.01 else Light.PASS, p)


def denominator(panel: Panel, plan: Plan) -> Check:
    """The headcount comes from the directory, never from who was seen (who stays away would not count)."""
    known = panel.headcount[panel.known]
    missing = plan.headcount is Headcount.SEEN
    if plan.headcount is Headcount.DIRECTORY:
        missing = not len(known) or not np.isfinite(known).all() or bool((known <= 0).any())
    return Check(
        "DENOMINATOR",
        Light.STOP if missing else Light.PASS,
        float(np.nansum(known[:1] * 0)) if missing else None,
        {"from": plan.headcount.value},
    )


def survey(plan: Plan) -> Check | None:
    """Answers of under half of those asked, or of other people than before, describe and no more."""
    if plan.survey is None:
        return None
    share = plan.survey.answered / plan.survey.asked if plan.survey.asked else 0.0
    return Check(
        "SURVEY_RESPONSE",
        Light.PASS if plan.survey.bearable else Light.WARN,
        share,
        {"same_people": plan.survey.same_people},
    )
