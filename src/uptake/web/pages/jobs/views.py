"""The jobs with their last run, and asking for one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.scope import Deed
from uptake.web.pages.jobs.board import board
from uptake.web.viewing import needs, viewer_for


@needs(Deed.RUN_PLATFORM)
def home(request: HttpRequest) -> HttpResponseBase:
    """Every job of the list; htmx asks for the table alone."""
    lines = board().lines(now=timezone.now())
    context = {"lines": lines, "failing": [line for line in lines if line.failures]}
    htmx = request.headers.get("HX-Request") == "true"
    return render(request, "jobs/table.html" if htmx else "jobs/home.html", context)


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
