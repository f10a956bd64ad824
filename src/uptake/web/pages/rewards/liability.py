"""What points are out, what will expire and be redeemed, and what budgets hold; budgets are filled here."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, NotAllowed
from uptake.programme.rewards.fund_budget import fund_budget, may_fund
from uptake.programme.rewards.liability import Liability, liability_of
from uptake.programme.rewards.models import BudgetChange
from uptake.programme.rewards.refusals import Refusal
from uptake.web import numbers
from uptake.web.pages.rewards.desk import company_for, frame
from uptake.web.pages.rewards.views import back_to
from uptake.web.pages.rewards.words import in_words
from uptake.web.parts import Chart, Kpi, Series
from uptake.web.sheets import Cell, as_csv, as_xlsx
from uptake.web.viewing import NotYours, needs, viewer_for


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """The picture of one company."""
    company, companies = company_for(request)
    return _picture(request, company, companies)


def _picture(
    request: HttpRequest, company: Organization, companies: list[Organization], wrong: str = ""
) -> HttpResponseBase:
    """The page of `company`; with what is `wrong`, the form to fill a budget comes back as it was sent."""
    viewer = viewer_for(request)
    found = liability_of(company, now=timezone.now())
    context: dict[str, Any] = {
        **frame(company, companies, viewer, "liability"),
        "found": found,
        "kpis": _kpis(found),
        "chart": _chart(found),
        "may_fund": may_fund(viewer, company),
        "changes": BudgetChange.objects.visible_to(viewer)
        .filter(company=company)
        .select_related("department", "by__person")
        .order_by("-at", "-pk")[:10],
        "key": uuid.uuid4().hex,
        "given": request.POST,
        "wrong": wrong,
    }
    return render(request, "rewards/liability.html", context, status=422 if wrong else 200)


def _kpis(found: Liability) -> list[Kpi]:
    standing = found.totals
    return [
        Kpi(
            _("Outstanding"),
            numbers.full(found.outstanding),
            hint=_("Available, pending and reserved points of all people: what they could still spend."),
            note=_("%(n)s of them pending") % {"n": numbers.full(standing.pending)},
        ),
        Kpi(
            _("Reserved"),
            numbers.full(standing.held),
            note=_("%(n)s open redemptions") % {"n": numbers.full(found.waiting)},
        ),
        Kpi(
            _("Redeemed"), numbers.full(standing.redeemed), note=_("%(n)s in 90 days") % {"n": numbers.full(found.pace)}
        ),
        Kpi(_("Expired"), numbers.full(standing.expired), note=_("since the beginning")),
        Kpi(_("Owed by people"), numbers.full(abs(standing.debt)), note=_("paid from new points")),
        Kpi(_("In budgets"), numbers.full(standing.budgets), note=_("not given yet")),
    ]


def _chart(found: Liability) -> Chart:
    return Chart(
        id="forecast",
        label=_(
            "Points that expire by month if nothing more is redeemed, and redemption at the pace of the last 90 days"
        ),
        labels=[
            date_format(month.first, "M Y") if not numbers.chinese() else f"{month.first:%Y-%m}"
            for month in found.months
        ],
        series=[
            Series(_("Expiring"), [month.expiring for month in found.months], tone="c2"),
            Series(_("Redeemed at the pace so far"), [month.redeemed for month in found.months], "line", tone="c1"),
        ],
        axis=_("Month"),
    )


@needs(Deed.MANAGE_RULES)
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The forecast and the budgets as one table."""
    if kind not in ("csv", "xlsx"):
        raise Http404("no such format")
    company, _companies = company_for(request)
    found = liability_of(company, now=timezone.now())
    heads = [
        _("What"),
        _("Given"),
        _("Spent"),
        _("Otherwise"),
        _("Not decided"),
        _("Left"),
        _("Expiring"),
        _("Redeemed at the pace so far"),
    ]
    rows: list[list[Cell]] = [[_("Outstanding"), None, None, None, None, found.outstanding, None, None]]
    rows += [[month.first, None, None, None, None, None, month.expiring, month.redeemed] for month in found.months]
    rows += [
        [one.place.name, one.given, one.spent, one.otherwise, one.waiting, one.left, None, None]
        for one in found.budgets
    ]
    name = f"liability-{company.slug}"
    return as_csv(name, heads, rows) if kind == "csv" else as_xlsx(name, heads, rows)


@require_POST
@needs(Deed.MANAGE_RULES)
def fund(request: HttpRequest) -> HttpResponseBase:
    """Put points into a budget, or take them out."""
    company, companies = company_for(request)
    places = Organization.objects.filter(company=company, kind__in=(Kind.COMPANY, Kind.DEPARTMENT))
    place = get_object_or_404(places.select_related("company"), slug=request.POST.get("department", ""))
    text = request.POST.get("points", "").strip()
    if not (text.removeprefix("-").isdigit() and text.isascii() and len(text) < 10 and int(text)):
        return _picture(request, company, companies, _("Points are a whole number; below 0 takes them out."))
    try:
        fund_budget(
            department=place,
            points=int(text),
            key=f"page/{request.POST.get('key', '')[:100] or uuid.uuid4().hex}",
            by=viewer_for(request),
            now=timezone.now(),
            reason=request.POST.get("reason", "").strip()[:200],
        )
    except NotAllowed:
        raise NotYours(Deed.GIVE_ROLES) from None
    except Refusal as refused:
        return _picture(request, company, companies, in_words(refused))
    messages.success(request, _("The budget of %(name)s was changed.") % {"name": place.name})
    return redirect(back_to("liability", company))
