"""Overview: five figures, the days, what needs attention, companies or departments, and the tools in use."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from uptake.directory.models import Kind
from uptake.directory.scope import Deed
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.attention import Matter, Notice, notices
from uptake.insight.metrics.usage import Part, parts, reach, tools, usage
from uptake.web import numbers
from uptake.web.parts import Change
from uptake.web.usage import (
    category,
    change_of,
    chart_of,
    chosen_period,
    kpis,
    no_data,
    points_of,
    rule_marks,
    share_change,
    staff_on,
    untold_at,
    untold_of,
    way_to,
    written_period,
)
from uptake.web.viewing import needs, place_for, viewer_for

ROWS = 12
NOTICES = 5


@dataclass(frozen=True)
class Row:
    """A company or department as the table shows it."""

    part: Part
    change: Change | None
    untold: str = ""
    """That no data comes from there, and since when; empty: data comes."""

    @property
    def href(self) -> str:
        return way_to(self.part.place.slug)


@dataclass(frozen=True)
class Said:
    """A notice in words: icon, tone, title, sentence, where it leads and what that is called."""

    icon: str
    tone: str
    title: str
    text: str
    href: str
    action: str


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """The overview of the place one stands at."""
    viewer = viewer_for(request)
    place = place_for(request, Deed.SEE_TOTALS)
    chosen = chosen_period(request, place)
    log = activity_log()
    staff = staff_on(viewer, place, chosen.period.today)
    where = reach(place)
    found = usage(log, place, chosen.period, staff, where)
    listed = parts(log, viewer, place, chosen.period, staff, found.working)
    seen = [part for part in listed if not part.hidden]
    seen.sort(key=lambda part: (-(part.daily_active.now or 0), part.place.name))
    hidden = [part for part in listed if part.hidden]
    what = request.GET.get("show", "uv") if request.GET.get("show") in ("uv", "pv") else "uv"
    marks = rule_marks(place, chosen.period.shown)
    used = tools(log, place, chosen.period, where=where)
    untold = untold_at(log, place, chosen.period.today)
    missing = "" if place.kind == Kind.PARK else untold_of(place, untold)
    compare = chosen.compare and not missing
    compared = compare and found.comparable
    open_ones = notices(viewer, listed, place, timezone.now(), untold)
    return render(
        request,
        "overview/home.html",
        {
            "place": place,
            "chosen": chosen,
            "usage": found,
            "lead": written_period(found),
            "kpis": kpis(found, compare, points_of(viewer, place, chosen.period)),
            "chart": chart_of(found, what=what, name="days", marks=marks, compare=chosen.compare, height="high"),
            "what": what,
            "untold": missing,
            "may_look": viewer.may(Deed.MANAGE_DATA, place),
            "notices": [said(notice) for notice in open_ones[:NOTICES]],
            "open": len(open_ones),
            "rows": [
                Row(
                    part,
                    change_of(part.daily_active, people=True) if compared else None,
                    untold_of(part.place, untold) if place.kind == Kind.PARK else "",
                )
                for part in seen[:ROWS]
            ],
            "hidden": len(hidden),
            "more": len(seen) - ROWS,
            "companies": place.kind == Kind.PARK,
            "tools": [
                (tool, category(tool.name), share_change(tool.share - tool.share_before) if compared else None)
                for tool in used
            ],
        },
    )


def way(name: str) -> str:
    """The address of a page that may be left out of this installation; then empty."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def said(notice: Notice) -> Said:
    """The notice as a sentence, with the way to deal with it."""
    place = reverse("activity:place", args=[notice.place.slug]) if notice.place else ""
    there = f"?{urlencode({'at': notice.place.slug})}" if notice.place else ""
    match notice.matter:
        case Matter.NO_DATA:
            return Said(
                "cloud-off",
                "warn",
                _("%(name)s: %(no_data)s") % {"name": notice.name, "no_data": no_data(notice.day)},
                _("Whether people work there cannot be told before its source is heard of again."),
                place,
                _("Open"),
            )
        case Matter.SILENT:
            text = _("%(before)s people per working day in the period before.") % {
                "before": numbers.full(notice.before, 1)
            }
            return Said("moon", "bad", _("%(name)s: nobody active") % {"name": notice.name}, text, place, _("Open"))
        case Matter.DROP:
            drop = numbers.full((1 - notice.number / notice.before) * 100, 1)
            return Said(
                "trending-down",
                "bad",
                _("%(name)s: daily active down %(drop)s%%") % {"name": notice.name, "drop": drop},
                _("%(now)s per working day, was %(before)s.")
                % {"now": numbers.full(notice.number, 1), "before": numbers.full(notice.before, 1)},
                place,
                _("Open"),
            )
        case Matter.QUIET_SOURCE:
            return Said(
                "plug-off",
                "warn",
                _("%(name)s sends nothing") % {"name": notice.name},
                _("Last event %(when)s. Nothing is lost as long as the source keeps it.")
                % {"when": numbers.moment(notice.since) if notice.since else "–"},
                way("data:home"),
                _("Look"),
            )
        case Matter.QUARANTINE:
            number = int(notice.number)
            title = ngettext("%(n)s event waits for a decision", "%(n)s events wait for a decision", number)
            return Said(
                "shield-half",
                "warn",
                title % {"n": numbers.full(number)},
                _("They came late, lie in the future or do not fit the catalogue. They do not count yet."),
                way("data:quarantine") + there,
                _("Decide"),
            )
        case Matter.UNMAPPED:
            number = int(notice.number)
            title = ngettext("%(n)s identity is nobody's yet", "%(n)s identities are nobody's yet", number)
            return Said(
                "user-question",
                "info",
                title % {"n": numbers.full(number)},
                _("Their events are kept and count as soon as they are mapped."),
                way("identities:home") + there,
                _("Map"),
            )
