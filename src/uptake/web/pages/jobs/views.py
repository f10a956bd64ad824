"""The jobs with their last run, and asking for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Organization
from uptake.directory.scope import Deed
from uptake.programme.put_aside import try_again as try_company_again
from uptake.web.pages.jobs.board import board
from uptake.web.standing_still import standing_still
from uptake.web.viewing import needs, viewer_for


@needs(Deed.RUN_PLATFORM)
def home(request: HttpRequest) -> HttpResponseBase:
    """Every job of the list; htmx asks for the table alone."""
    htmx = request.headers.get("HX-Request") == "true"
    if htmx:
        return render(request, "jobs/table.html", {"lines": board().lines(now=timezone.now())})
    return _page(request)


def _page(request: HttpRequest, wrong: Mapping[str, Any] | None = None) -> HttpResponseBase:
    context = {
        "lines": board().lines(now=timezone.now()),
        "still": standing_still(viewer_for(request)),
        "wrong": wrong,
    }
    return render(request, "jobs/home.html", context, status=422 if wrong else 200)


@require_POST
@needs(Deed.RUN_PLATFORM)
def run_now(request: HttpRequest, name: str) -> HttpResponseBase:
    """Ask for a run of one job before its time."""
    jobs = board()
    try:
        jobs.ask_for(name=name, by=viewer_for(request), now=timezone.now())
    except jobs.UnknownJob:
        raise Http404("no such job") from None
    messages.success(request, _("The job %(name)s runs as soon as its runner is free.") % {"name": name})
    return redirect("jobs:home")


@require_POST
@needs(Deed.RUN_PLATFORM)
def try_again(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """Have a company's missed events considered at once."""
    company = _company(request, company_id)
    if try_company_again(company=company, by=viewer_for(request), now=timezone.now()):
        messages.success(request, _("%(name)s is tried again in a few seconds.") % {"name": company.name})
    else:
        messages.info(request, _("%(name)s has caught up already.") % {"name": company.name})
    return redirect("jobs:home")


@require_POST
@needs(Deed.RUN_PLATFORM)
def open_book(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """Open a company's book again, with a reason; only where it holds, or although it does not."""
    company = _company(request, company_id)
    jobs, why = board(), request.POST.get("why", "").strip()[:500]
    text = ""
    try:
        jobs.open_book(
            company=company,
            by=viewer_for(request),
            why=why,
            although=request.POST.get("although") == "yes",
            now=timezone.now(),
        )
    except jobs.WhyMissing:
        text = _("Say why it is opened.")
    except jobs.StillBroken as broken:
        text = _("It does not hold yet: %(what)s. The book stays closed.") % {"what": broken}
    except jobs.NotClosed:
        messages.info(request, _("The book of %(name)s is open.") % {"name": company.name})
        return redirect("jobs:home")
    if text:
        return _page(request, {"company": company.pk, "text": text, "why": why})
    messages.success(request, _("The book of %(name)s is open again.") % {"name": company.name})
    return redirect("jobs:home")


def _company(request: HttpRequest, company_id: int) -> Organization:
    places = viewer_for(request).companies(Deed.RUN_PLATFORM)
    return get_object_or_404(places, pk=company_id)
