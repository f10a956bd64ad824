"""The monthly report of a company, for everybody who belongs there: as a page and as a PDF."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import ids_of
from uptake.programme.governance.transparency import months_of, report_of_month
from uptake.web import numbers
from uptake.web.largest import largest
from uptake.web.pages.transparency.sheet import pdf_of
from uptake.web.pages.transparency.words import figures_of, month_name, sections_of, special_of
from uptake.web.viewing import login_required, viewer_for

EARLIEST = date(2000, 1, 1)


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """`?at=` another company one may read of, `?month=2026-05` another month."""
    viewer = viewer_for(request)
    companies = _companies(viewer)
    company = _chosen(request, viewer, companies)
    if company is None:
        return render(request, "transparency/home.html", {"company": None})
    now = timezone.now()
    today = settings_at(company).date_of(now)
    first = parse_date(f"{request.GET.get('month', '')}-01") or today.replace(day=1)
    if not EARLIEST <= first <= today:
        raise Http404("no such month")
    context: dict[str, Any] = {
        "company": company,
        "companies": companies,
        "months": [(f"{one:%Y-%m}", month_name(one)) for one in months_of(company, today)],
        "month": f"{first:%Y-%m}",
        "first": first,
    }
    return render(request, "transparency/home.html", context | _told(company, first))


@login_required
def pdf(request: HttpRequest, year: int, month: int) -> HttpResponseBase:
    """The same as a file."""
    viewer = viewer_for(request)
    company = _chosen(request, viewer, _companies(viewer))
    if company is None or not 1 <= month <= 12 or not 2000 <= year <= 9998:
        raise Http404("no such report")
    first = date(year, month, 1)
    if first > settings_at(company).date_of(timezone.now()):
        raise Http404("no such month")
    told = _told(company, first)
    foot = _("Uptake · made %(moment)s") % {"moment": numbers.moment(timezone.now())}
    title = _("Monthly report of points, %(month)s") % {"month": month_name(first)}
    running = _("the month is not over yet")
    subtitle = f"{company.name} · {running}" if told["report"].running else company.name
    response = HttpResponse(pdf_of(title, subtitle, told["sections"], foot), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="points-{company.slug}-{first:%Y-%m}.pdf"'
    return response


def _told(company: Organization, first: date) -> dict[str, Any]:
    now = timezone.now()
    clock = settings_at(company)
    with timezone.override(clock.on(first).zone):
        report = report_of_month(company, first, now=now)
        special = special_of(company, clock.start_of(report.first), clock.start_of(report.after))
        return {"report": report, "sections": sections_of(report, special, now), "kpis": figures_of(report)}


def _companies(viewer: Viewer) -> list[Organization]:
    """Those one belongs to, and those whose totals one may see."""
    own = {key for path in viewer.places for key in ids_of(path)}
    rows = Organization.objects.filter(kind=Kind.COMPANY)
    return list((rows.filter(pk__in=own) | rows.filter(viewer.within("path", Deed.SEE_TOTALS))).order_by("name", "pk"))


def _chosen(request: HttpRequest, viewer: Viewer, companies: list[Organization]) -> Organization | None:
    asked = request.GET.get("at", "")
    if asked:
        found = next((one for one in companies if one.slug == asked), None)
        if found is None:
            raise Http404("no such company")
        return found
    own = {key for path in viewer.places for key in ids_of(path)}
    return next((one for one in companies if one.pk in own), None) or largest(companies)
