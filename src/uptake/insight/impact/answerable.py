"""Before the start: could this rollout answer the question, judged by the place's own history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from uptake.directory.models import Organization
from uptake.insight.impact.drawn_people import people_panel
from uptake.insight.impact.metrics import Metric
from uptake.insight.impact.panel_of_departments import HISTORY_DAYS, department_panel, only_known_days
from uptake.statistics.panel import Panel
from uptake.statistics.power import best_rollout, gate, gate_of_people
from uptake.statistics.result import rounded

LEAST_SHARE = 0.05
NEEDED_DAYS = 14
LEAST_TO_ORDER = 4
"""Departments under which nothing is dealt out."""


@dataclass(frozen=True)
class Answerable:
    """state: `yes`, `no`, `all_begin` (nobody waits: only a break in the trend) or `no_history`.

    detectable: the smallest effect found 4 times in 5, a share; needed: departments it would take for the smallest
    effect that matters; remedies: what would help; proposal: {"waiting": [slugs], "detectable"} of the best split.
    """

    state: str
    detectable: float | None = None
    relative: float | None = None
    needed: int | None = None
    remedies: tuple[str, ...] = ()
    proposal: Mapping[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "remedies": list(self.remedies)}


def answerable(
    starts: Mapping[str, str | None], *, metric: Metric, smallest: float, until: date, today: date
) -> Answerable:
    """Whether the rollout could tell an effect of `smallest` (in the metric's unit), by the history up to yesterday."""
    waits = dict.fromkeys(starts, None)
    last = today - timedelta(days=1)
    panel = department_panel(waits, metric=metric, first=last - timedelta(days=HISTORY_DAYS), last=last)
    if panel is None:
        return Answerable("no_history")
    history = only_known_days(panel)
    if history.never < NEEDED_DAYS or len(history.units) < 2:
        return Answerable("no_history")
    share, after = waiting_share(starts, until)
    days = max(round(after * _worked(panel)), 5)
    if share == 0:
        return Answerable("all_begin", proposal=_proposal(history, smallest, days))
    found = gate(history, smallest, waiting_share=min(max(share, LEAST_SHARE), 1 - LEAST_SHARE), after=days)
    return Answerable(
        "yes" if found.can_answer else "no",
        rounded(found.detectable),
        None if found.relative is None else rounded(found.relative),
        found.needed,
        found.remedies,
        _proposal(history, smallest, days),
    )


def answerable_by_people(
    sides: Mapping[int, bool],
    place: Organization,
    departments: Sequence[Organization],
    *,
    metric: Metric,
    smallest: float,
    begin_share: float,
    days: int,
    today: date,
) -> Answerable:
    """Whether people drawn by lot could tell an effect of `smallest`; `needed` is a number of people.

    begin_share: of them that begin; days: from the start to the end of the reading.
    """
    last = today - timedelta(days=1)
    panel = people_panel(
        dict.fromkeys(sides, False), place, departments, metric=metric, start=today,
        first=last - timedelta(days=HISTORY_DAYS), last=last,
    )  # fmt: skip
    history = None if panel is None else only_known_days(panel)
    if panel is None or history is None or history.never < NEEDED_DAYS:
        return Answerable("no_history")
    try:
        found = gate_of_people(history, smallest, begin_share=begin_share, after=max(round(days * _worked(panel)), 5))
    except ValueError:
        return Answerable("no_history")
    return Answerable(
        "yes" if found.can_answer else "no",
        rounded(found.detectable),
        None if found.relative is None else rounded(found.relative),
        found.needed,
        found.remedies,
    )


@dataclass(frozen=True)
class Order:
    """Who should begin when: {slug: date, or None where it waits}, and the smallest effect this finds 4 times in 5."""

    starts: Mapping[str, date | None]
    detectable: float
    can_answer: bool
    remedies: tuple[str, ...]


def propose_order(
    slugs: Collection[str],
    *,
    metric: Metric,
    smallest: float,
    first: date,
    until: date,
    waves: int,
    apart: int,
    today: date,
) -> Order | None:
    """The order of departments that answers best, dealt out by lot so that every wave holds high and low ones.

    waves: 1 to 6 dates, `apart` days from each other, the first of them `first`. None where the history is too short,
    or departments too few for the waves and for those that wait. The same history gives the same order.
    """
    last = today - timedelta(days=1)
    starts = dict.fromkeys(slugs, None)
    panel = department_panel(starts, metric=metric, first=last - timedelta(days=HISTORY_DAYS), last=last)
    history = None if panel is None else only_known_days(panel)
    if history is None or history.never < NEEDED_DAYS or not np.isfinite(history.outcome).any(axis=1).all():
        return None
    if len(history.units) < max(LEAST_TO_ORDER, 2 * waves):
        return None
    after = max(round(((until - first).days + 1) * _worked(panel)), 5) if panel else 5
    best = best_rollout(history, smallest, after=after, waves=waves, apart=apart)
    found: dict[str, date | None] = dict.fromkeys(slugs, None)
    for wave in best.waves:
        found |= dict.fromkeys(wave.units, first + timedelta(days=wave.after_days))
    waiting = waiting_share({slug: day.isoformat() if day else None for slug, day in found.items()}, until)[0]
    told = gate(history, smallest, waiting_share=min(max(waiting, LEAST_SHARE), 1 - LEAST_SHARE), after=after)
    return Order(found, rounded(told.detectable) or told.detectable, told.can_answer, told.remedies)


def waiting_share(starts: Mapping[str, str | None], until: date) -> tuple[float, int]:
    """The mean share of departments still waiting from the first start to `until`, and how many days that is."""
    begun = [date.fromisoformat(day) for day in starts.values() if day]
    first = min(begun)
    after = (until - first).days + 1
    under = sum((until - day).days + 1 for day in begun)
    return 1 - under / (after * len(starts)), after


def _worked(panel: Panel) -> float:
    return float(panel.known.any(axis=0).mean())


def _proposal(history: Panel, smallest: float, after: int) -> dict[str, Any] | None:
    if len(history.units) < 8 or not np.isfinite(history.outcome).any(axis=1).all():
        return None
    best = best_rollout(history, smallest, after=after)
    return {"waiting": list(best.waiting), "detectable": rounded(best.gate.detectable)}
