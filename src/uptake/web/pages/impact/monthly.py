"""Monthly reports of a place: past ones, one of them on the page and in print, and when they are made and for whom."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.insight.impact.metrics import metric_of
from uptake.insight.impact.models import MANAGING, Evaluation
from uptake.insight.report.keep_schedule import WrongSchedule, ask_for_one, keep_schedule, readers_of
from uptake.insight.report.models import MonthlyReport, Schedule
from uptake.web import numbers
from uptake.web.pages.impact.measures import Measured, lines_section, measured, metric_name, metrics_section
from uptake.web.pages.impact.three import Three, three_of
from uptake.web.pages.impact.words import VERDICTS, said
from uptake.web.pages.transparency.sheet import pdf_of
from uptake.web.pages.transparency.words import Section, month_name
from uptake.web.viewing import NotYours, needs, place_for, viewer_for

A_PAGE = 24


@dataclass(frozen=True)
class Told:
    """One evaluation of a monthly report, already in words."""

    evaluation: Evaluation
    word: str
    tone: str
    headline: str
    three: Three | None
    rows: list[Measured]


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """Past reports of a place; whoever manages it says on which day they are made and for whom, or asks for one now."""
    viewer, place = viewer_for(request), place_for(request, Deed.SEE_TOTALS)
    if place.kind == Kind.DEPARTMENT:
        raise Http404("departments have no report of their own")
    may = any(viewer.may(deed, place) for deed in MANAGING)
    wrong = ""
    if request.method == "POST":
        if not may:
            raise NotYours(MANAGING[0])
        try:
            _do(request, place, viewer)
            return redirect(f"{reverse('impact:monthly')}?{urlencode({'at': place.slug})}")
        except WrongSchedule:
            wrong = _("Choose a day from 1 to 28, and readers who may see the figures of this place.")
        except NotAllowed:
            raise NotYours(MANAGING[0]) from None
    reports = MonthlyReport.objects.visible_to(viewer).filter(organization__path__startswith=place.path)
    schedule = Schedule.objects.visible_to(viewer).filter(organization=place).first()
    places = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), kind__in=(Kind.PARK, Kind.COMPANY))
    chosen = schedule.readers if schedule else []
    people = readers_of(place, timezone.localdate()) if may else {}
    page = Paginator(reports.select_related("organization").order_by("-made_at", "-pk"), A_PAGE)
    context = {
        "place": place,
        "places": places.open().order_by("path"),
        "may": may,
        "wrong": wrong,
        "schedule": schedule,
        "people": [(person, name, person in chosen) for person, name in people.items()],
        "page": page.get_page(request.GET.get("page")),
        "months": [(one, month_name(one.month)) for one in page.get_page(request.GET.get("page")).object_list],
    }
    return render(request, "impact/monthly.html", context, status=422 if wrong else 200)


@needs(Deed.SEE_TOTALS)
def one(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """One report."""
    found, told = _report(request, report_id)
    return render(request, "impact/month.html", {"one": found, "month": month_name(found.month), "told": told})


@needs(Deed.SEE_TOTALS)
def pdf(request: HttpRequest, report_id: int) -> HttpResponseBase:
    """One report to print."""
    found, told = _report(request, report_id)
    title = _("Impact in %(month)s") % {"month": month_name(found.month)}
    foot = _("As of %(day)s") % {"day": numbers.day(timezone.localtime(found.made_at).date())}
    printed = pdf_of(title, found.organization.name, [part for each in told for part in _sections(each)], foot)
    name = f'attachment; filename="impact-{found.month:%Y-%m}-{found.pk}.pdf"'
    return HttpResponse(printed, content_type="application/pdf", headers={"Content-Disposition": name})


def _do(request: HttpRequest, place: Organization, viewer: Viewer) -> None:
    now = timezone.now()
    if request.POST.get("what") == "now":
        schedule = get_object_or_404(Schedule.objects.visible_to(viewer), organization=place)
        ask_for_one(schedule=schedule, by=viewer, now=now)
        messages.success(request, _("A report is being made; it stands here in a minute."))
        return
    day = request.POST.get("day", "")
    keep_schedule(
        organization=place,
        day=int(day) if day.isdecimal() and len(day) < 3 else 0,
        readers=[int(one) for one in request.POST.getlist("reader") if one.isdecimal()],
        active="active" in request.POST,
        by=viewer,
        now=now,
    )
    messages.success(request, _("Kept."))


def _report(request: HttpRequest, report_id: int) -> tuple[MonthlyReport, list[Told]]:
    viewer = viewer_for(request)
    found = get_object_or_404(MonthlyReport.objects.visible_to(viewer).select_related("organization"), pk=report_id)
    rows = Evaluation.objects.visible_to(viewer).filter(pk__in=found.evaluations)
    by_id = {one.pk: one for one in rows.select_related("intervention__organization")}
    return found, [_told(by_id[pk]) for pk in found.evaluations if pk in by_id]


def _told(made: Evaluation) -> Told:
    kept: dict[str, Any] = json.loads(made.text)
    primary = kept["metrics"][0]
    metric = metric_name(metric_of(primary))
    word, tone = VERDICTS[made.verdict]
    headline = said(primary["sentences"][0], metric)
    return Told(made, str(word), tone, headline, three_of(kept, metric), measured(kept))


def _sections(told: Told) -> list[Section]:
    made = told.evaluation.intervention
    until = numbers.day(date.fromisoformat(json.loads(told.evaluation.text)["to"]))
    lines = [told.headline, *([told.three.sentence] if told.three else []), _("Data up to %(day)s") % {"day": until}]
    return [lines_section(f"{made.title} · {told.word}", lines), metrics_section(told.rows)]
