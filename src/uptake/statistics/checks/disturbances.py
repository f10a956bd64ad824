"""Did something else happen: an incident, a change of the metric, a spill to those who waited, people who left?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from uptake.statistics.distributions import Bools
from uptake.statistics.experiments import welch
from uptake.statistics.imputation import Effect, Imputation
from uptake.statistics.panel import Panel
from uptake.statistics.plan import Incident
from uptake.statistics.result import Check, Light

NEAR = 14
BREAK_TIMES = 4.0


def day_of(panel: Panel, column: int) -> date:
    told = panel.days[min(column, panel.never - 1)].astype("datetime64[D]").astype(object)
    assert isinstance(told, date)
    return told


def coincident(panel: Panel, incidents: Sequence[Incident], *, compares_units: bool) -> Check:
    """Something else within 14 days of a start. Where units are compared, only what touched one arm more matters."""
    starts = [day_of(panel, int(column)) for column in np.unique(panel.adopted[panel.ever])]
    near = [one for one in incidents if any(abs(one.day - start) <= timedelta(days=NEAR) for start in starts)]
    told = [one for one in near if _touches(panel, one).any()]
    if compares_units:
        ever = panel.ever
        told = [one for one in told if _touches(panel, one)[ever].mean() != _others_share(_touches(panel, one), ever)]
    return Check(
        "COINCIDENT_EVENT",
        Light.STOP if told else Light.PASS,
        len(told),
        {"texts": tuple(one.text for one in told), "near": len(near)},
    )


def _touches(panel: Panel, incident: Incident) -> Bools:
    touched = np.ones(len(panel.units), dtype=np.bool_)
    for word, words in ((incident.company, panel.company), (incident.role, panel.role)):
        if word and words:
            touched &= np.array([one == word for one in words])
    if incident.units:
        touched &= np.isin(panel.units, incident.units)
    return touched


def _others_share(touched: Bools, ever: Bools) -> float:
    return float(touched[~ever].mean()) if (~ever).any() else float(touched[ever].mean())


def metric_break(panel: Panel) -> Check:
    """A step in the controls' mean, at least 4 times the largest before the start: the metric itself changed."""
    control = np.where(panel.under, np.nan, panel.outcome)
    rows = ~panel.ever
    if rows.any():
        control = control[rows]
    known = np.isfinite(control)
    count = known.sum(axis=0)
    if not (count > 0).any():
        return Check("METRIC_BREAK", Light.PASS, None)
    unit_mean = np.where(known, control, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    centred = np.where(known, control - unit_mean[:, None], 0).sum(axis=0) / np.maximum(count, 1)
    centred = np.where(count > 0, centred, np.nan)
    days = max(NEAR // panel.step, 2)
    steps = np.full(panel.never, np.nan)
    for day in range(days, panel.never - days + 1):
        before, after = centred[day - days : day], centred[day : day + days]
        if np.isfinite(before).sum() * 2 >= days and np.isfinite(after).sum() * 2 >= days:
            steps[day] = abs(float(np.nanmean(after) - np.nanmean(before)))
    early = steps[: max(panel.first - days, 0)]
    late = steps[panel.first :]
    if not np.isfinite(early).any() or not np.isfinite(late).any() or np.nanmax(early) <= 0:
        return Check("METRIC_BREAK", Light.PASS, None)
    times = float(np.nanmax(late) / np.nanmax(early))
    where = day_of(panel, panel.first + int(np.nanargmax(late)))
    return Check("METRIC_BREAK", Light.STOP if times >= BREAK_TIMES else Light.PASS, times, {"day": where})


def spillover(panel: Panel) -> tuple[Check, Panel | None]:
    """Did waiting units in companies where others began move with them? Then only untouched companies are controls.

    Also the panel with clean controls only, where the check warns.
    """
    if not panel.company:
        return Check("SPILLOVER", Light.PASS, None, {"companies": 0}), None
    company = np.array(panel.company)
    start = {name: int(panel.adopted[company == name].min()) for name in set(panel.company)}
    touched_from = np.array([start[name] for name in panel.company])
    waiting = ~panel.ever
    touched, clean = waiting & (touched_from < panel.never), waiting & (touched_from == panel.never)
    if touched.sum() < 2 or clean.sum() < 2:
        return Check("SPILLOVER", Light.PASS, None, {"touched": int(touched.sum()), "clean": int(clean.sum())}), None
    others = panel.beginning(touched_from).keep(waiting)
    found = Imputation(others).average().estimate
    if not found.usable or not found.excludes_zero:
        return Check("SPILLOVER", Light.PASS, found.value, {"low": found.low, "high": found.high}), None
    return (
        Check("SPILLOVER", Light.WARN, found.value, {"low": found.low, "high": found.high}),
        panel.keep(~touched),
    )


def attrition(panel: Panel) -> Check:
    """Did people leave one arm more than the other? `number`: p; the effect among a fixed cohort stands in facts."""
    late = max(panel.never - 28 // panel.step, panel.first + 1)
    early = slice(max(panel.first - 28 // panel.step, 0), max(panel.first, 1))
    heads = np.where(panel.known, panel.headcount, 0.0)
    before, after = heads[:, early].mean(axis=1), heads[:, late:].mean(axis=1)
    rows = before > 0
    change = np.where(rows, after / np.where(rows, before, 1), np.nan)
    found = welch(change[rows & panel.ever], change[rows & ~panel.ever])
    if not found.usable or found.p >= 0.01:
        return Check("ATTRITION", Light.PASS, found.p)
    stayed = Imputation(panel.keep(rows & (after > 0))).average(_fixed(panel.keep(rows & (after > 0)), early))
    return Check("ATTRITION", Light.WARN, found.p, {"difference": found.value, **_told(stayed)})


def people_left(panel: Panel) -> Check:
    """People drawn by lot: did more of one arm leave before the end? `number`: p; among those who stayed in facts."""
    late = max(panel.never - 28 // panel.step, panel.first + 1)
    began: Bools = np.asarray(panel.known[:, panel.first :].any(axis=1))
    stayed: Bools = np.asarray(panel.known[:, late:].any(axis=1))
    arm: Bools = np.asarray(panel.ever)
    ours, theirs = stayed[began & arm].astype(np.float64), stayed[began & ~arm].astype(np.float64)
    found = welch(ours, theirs)
    if not found.usable or found.p >= 0.01:
        return Check("ATTRITION", Light.PASS, found.p)
    rows = np.flatnonzero(stayed)
    after = np.array([float(np.nanmean(panel.outcome[row, panel.first :])) for row in rows])
    fixed = welch(after[arm[rows]], after[~arm[rows]])
    facts = {"difference": found.value, "fixed_cohort": fixed.value, "low": fixed.low, "high": fixed.high}
    return Check("ATTRITION", Light.WARN, found.p, facts)


def _fixed(panel: Panel, early: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    heads = np.where(panel.known, panel.headcount, 0.0)[:, early].mean(axis=1)
    return np.asarray(np.repeat(heads[:, None], panel.never, axis=1), dtype=np.float64)


def _told(effect: Effect) -> dict[str, float | None]:
    found = effect.estimate
    return {"fixed_cohort": found.value if math.isfinite(found.value) else None, "low": found.low, "high": found.high}
