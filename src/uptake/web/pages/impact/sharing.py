"""Links by which somebody without a login reads one report: made, listed, revoked, opened."""

from __future__ import annotations

import math
import threading
import time
import zlib
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from uptake.directory.scope import NotAllowed
from uptake.insight.impact.models import MANAGING, Evaluation, Intervention
from uptake.insight.report import share as sharing
from uptake.insight.report.models import ShareLink
from uptake.web.api.bucket import Buckets
from uptake.web.errors import too_many
from uptake.web.pages.impact.views import pdf_of_report, told_of
from uptake.web.viewing import NotYours, needs, viewer_for

A_SECOND: Final = 0.5
AT_ONCE: Final = 30.0
"""Shared reports that one address opens after a silence."""
DAYS: Final = 14
_opened = Buckets(A_SECOND, AT_ONCE)
_counting = threading.Lock()


@needs(*MANAGING)
def links(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """The links to the reports of an intervention; POST makes one to the latest, shown this one time."""
    viewer = viewer_for(request)
    rows = Intervention.objects.visible_to(viewer).select_related("organization")
    found = get_object_or_404(rows, pk=intervention_id)
    if not any(viewer.may(deed, found.organization) for deed in MANAGING):
        raise NotYours(MANAGING[0])
    latest = found.evaluations.order_by("-made_at", "-pk").first()
    if latest is None:
        raise Http404("no evaluation yet")
    now, wrong, address = timezone.now(), "", ""
    if request.method == "POST":
        days = request.POST.get("days", "")
        try:
            _link, secret = sharing.share(
                evaluation=latest,
                days=int(days) if days.isdecimal() and len(days) < 5 else 0,
                label=request.POST.get("label", ""),
                by=viewer,
                now=now,
            )
            address = request.build_absolute_uri(reverse("impact:shared", args=[secret]))
        except sharing.Refused as refused:
            wrong = _why(refused)
        except NotAllowed:
            raise NotYours(MANAGING[0]) from None
    shown = ShareLink.objects.visible_to(viewer).filter(evaluation__intervention=found).order_by("-pk")[:100]
    context = {
        "one": found,
        "latest": latest,
        "wrong": wrong,
        "address": address,
        "days": DAYS,
        "most": sharing.LONGEST_DAYS,
        "rows": [(link, link.expires_at <= now) for link in shown],
    }
    response = render(request, "impact/links.html", context, status=422 if wrong else 200)
    if address:
        response["Cache-Control"] = "no-store"
    return response


@needs(*MANAGING)
@require_POST
def revoke(request: HttpRequest, intervention_id: int, link_id: int) -> HttpResponseBase:
    """Nobody gets in by it any more."""
    viewer = viewer_for(request)
    rows = ShareLink.objects.visible_to(viewer).filter(evaluation__intervention=intervention_id)
    link = get_object_or_404(rows, pk=link_id)
    sharing.revoke(link=link, by=viewer, now=timezone.now())
    messages.success(request, _("The link is revoked."))
    return redirect("impact:links", intervention_id)


@require_safe
def shared(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The report a link opens, without a login and without a menu."""
    made = _evaluation(request, secret)
    if not isinstance(made, Evaluation):
        return made
    context = {"one": made.intervention, "made": made, "secret": secret, **told_of(made)}
    return _apart(render(request, "impact/shared.html", context))


@require_safe
def shared_pdf(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The same to print."""
    made = _evaluation(request, secret)
    return _apart(pdf_of_report(made)) if isinstance(made, Evaluation) else made


def forget() -> None:
    """Everybody may open again at once."""
    with _counting:
        _opened.held.clear()


def _evaluation(request: HttpRequest, secret: str) -> Evaluation | HttpResponse:
    """What the link opens; 429 for who opens too many, Http404 for a link that opens nothing."""
    with _counting:
        wait = _opened.take(zlib.crc32(request.META.get("REMOTE_ADDR", "").encode()), 1, time.monotonic())
    if wait:
        answer = too_many(request)
        answer["Retry-After"] = str(math.ceil(wait))
        return answer
    made = sharing.let_in(secret=secret, now=timezone.now())
    if made is None:
        raise Http404("opens nothing")
    return made


def _apart(response: HttpResponse) -> HttpResponse:
    """Kept by nobody, found by no search engine, and its address told to no other site."""
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _why(refused: sharing.Refused) -> str:
    if isinstance(refused, sharing.WrongDays):
        return _("Choose 1 to 90 days.")
    if isinstance(refused, sharing.TooManyLinks):
        return _("There are as many open links as there may be: revoke one first.")
    return _("It was read before its registered end: there is no verdict to be shown around.")
