"""A park-wide intervention as the manager of one company sees it: their own departments and figures, nobody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.scope import Deed
from uptake.insight.impact.metrics import Metric
from uptake.insight.impact.models import DrawnPerson, Intervention
from uptake.statistics.plan import Kind
from uptake.web import numbers
from uptake.web.pages.impact.measures import change_of, metric_name, size_of
from uptake.web.viewing import needs, viewer_for


@dataclass(frozen=True)
class Row:
    """One metric of one group, already written; `hidden`: under ten people."""

    name: str
    group: str
    people: int
    before: str
    since: str
    change: str
    hidden: bool


@needs(Deed.SEE_TOTALS)
def own(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """The own part; 404 for one in which nobody takes part whom the viewer sees."""
    from uptake.insight.impact.own_part import departments_seen, own_parts, own_starts, taking_part

    viewer = viewer_for(request)
    seen = Intervention.objects.visible_to(viewer).filter(locked_at__isnull=False)
    found = (seen.filter(pk=intervention_id) | taking_part(viewer).filter(pk=intervention_id)).distinct().first()
    if found is None:
        raise Http404("no such intervention")
    departments = departments_seen(viewer)
    starts = own_starts(found, departments)
    rows = [
        Row(
            metric_name(one.metric),
            _("Departments that began") if one.began else _("Departments that wait"),
            one.people,
            _level(one.metric, one.before),
            _level(one.metric, one.since),
            "–" if one.before is None or one.since is None else change_of(one.metric, one.since - one.before),
            one.before is None and one.since is None,
        )
        for one in own_parts(found, starts, timezone.now())
    ]
    listed = DrawnPerson.objects.visible_to(viewer).filter(intervention=found).exists()
    context = {"one": found, "rows": rows, "starts": _starts(starts, departments), "listed": listed}
    return render(request, "impact/own.html", context)


def _level(metric: Metric, value: float | None) -> str:
    if value is None:
        return "–"
    return numbers.share(value) if metric.kind is Kind.RATE else size_of(metric, value)


def _starts(starts: dict[str, str | None], departments: Sequence[Organization]) -> list[tuple[str, date | None]]:
    """(department, when it begins), those that wait at the end."""
    told = []
    for one in departments:
        if one.slug in starts:
            day = starts[one.slug]
            name = f"{one.company.name} · {one.name}" if one.company else one.name
            told.append((name, date.fromisoformat(day) if day else None))
    return sorted(told, key=lambda pair: (pair[1] is None, pair[1] or date.max, pair[0]))
