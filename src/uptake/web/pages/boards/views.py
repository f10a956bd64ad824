"""The ranking of one's company or department over a period, and whether one's own name stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import HIDE_BELOW, ids_of
from uptake.programme.merits.board import heads_of, read_board, read_departments
from uptake.programme.merits.hide_name import hide_name
from uptake.programme.merits.keep_boards import BoardClock
from uptake.programme.merits.models import Nameless
from uptake.programme.merits.periods import BEGAN, EVER, MONTH, QUARTER, SEASON, YEAR
from uptake.web import numbers
from uptake.web.largest import largest
from uptake.web.viewing import login_required, viewer_for

NAMES: dict[str, str | Promise] = {
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
    "quarter": gettext_lazy("Quarter"),
    "year": gettext_lazy("Year"),
    "season": gettext_lazy("Season"),
    "ever": gettext_lazy("All time"),
}


@dataclass(frozen=True)
class Choice:
    """One thing one may switch to."""

    value: str
    name: str | Promise
    chosen: bool


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The board of a place and period; without choice that of one's own department in this month."""
    viewer = viewer_for(request)
    companies = _companies(viewer)
    if not companies:
        return render(request, "boards/nobody.html")
    company, place, places = _chosen(request, viewer, companies)
    now = timezone.now()
    today = settings_at(company).date_of(now)
    clock = BoardClock(company)
    periods = [key for key in NAMES if key != SEASON or clock.seasons]
    period = request.GET.get("period", MONTH)
    period = period if period in periods else MONTH
    starts = clock.start_of(period, _day(request.GET.get("on", ""), today)) or today
    board = read_board(place, period, starts, viewer=viewer, now=now)
    end = clock.end_of(period, starts)
    return render(
        request,
        "boards/home.html",
        {
            "company": company,
            "place": place,
            "companies": [Choice(one.slug, one.name, one == company) for one in companies],
            "places": [Choice(one.slug, one.name, one == place) for one in places],
            "periods": [Choice(key, NAMES[key], key == period) for key in periods],
            "board": board,
            "period_name": _named(period, starts, end),
            "running": end is None or today < end,
            "before": clock.before(period, starts),
            "after": end if end is not None and end <= today else None,
            "departments": read_departments(company, period, starts, viewer=viewer, today=today),
            "smallest": HIDE_BELOW,
            "nameless": Nameless.objects.filter(person_id=viewer.person_id or 0).exists(),
            "at": request.GET.get("at", ""),
        },
    )


@login_required
@require_POST
def name(request: HttpRequest) -> HttpResponseBase:
    """Takes the own name off the boards, or puts it back."""
    viewer = viewer_for(request)
    if viewer.person_id is not None:
        hidden = request.POST.get("hidden") == "1"
        hide_name(hidden=hidden, by=viewer, now=timezone.now())
        told = _("You now stand on boards as “member”.") if hidden else _("Your name stands on boards again.")
        messages.success(request, told)
    return redirect("boards:home")


def _companies(viewer: Viewer) -> list[Organization]:
    """Those one belongs to first, then those whose people one may see, the largest of them first."""
    own = {key for path in viewer.places for key in ids_of(path)}
    seen = Q(pk__in=own) | viewer.within("path", Deed.SEE_PEOPLE)
    found = list(Organization.objects.open().filter(seen, kind=Kind.COMPANY).order_by("name"))
    first = largest([one for one in found if one.pk not in own])
    return sorted(found, key=lambda one: (one.pk not in own, one != first, one.name))


def _chosen(
    request: HttpRequest, viewer: Viewer, companies: list[Organization]
) -> tuple[Organization, Organization, list[Organization]]:
    """(company, place, places to choose from): the company and its departments of five people and more."""
    slug = request.GET.get("at", "")
    asked = Organization.objects.open().filter(slug=slug, company__in=companies).first() if slug else None
    company = (asked.company if asked else None) or companies[0]
    below = list(Organization.objects.open().filter(parent=company).order_by("name"))
    heads = heads_of(below, viewer.today)
    places = [company, *(one for one in below if heads.get(one.pk, 0) >= HIDE_BELOW)]
    if asked is not None:
        return company, next((one for one in places if one == asked), company), places
    mine = next((one for one in places[1:] if any(path.startswith(one.path) for path in viewer.places)), company)
    return company, mine, places


def _day(text: str, today: date) -> date:
    """The date in the address, today where it is none or lies ahead."""
    try:
        return min(max(date.fromisoformat(text), date(2000, 1, 1)), today)
    except ValueError:
        return today


def _named(period: str, starts: date, end: date | None) -> str:
    """The period in words."""
    if period == EVER:
        return _("All time")
    if period == SEASON:
        last = numbers.day(end - timedelta(days=1)) if end else "…"
        return _("Season %(first)s – %(last)s") % {
            "first": numbers.day(starts) if starts != BEGAN else "…",
            "last": last,
        }
    if period == YEAR:
        return str(starts.year)
    if period == QUARTER:
        return _("Quarter %(quarter)s of %(year)s") % {"quarter": (starts.month + 2) // 3, "year": starts.year}
    if period == MONTH:
        if numbers.chinese():
            return f"{starts.year} 年 {starts.month} 月"
        return _("%(month)s %(year)s") % {"month": MONTHS[starts.month], "year": starts.year}
    return _("Week of %(day)s") % {"day": numbers.day(starts)}
