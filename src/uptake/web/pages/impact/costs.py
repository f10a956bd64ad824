"""What an intervention cost for a unit of its effect: noted by a form, told with its interval or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.scope import Deed, NotAllowed
from uptake.insight.impact.metrics import Measure, Metric, metric_of
from uptake.insight.impact.models import MANAGING, Intervention
from uptake.insight.report.cost_of_effect import UnitCost, unit_cost
from uptake.insight.report.models import Cost
from uptake.insight.report.note_cost import WrongCost, note_cost
from uptake.insight.report.points_given import points_given
from uptake.statistics.plan import Kind
from uptake.web import numbers
from uptake.web.pages.impact.measures import by_ratio, lines_section
from uptake.web.pages.transparency.words import Section
from uptake.web.viewing import NotYours, needs, viewer_for

CLAIMED = ("increase", "decrease")


@dataclass(frozen=True)
class Costs:
    """total: all of it, written; parts: what it is made of; units: one sentence for each unit of the effect; first: the
    cost of one, and of what."""

    total: str
    parts: str
    units: tuple[str, ...]
    first: tuple[str, str] | None = None


@needs(Deed.SEE_TOTALS)
@require_POST
def note(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """Writes down what it cost."""
    viewer = viewer_for(request)
    rows = Intervention.objects.visible_to(viewer).select_related("organization")
    found = get_object_or_404(rows, pk=intervention_id)
    try:
        note_cost(
            intervention=found,
            amount=_money(request.POST.get("amount", "")),
            point_value=_money(request.POST.get("point_value", "")),
            currency=request.POST.get("currency", ""),
            by=viewer,
            now=timezone.now(),
        )
    except NotAllowed:
        raise NotYours(MANAGING[0]) from None
    except WrongCost:
        messages.error(request, _("Give an amount of money, the value of a point, or both: 0 and more."), "bad")
    else:
        messages.success(request, _("The costs are noted."))
    return redirect("impact:one", found.pk)


def costs_of(found: Intervention, told: Mapping[str, Any]) -> Costs | None:
    """Of the kept evaluation; None where no costs were noted."""
    cost = Cost.objects.filter(intervention=found).order_by("-pk").first()
    if cost is None:
        return None
    points = points_given(found, last=date.fromisoformat(told["to"])) if cost.point_value else 0
    money = float(cost.amount + cost.point_value * points)
    primary = told["metrics"][0]
    metric, result = metric_of(primary), primary["result"]
    sentences, first = [], None
    if result["verdict"] in CLAIMED and result["grade"] in ("A", "B", "B-") and not by_ratio(result):
        average = unit_cost(money, result["estimate"], 100 if metric.kind is Kind.RATE else 1)
        if average is not None:
            what = _("each percentage point") if metric.kind is Kind.RATE else _("each unit of the change")
            sentences.append(_sentence(what, average, cost.currency))
            first = (_written(average.value, cost.currency), what)
        days = primary.get("person_days")
        if days and metric.measure in (Measure.SHARE, Measure.PER_HEAD):
            whole = unit_cost(money, result["by_people"], days)
            if whole is not None:
                sentences.append(_sentence(_each(metric), whole, cost.currency))
    if not sentences:
        sentences.append(
            _("What a unit of the effect cost is not worth saying: the effect is not shown, or may be nothing.")
        )
    return Costs(_written(money, cost.currency), _parts(cost, points), tuple(sentences), first)


def costs_section(costs: Costs) -> Section:
    """For print."""
    whole = f"{_('In all')}: {costs.total} ({costs.parts})"
    return lines_section(_("What it cost"), [whole, *costs.units])


def _each(metric: Metric) -> str:
    if metric.measure is Measure.SHARE:
        return _("each additional person on a working day")
    return _("each additional event")


def _sentence(what: str, cost: UnitCost, currency: str) -> str:
    return _("%(money)s for %(what)s (95%% interval %(low)s to %(high)s)") % {
        "money": _written(cost.value, currency),
        "what": what,
        "low": _written(cost.low, currency),
        "high": _written(cost.high, currency),
    }


def _parts(cost: Cost, points: int) -> str:
    if not cost.point_value:
        return _("points are not counted")
    return _("%(money)s, and %(points)s points at %(each)s") % {
        "money": _written(float(cost.amount), cost.currency),
        "points": numbers.full(points),
        "each": _written(float(cost.point_value), cost.currency),
    }


def _written(money: float, currency: str) -> str:
    return f"{currency} {numbers.full(money, 2 if money < 1000 else 0)}"


def _money(typed: str) -> Decimal:
    try:
        return Decimal(typed.replace(",", "").strip() or "0")
    except InvalidOperation:
        raise WrongCost from None
