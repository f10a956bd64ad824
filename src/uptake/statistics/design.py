"""Which design the data can bear: nine rules, the first that fits, each with what it takes on trust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uptake.statistics.experiments import sample_ratio_p
from uptake.statistics.panel import Panel
from uptake.statistics.plan import DEPARTMENTS_EACH, PEOPLE_EACH, Assignment, Drawn, Plan
from uptake.statistics.result import Design, Grade
from uptake.statistics.synthetic import synthetic

PRE_DAYS, POST_DAYS = 28, 28
SERIES_PRE_DAYS = 56
DONORS = 19
PRE_TO_POST = 1.3
FIT_TO_NOISE = 1.5
SAMPLE_RATIO_STOP = 0.001

ASSUMPTIONS: dict[Design, tuple[str, ...]] = {
    Design.PEOPLE_DRAWN: ("drawn_by_lot", "no_spillover"),
    Design.DEPARTMENTS_DRAWN: ("drawn_by_lot", "no_spillover", "department_level"),
    Design.STAGGERED: ("parallel_trends",),
    Design.FEW_TREATED: ("parallel_trends", "exchangeable"),
    Design.SYNTHETIC: ("mix_follows", "exchangeable"),
    Design.ONE_TREATED: (),
    Design.ACTION_CONTRAST: ("actions_share_trend",),
    Design.INTERRUPTED: ("nothing_else_changed", "trend_continues"),
    Design.DESCRIPTION: (),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """`rule`: which of the nine fitted."""

    rule: int
    design: Design
    grade: Grade

    @property
    def assumptions(self) -> tuple[str, ...]:
        return ASSUMPTIONS[self.design]


def waiting_at_first(panel: Panel) -> int:
    """Units that had not begun when the first did."""
    return int((panel.adopted > panel.first).sum())


def one_start(panel: Panel) -> bool:
    return len(np.unique(panel.adopted[panel.ever])) == 1


def days_before(panel: Panel) -> list[int]:
    """Known days before the beginning of each begun unit."""
    return [int(panel.known[row, : panel.adopted[row]].sum()) * panel.step for row in np.flatnonzero(panel.ever)]


def days_after(panel: Panel) -> int:
    """From the first beginning to the end of the panel."""
    return (panel.never - panel.first) * panel.step


def choose(panel: Panel, plan: Plan, *, unaffected: Panel | None = None) -> Choice:
    """The first of the nine rules that fits. `unaffected`: the same units' unrewarded action."""
    treated, others = int(panel.ever.sum()), int((~panel.ever).sum())
    if plan.survey is not None and not plan.survey.bearable:
        return Choice(9, Design.DESCRIPTION, Grade.D)
    drawn = plan.assignment is Assignment.RANDOM
    if drawn and plan.drawn is Drawn.PERSON:
        # Single people are never compared in any other way than by the lot that was drawn.
        enough = min(treated, others) >= PEOPLE_EACH and one_start(panel)
        if enough and sample_ratio_p((treated, others), plan.shares or (1.0, 1.0)) >= SAMPLE_RATIO_STOP:
            return Choice(1, Design.PEOPLE_DRAWN, Grade.A)
        return Choice(9, Design.DESCRIPTION, Grade.D)
    departments = drawn and plan.drawn is Drawn.DEPARTMENT
    if departments and min(treated, others) >= DEPARTMENTS_EACH and one_start(panel):
        return Choice(2, Design.DEPARTMENTS_DRAWN, Grade.A)
    waiting = waiting_at_first(panel) if treated else 0
    before = days_before(panel)
    long_enough = sum(days >= PRE_DAYS for days in before) >= 0.8 * len(before) if before else False
    staggered = treated >= DEPARTMENTS_EACH and waiting >= DEPARTMENTS_EACH
    if staggered and len(panel.units) >= 2 * DEPARTMENTS_EACH and long_enough:
        return Choice(3, Design.STAGGERED, Grade.B)
    if treated in (2, 3) and others >= 2 * DEPARTMENTS_EACH and long_enough:
        return Choice(4, Design.FEW_TREATED, Grade.B_MINUS)
    if treated == 1 and others >= 2:
        return _one(panel, others)
    if unaffected is not None and treated == len(panel.units) and one_start(panel):
        return Choice(7, Design.ACTION_CONTRAST, Grade.B_MINUS)
    together = treated > 0 and treated == len(panel.units) and one_start(panel)
    if together and panel.first * panel.step >= SERIES_PRE_DAYS and days_after(panel) >= POST_DAYS:
        return Choice(8, Design.INTERRUPTED, Grade.C)
    return Choice(9, Design.DESCRIPTION, Grade.D)


def _one(panel: Panel, others: int) -> Choice:
    none = Choice(6, Design.ONE_TREATED, Grade.NONE)
    pre, post = panel.first, panel.never - panel.first
    if others < DONORS or pre < PRE_TO_POST * post:
        return none
    try:
        found = synthetic(panel)
    except ValueError:
        return none
    return Choice(5, Design.SYNTHETIC, Grade.B_MINUS) if found.fit_error <= FIT_TO_NOISE * found.noise else none
