"""A month of a place's calendar; filling a year; setting one day."""

from __future__ import annotations

import calendar
from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from uptake.directory.calendar import UnknownCountry, clear_day, countries, day_kinds_between, fill, set_day
from uptake.directory.models import CalendarDay, DayKind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import ids_of
from uptake.web.viewing import NotYours, login_required, viewer_for

YEARS = range(1990, 2101)


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """One month at one place: `?at=<slug>&month=2026-05`."""
    viewer = viewer_for(request)
    places = list(Organization.objects.visible_to(viewer).filter(closed_at=None).order_by("path")[:400])
    place = _place(viewer, places, request.GET.get("at", ""))
    if place is None:
        return render(request, "calendar/none.html")
    month = _month(request.GET.get("month", ""), timezone.localdate())
    weeks = calendar.Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    days = day_kinds_between(place, weeks[0][0], weeks[-1][-1])
    own = {
        one.date: one
        for one in CalendarDay.objects.visible_to(viewer).filter(
            organization__in=ids_of(place.path), date__range=(weeks[0][0], weeks[-1][-1])
        )
        if one.organization_id == place.pk
    }
    in_month = [what for day, what in days.items() if day.month == month.month]
    context = {
        "place": place,
        "places": [(one, "  " * one.path.count("/")) for one in places],
        "month": month,
        "before": _shifted(month, -1),
        "after": _shifted(month, 1),
        "weeks": [[(day, days[day], own.get(day), day.month == month.month) for day in week] for week in weeks],
        "today": timezone.localdate(),
        "working": sum(what.works for what in in_month),
        "holidays": sum(what.kind == DayKind.HOLIDAY for what in in_month),
        "provisional": any(what.provisional for what in in_month),
        "may_edit": viewer.may(Deed.MANAGE_PEOPLE, place),
        "kinds": DayKind.choices,
        "countries": countries(),
        "country": settings.COUNTRY,
        "years": range(month.year - 1, month.year + 3),
    }
    return render(request, "calendar/home.html", context)


@login_required
@require_POST
def fill_year(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Fills a year from the list of public holidays."""
    viewer = viewer_for(request)
    place = _editable(viewer, slug)
    year = request.POST.get("year", "")
    if not year.isdecimal() or int(year) not in YEARS:
        raise Http404
    try:
        made = fill(
            organization=place,
            country=request.POST.get("country", ""),
            year=int(year),
            by=viewer,
            now=timezone.now(),
        )
    except UnknownCountry:
        messages.error(request, _("The list of holidays does not know this country."))
    else:
        said = ngettext("%(n)s day of %(year)s was set.", "%(n)s days of %(year)s were set.", made)
        messages.success(request, said % {"n": made, "year": year})
    return _back(place, _month(request.POST.get("month", ""), timezone.localdate()))


@login_required
@require_POST
def day(request: HttpRequest, slug: str, day: str) -> HttpResponseBase:
    """Sets one day by hand, or forgets what was set."""
    viewer = viewer_for(request)
    place = _editable(viewer, slug)
    try:
        which = parse_date(day)
    except ValueError:
        which = None
    kind = request.POST.get("kind", "")
    if which is None or (kind and kind not in DayKind.values):
        raise Http404
    if kind:
        name = request.POST.get("name", "")
        set_day(organization=place, day=which, kind=DayKind(kind), name=name, by=viewer, now=timezone.now())
    else:
        clear_day(organization=place, day=which, by=viewer, now=timezone.now())
    return _back(place, which)


def _place(viewer: Viewer, places: list[Organization], slug: str) -> Organization | None:
    """The place asked for, else the deepest of one's own or the highest one sees."""
    if slug:
        chosen = next((place for place in places if place.slug == slug), None)
        if chosen is None:
            raise Http404
        return chosen
    own = [place for place in places if place.path in viewer.places]
    return next(iter(own or places), None)


def _editable(viewer: Viewer, slug: str) -> Organization:
    place = Organization.objects.visible_to(viewer).filter(slug=slug).first()
    if place is None:
        raise Http404
    if not viewer.may(Deed.MANAGE_PEOPLE, place):
        raise NotYours(Deed.MANAGE_PEOPLE)
    return place


def _month(text: str, today: date) -> date:
    try:
        found = parse_date(f"{text}-01")
    except ValueError:
        found = None
    return found if found and found.year in YEARS else today.replace(day=1)


def _shifted(month: date, by: int) -> date:
    number = month.year * 12 + month.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def _back(place: Organization, day: date) -> HttpResponseBase:
    return redirect(f"{reverse('calendar:home')}?{urlencode({'at': place.slug, 'month': f'{day:%Y-%m}'})}")
