"""What a park-wide intervention is at the companies whose totals somebody sees: their departments, dates and figures.

It describes and claims no cause: what an intervention changed is told of the whole it was registered for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, Viewer
from uptake.insight.impact.metrics import Metric, metric_of
from uptake.insight.impact.models import Intervention, InterventionQuerySet
from uptake.insight.impact.panel_of_departments import HISTORY_DAYS, department_panel
from uptake.statistics.distributions import Bools
from uptake.statistics.panel import Panel

FEWEST = 10
"""People of a group under whom its figures are hidden."""


@dataclass(frozen=True)
class Part:
    """One metric of those that began, or of those that wait; figures are in the metric's unit, None where hidden or
    unknown. Of those that wait, "since" is since the first start anywhere."""

    metric: Metric
    began: bool
    people: int
    before: float | None
    since: float | None


def departments_seen(viewer: Viewer) -> list[Organization]:
    """Departments in places whose totals the viewer sees."""
    rows = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), kind=Kind.DEPARTMENT)
    return list(rows.select_related("company").order_by("company__name", "name"))


def taking_part(viewer: Viewer) -> InterventionQuerySet:
    """Locked ones in which departments take part that the viewer sees, though not the place they are registered at."""
    slugs = [one.slug for one in departments_seen(viewer)]
    locked = Intervention.objects.filter(locked_at__isnull=False, starts__has_any_keys=slugs)
    return locked.exclude(viewer.within("organization__path", Deed.SEE_TOTALS))


def own_starts(intervention: Intervention, departments: list[Organization]) -> dict[str, str | None]:
    """{slug: ISO date, or None where it waits} of these departments alone."""
    return {one.slug: intervention.starts[one.slug] for one in departments if one.slug in intervention.starts}


def own_parts(intervention: Intervention, starts: Mapping[str, str | None], now: datetime) -> list[Part]:
    """Before and since, of these departments up to yesterday or the registered end; empty before the first start."""
    today = settings_at(intervention.organization).date_of(now)
    last = min(intervention.until, today - timedelta(days=1))
    first = intervention.first_start
    if last < first or not starts or intervention.by_people:
        return []
    found = []
    for one in intervention.plan["metrics"]:
        metric = metric_of(one)
        panel = department_panel(starts, metric=metric, first=first - timedelta(days=HISTORY_DAYS), last=last)
        if panel is not None:
            found += [_part(panel, metric, began, first) for began in (True, False) if (panel.ever == began).any()]
    return found


def _part(panel: Panel, metric: Metric, began: bool, first: date) -> Part:
    rows = panel.known & (panel.ever == began)[:, None]
    after = panel.under if began else np.broadcast_to(panel.days >= np.datetime64(first), rows.shape)
    heads = np.where(rows, panel.headcount, 0.0)
    people = int(heads.max(axis=1).sum())
    if people < FEWEST:
        return Part(metric, began, people, None, None)
    return Part(metric, began, people, _mean(panel, rows & ~after), _mean(panel, rows & after))


def _mean(panel: Panel, cells: Bools) -> float | None:
    """All that counts by all it is divided by; where only the outcome is known, its mean by heads."""
    if not cells.any():
        return None
    if panel.numerator is not None and panel.denominator is not None:
        return float(panel.numerator[cells].sum() / panel.denominator[cells].sum())
    return float(np.average(panel.outcome[cells], weights=panel.headcount[cells]))
