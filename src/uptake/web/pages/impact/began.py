"""Who really began: the departments with their registered days, a form to say how it went, and it in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed
from uptake.insight.impact import refusals
from uptake.insight.impact.models import MANAGING, Intervention, departments_of
from uptake.insight.impact.really_began import said_of, say_began
from uptake.web.pages.impact.measures import lines_section, place_name
from uptake.web.pages.impact.words import WORDS
from uptake.web.pages.transparency.words import Section
from uptake.web.viewing import NotYours, needs, viewer_for


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """What was registered and what was said of each department; POST says it of those chosen."""
    viewer = viewer_for(request)
    rows = Intervention.objects.visible_to(viewer).select_related("organization")
    found = get_object_or_404(rows, pk=intervention_id)
    today = settings_at(found.organization).date_of(timezone.now())
    if found.locked_at is None or today < found.first_start:
        raise Http404("it has not begun")
    chosen = request.POST.getlist("department")
    wrong = ""
    if request.method == "POST":
        try:
            say_began(
                intervention=found,
                departments=chosen,
                began_on=_day(request),
                reason=request.POST.get("reason", ""),
                by=viewer,
                now=timezone.now(),
            )
        except refusals.Refused as refused:
            wrong = WORDS[type(refused)]()
        except NotAllowed:
            raise NotYours(MANAGING[0]) from None
        else:
            messages.success(request, _("Noted. The registration stays as it was."))
            return redirect("impact:began", found.pk)
    said = said_of(found)
    names = {place.slug: place for place in departments_of(found.starts)}
    lines = [
        (slug, place_name(slug, names), date.fromisoformat(day) if day else None, said.get(slug), slug in chosen)
        for slug, day in found.starts.items()
    ]
    lines.sort(key=lambda line: (line[2] is None, line[2] or date.max, line[1]))
    context = {
        "one": found,
        "lines": lines,
        "may": any(viewer.may(deed, found.organization) for deed in MANAGING),
        "given": request.POST,
        "today": today.isoformat(),
        "wrong": wrong,
    }
    return render(request, "impact/began.html", context, status=422 if wrong else 200)


def _day(request: HttpRequest) -> date | None:
    if request.POST.get("how") == "never":
        return None
    try:
        return date.fromisoformat(request.POST.get("began_on", ""))
    except ValueError:
        raise refusals.WrongDay from None


def began_lines(told: Mapping[str, Any]) -> list[str]:
    """What a kept evaluation knows of who really began, in words; [] where nobody had said anything."""
    really = told.get("began")
    if really is None:
        return []
    meant = really["meant"]
    said = [
        ngettext(
            "Of %(n)s department that was to begin, so many began as intended: %(as_meant)s.",
            "Of %(n)s departments that were to begin, so many began as intended: %(as_meant)s.",
            meant,
        )
        % {"n": meant, "as_meant": really["as_meant"]}
    ]
    if really["later"]:
        pattern = (
            _("Began later: %(n)s, by %(least)s days.")
            if really["later_least"] == really["later_most"]
            else _("Began later: %(n)s, by %(least)s to %(most)s days.")
        )
        said.append(pattern % {"n": really["later"], "least": really["later_least"], "most": really["later_most"]})
    for name, pattern in (
        ("earlier", _("Began earlier: %(n)s.")),
        ("never", _("Never began: %(n)s.")),
        ("waiting_began", _("Were to wait and began all the same: %(n)s.")),
        ("unsaid", _("Nobody has said it yet of: %(n)s.")),
    ):
        if really[name]:
            said.append(pattern % {"n": really[name]})
    said.append(_("Everything here goes by the days that were registered, whoever really began."))
    if really["later"] or really["never"] or really["waiting_began"]:
        said.append(
            _("For those who really began, the difference is likely larger than told; how much these data cannot say.")
        )
    return said


def began_section(lines: Sequence[str]) -> Section:
    """For print and sheets."""
    return lines_section(_("Who really began"), lines)
