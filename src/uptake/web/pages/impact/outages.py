"""Outages of systems: the list, and the form by which somebody notes one, ends it or takes it back."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed
from uptake.insight.impact.models import MANAGING, Outage
from uptake.insight.impact.note_outage import NoSystem, WrongTimes, end_outage, note_outage, withdraw_outage
from uptake.web import numbers
from uptake.web.pages.impact.places import place_chosen, places_managed
from uptake.web.viewing import NotYours, needs, viewer_for

A_PAGE = 25


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """What was noted at places the viewer sees; POST notes another."""
    viewer = viewer_for(request)
    places = places_managed(viewer)
    wrong = ""
    if request.method == "POST":
        place = place_chosen(request, places)
        zone = settings_at(place).at(timezone.now()).zone
        try:
            ended = request.POST.get("ended_at", "")
            note_outage(
                organization=place,
                system=request.POST.get("system", ""),
                text=request.POST.get("text", ""),
                began_at=_instant(request.POST.get("began_at", ""), zone),
                ended_at=_instant(ended, zone) if ended else None,
                by=viewer,
                now=timezone.now(),
            )
        except NoSystem:
            wrong = _("Name the system in at most 100 characters, and say what happened in at most 300.")
        except WrongTimes:
            wrong = wrong_times()
        else:
            messages.success(request, _("The outage is noted."))
            return redirect("impact:outages")
    rows = Outage.objects.visible_to(viewer).standing().select_related("organization")
    page = Paginator(rows.order_by("-began_at", "-pk"), A_PAGE).get_page(request.GET.get("page"))
    may = {place.pk for place in places}
    context = {
        "page": page,
        "lines": [(one, _lasted(one), one.organization_id in may) for one in page.object_list],
        "places": places,
        "given": request.POST,
        "wrong": wrong,
    }
    return render(request, "impact/outages.html", context, status=422 if wrong else 200)


@needs(*MANAGING)
@require_POST
def end(request: HttpRequest, outage_id: int) -> HttpResponseBase:
    """Says that it is over, as of now, or that it was noted wrongly."""
    viewer = viewer_for(request)
    found = get_object_or_404(Outage.objects.visible_to(viewer), pk=outage_id)
    now = timezone.now()
    try:
        if request.POST.get("what") == "withdraw":
            withdraw_outage(outage=found, by=viewer, now=now)
            messages.success(request, _("Withdrawn; it counts no more."))
        elif request.POST.get("what") == "end":
            end_outage(outage=found, ended_at=now, by=viewer, now=now)
            messages.success(request, _("The outage is over."))
        else:
            raise Http404("no such deed")
    except WrongTimes:
        messages.error(request, wrong_times(), "bad")
    except NotAllowed:
        raise NotYours(MANAGING[0]) from None
    return redirect("impact:outages")


def wrong_times() -> str:
    return _("An outage begins before it ends, lies not in the future, and lasts at most 60 days.")


def _instant(typed: str, zone: str) -> datetime:
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise WrongTimes from None


def _lasted(outage: Outage) -> str:
    hours = ((outage.ended_at or timezone.now()) - outage.began_at).total_seconds() / 3600
    return f"{numbers.full(hours, 1)} {_('h')}"
