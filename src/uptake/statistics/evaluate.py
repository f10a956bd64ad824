"""The evaluation of one metric: the design the data can bear, its estimate, all its checks, the verdict.

Nothing is asked of a database or a clock: a panel and a plan in, a result out; the same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from uptake.statistics.checks import disturbances, robustness, trends, units
from uptake.statistics.contrast import affected_against_unaffected, as_relative
from uptake.statistics.design import Choice, choose
from uptake.statistics.distributions import Floats, t_quantile
from uptake.statistics.estimate import Estimate, Relative
from uptake.statistics.event_study import Moment, arms_by_week, event_study
from uptake.statistics.experiments import cuped, departments, welch
from uptake.statistics.group_time import group_time_average
from uptake.statistics.imputation import Effect, Imputation
from uptake.statistics.lasting import Span, spans
from uptake.statistics.panel import Panel
from uptake.statistics.permutation import DRAWS, permuted_arms
from uptake.statistics.plan import Drawn, Kind, Plan
from uptake.statistics.result import Check, Design, Grade, Light, Result, Segment, Verdict
from uptake.statistics.series import interrupted_panel
from uptake.statistics.synthetic import synthetic
from uptake.statistics.verdict import always_valid, judged, lowered

COMPARES_UNITS = frozenset({Design.STAGGERED, Design.FEW_TREATED, Design.SYNTHETIC, Design.ONE_TREATED})
BEARS_TREND = frozenset({Design.INTERRUPTED, Design.ACTION_CONTRAST})
PRE_FOR_ADJUSTING = 14
MOST_KNOWN_BEFORE = 0.8
"""Of the people drawn: so many must be known before the start, else nothing is adjusted for it."""
SMALLEST_RATE = 0.05
"""Relative changes of a rate are not told below this counterfactual: "x4" of almost nothing misleads."""

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Found:
    """What a design finds, filled step by step."""

    estimate: Estimate | None = None
    by_people: Estimate | None = None
    relative: Relative | None = None
    counterfactual: float | None = None
    counterfactual_low: float = math.inf
    second_line: Estimate | None = None
    p: float | None = None
    lost_days: int = 0
    headline: str = "all_days"
    checks: list[Check] = field(default_factory=list)
    moments: tuple[Moment, ...] = ()
    spans: tuple[Span, ...] = ()
    segments: tuple[Segment, ...] = ()
    strip: tuple[tuple[str, float], ...] = ()
    placebo: Floats = field(default_factory=lambda: np.zeros(0))
    effects: tuple[tuple[str, str, float], ...] = ()


def evaluate(
    panel: Panel,
    plan: Plan,
    *,
    unaffected: Panel | None = None,
    read_on: date | None = None,
    draws: int = DRAWS,
    progress: Progress | None = None,
) -> Result:
    """The result for one metric of one intervention.

    unaffected: the same units' unrewarded action, for a rule that changed everywhere at once. read_on: the day the
    result is read; before the registered end it is interim and has no verdict. draws: permutations.
    """
    choice = choose(panel, plan, unaffected=unaffected)
    found = _Found()
    people = plan.drawn is Drawn.PERSON
    found.checks += [
        units.no_control(panel, bears_trend=choice.design in BEARS_TREND),
        units.too_short(panel, needs_before=not people),
        units.denominator(panel, plan),
        *([answered] if (answered := units.survey(plan)) is not None else []),
        disturbances.coincident(
            panel, plan.incidents, compares_units=choice.design not in (Design.INTERRUPTED, Design.DESCRIPTION)
        ),
    ]
    if choice.design not in BEARS_TREND:
        found.checks.append(units.too_few_units(panel))
    match choice.design:
        case Design.PEOPLE_DRAWN | Design.DEPARTMENTS_DRAWN:
            _drawn(panel, plan, choice, found, draws)
        case Design.STAGGERED | Design.FEW_TREATED:
            _staggered(panel, plan, choice, found, draws, progress)
        case Design.SYNTHETIC | Design.ONE_TREATED:
            _one(panel, plan, found)
        case Design.ACTION_CONTRAST:
            assert unaffected is not None
            log = affected_against_unaffected(panel.outcome, unaffected.outcome, panel.first)
            found.estimate, found.relative, found.p = log, as_relative(log), log.p
            found.headline = "log_ratio"
        case Design.INTERRUPTED:
            step = interrupted_panel(panel)
            found.estimate, found.counterfactual, found.p = step.estimate, step.counterfactual, step.estimate.p
            found.checks.append(disturbances.metric_break(panel.beginning(np.full_like(panel.adopted, panel.first))))
        case Design.DESCRIPTION if people:
            found.checks.append(units.sample_ratio(panel, plan))
        case Design.DESCRIPTION:
            pass
    return _closed(panel, plan, choice, found, read_on)


def _drawn(panel: Panel, plan: Plan, choice: Choice, found: _Found, draws: int) -> None:
    start, arm = panel.first, panel.ever
    after, before = _means(panel.outcome[:, start:]), _means(panel.outcome[:, :start])
    rows = np.isfinite(after)
    if choice.design is Design.PEOPLE_DRAWN and np.isfinite(before[rows]).mean() >= MOST_KNOWN_BEFORE:
        # Of the few who came shortly before, the mean of all stands for what was before: the lot makes that harmless.
        before = np.where(np.isfinite(before), before, np.nanmean(before[rows]))
    adjust = start * panel.step >= PRE_FOR_ADJUSTING and bool(np.isfinite(before[rows]).all())
    y, a = after[rows], arm[rows]
    x = before[rows] if adjust else None
    found.second_line = welch(y[a], y[~a])
    if choice.design is Design.PEOPLE_DRAWN:
        found.estimate = found.second_line if x is None else cuped(y[a], y[~a], x[a], x[~a])
        found.p = found.estimate.p
    else:
        found.estimate = departments(y, a, x)
        found.p = found.estimate.p
        if len(y) < 20:
            chance = permuted_arms(lambda other: departments(y, other, x).value, a, draws=max(draws, 2000))
            found.p, found.placebo = chance.p, chance.draws
    found.counterfactual = float(y[a].mean()) - found.estimate.value
    found.counterfactual_low = found.counterfactual - 1.96 * found.estimate.se
    c = found.counterfactual
    if c > 0 and found.estimate.usable and found.estimate.low > -c:
        low, high = (end / c for end in found.estimate.interval())
        found.relative = Relative(found.estimate.value / c, low, high)
    if choice.design is Design.PEOPLE_DRAWN:
        found.checks += [units.sample_ratio(panel.keep(rows), plan), disturbances.people_left(panel)]
        found.moments = arms_by_week(panel)
    else:
        found.checks += [units.sample_ratio(panel, plan), disturbances.attrition(panel)]
        found.moments = event_study(panel)


def _means(part: Floats) -> Floats:
    known = np.isfinite(part)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, part, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _staggered(panel: Panel, plan: Plan, choice: Choice, found: _Found, draws: int, progress: Progress | None) -> None:
    found.checks += trends.pretrend(panel, plan)
    found.checks += [
        trends.placebo_time(panel),
        trends.selected_on_outcome(panel, plan),
        disturbances.metric_break(panel),
        disturbances.attrition(panel),
    ]
    spilled, clean = disturbances.spillover(panel)
    found.checks.append(spilled)
    used = panel
    if clean is not None and (~clean.ever).sum() >= 2:
        used, found.headline = clean, "clean_controls"
    fit = Imputation(used)
    everyday = fit.average()
    headline: Effect = everyday
    wears, late = robustness.novelty(used, fit)
    found.checks.append(wears)
    if late is not None:
        headline, found.headline = late, "late_window"
    found.estimate, found.relative = headline.estimate, headline.relative
    found.counterfactual = headline.counterfactual
    found.counterfactual_low = headline.counterfactual_estimate.low
    found.by_people = fit.average(used.headcount).estimate
    found.second_line = group_time_average(used)
    found.lost_days = fit.lost_days
    found.effects = _cells(used, fit.cell_effects())
    found.checks.append(trends.honest(used, headline.estimate))
    alone, found.strip = robustness.leave_one_out(used, everyday)
    dealt, chance = robustness.placebo_unit(used, headline.estimate, draws, progress)
    found.checks += [alone, dealt]
    found.placebo = chance.draws
    found.p = max(headline.estimate.p, chance.floor) if choice.design is Design.STAGGERED else chance.p
    differ, found.segments = robustness.heterogeneity(used)
    found.checks.append(differ)
    found.moments = event_study(used)
    found.spans = spans(used, fit)


def _one(panel: Panel, plan: Plan, found: _Found) -> None:
    found.checks.append(units.one_treated(panel, plan.alpha))
    found.checks.append(disturbances.metric_break(panel))
    try:
        mixed = synthetic(panel)
    except ValueError:
        return
    found.estimate, found.counterfactual = mixed.estimate, mixed.counterfactual
    found.counterfactual_low = mixed.counterfactual
    found.p, found.placebo = mixed.placebo.p, mixed.placebo.draws
    # An interval without 0 beside a chance above alpha claims more than the donors can bear.
    light = Light.STOP if mixed.estimate.excludes_zero and mixed.placebo.p > plan.alpha else Light.PASS
    found.checks.append(Check("PLACEBO_UNIT", light, mixed.placebo.p, {"floor": mixed.placebo.floor}))


def _closed(panel: Panel, plan: Plan, choice: Choice, found: _Found, read_on: date | None) -> Result:
    estimate = found.estimate
    if choice.grade is Grade.NONE:
        found.p = None
    smallest = plan.smallest
    if choice.design is Design.ACTION_CONTRAST:
        smallest = math.log1p(plan.smallest_relative if plan.smallest_relative is not None else 0.05)
    interim = read_on is not None and plan.until is not None and read_on < plan.until
    if interim:
        found.checks.append(Check("PEEKING", Light.WARN, None, {"until": plan.until}))
    verdict, matters = judged(estimate, found.checks, choice.grade, smallest)
    band = None
    if interim and not any(check.light is Light.STOP for check in found.checks):
        verdict, matters = Verdict.INTERIM, False
        band = always_valid(estimate, smallest, plan.alpha) if estimate is not None else None
    detectable = None
    if estimate is not None and estimate.usable and estimate.se > 0:
        detectable = (t_quantile(0.975, estimate.df) + t_quantile(0.80, estimate.df)) * estimate.se
    if verdict is Verdict.CANNOT_TELL and estimate is not None and not any(c.light is Light.STOP for c in found.checks):
        found.checks.append(Check("UNDERPOWERED", Light.WARN, detectable))
    relative = found.relative
    if choice.design is not Design.ACTION_CONTRAST and not _bearable(plan, found):
        relative = None
    seen = None
    if found.counterfactual is not None and estimate is not None and math.isfinite(found.counterfactual):
        seen = found.counterfactual + estimate.value
    return Result(
        metric=plan.metric,
        kind=plan.kind.value,
        design=choice.design,
        grade=choice.grade,
        verdict=verdict,
        matters=matters,
        steps=lowered(found.checks),
        estimate=estimate,
        by_people=found.by_people,
        relative=relative,
        counterfactual=found.counterfactual,
        seen=seen,
        p=found.p,
        second_line=found.second_line,
        naive=before_after(panel),
        n_units=len(panel.units),
        n_treated=int(panel.ever.sum()),
        n_starts=len(np.unique(panel.adopted[panel.ever])),
        lost_days=found.lost_days,
        headline=found.headline,
        codes=tuple(check.code for check in found.checks if check.light is not Light.PASS),
        checks=tuple(found.checks),
        assumptions=choice.assumptions,
        event_study=found.moments,
        segments=found.segments,
        leave_one_out=found.strip,
        placebo=tuple(float(one) for one in found.placebo),
        cell_effects=found.effects,
        detectable=detectable,
        always_valid=band,
        registration_hash=plan.hash(),
        data_sha=panel.sha(),
        spans=found.spans,
    )


def _bearable(plan: Plan, found: _Found) -> bool:
    """May a relative change be told: not of almost nothing, and not where the counterfactual may be nothing."""
    if found.counterfactual is None or not math.isfinite(found.counterfactual):
        return False
    if plan.kind is Kind.RATE and found.counterfactual < SMALLEST_RATE:
        return False
    return found.counterfactual_low > 0


def _cells(panel: Panel, effects: Floats) -> tuple[tuple[str, str, float], ...]:
    """Unit, day and effect of each begun cell: the table under the pictures."""
    days = panel.days.astype(str)
    return tuple(
        (panel.units[row], str(days[column]), float(effects[row, column]))
        for row, column in np.argwhere(np.isfinite(effects))
    )


def before_after(panel: Panel) -> float | None:
    """The plain difference of begun units after and before their start: for comparison, never as an effect."""
    rows = panel.ever
    before = np.where(panel.known & ~panel.under, panel.outcome, np.nan)[rows]
    after = np.where(panel.known & panel.under, panel.outcome, np.nan)[rows]
    both = np.isfinite(before).any(axis=1) & np.isfinite(after).any(axis=1) if rows.any() else np.zeros(0, np.bool_)
    if not both.any():
        return None
    return float((_means(after[both]) - _means(before[both])).mean())
