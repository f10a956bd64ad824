"""How do I earn?: the rulebook that applies where the viewer stands, its versions and its hash."""

from __future__ import annotations

from datetime import date

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from uptake.directory.models import Organization, Person
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import ids_of
from uptake.programme.changes import events_of
from uptake.programme.in_force import parsed, rulebook_version_on
from uptake.programme.models import RulebookVersion
from uptake.web.catalogue import labels_of
from uptake.web.pages.points.read import Home, home_of, used_today
from uptake.web.pages.rules.read import Used, cards_of, validity_of
from uptake.web.standing_still import standing_still
from uptake.web.viewing import login_required, viewer_for


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The rules in force; `?v=<id>` shows an older (or coming) version, `?at=<slug>` another place."""
    viewer = viewer_for(request)
    now = timezone.now()
    own = home_of(Person.objects.get(pk=viewer.person_id), now) if viewer.person_id else None
    place = _place(request, viewer, own)
    if place is None:
        return render(request, "rules/none.html", {"place": None, "may_publish": viewer.may(Deed.MANAGE_RULES)})
    today = own.today if own else viewer.today
    versions = list(
        RulebookVersion.objects.visible_to(viewer)
        .applying_to(place)
        .select_related("organization", "published_by__person")
        .order_by("-in_force_date", "-number", "-pk")
    )
    current = rulebook_version_on(place, today)
    shown = current if current in versions else None
    if request.GET.get("v"):
        shown = next((version for version in versions if str(version.pk) == request.GET["v"]), None)
        if shown is None:
            raise Http404("no such version")
    if shown is None:
        return render(
            request,
            "rules/none.html",
            {"place": place, "versions": versions, "may_publish": viewer.may(Deed.MANAGE_RULES)},
        )
    used: Used | None = None
    if own is not None and shown == current and own.company.pk in ids_of(place.path):
        used = used_today(own)
    rulebook = parsed(shown.pk, shown.sha256)
    day = _day_of(shown, current, today)
    context = {
        "may_publish": viewer.may(Deed.MANAGE_RULES),
        "still": [one for one in standing_still(viewer) if viewer.may(Deed.MANAGE_RULES, one.company)],
        "place": place,
        "shown": shown,
        "current": current,
        "versions": versions,
        "today": today,
        "programme": rulebook.programme,
        "clock": settings_at(place).on(day),
        "validity": validity_of(rulebook.programme.expires),
        "cards": cards_of(rulebook, day, labels_of(events_of(rulebook)), used),
    }
    return render(request, "rules/home.html", context)


def _day_of(shown: RulebookVersion, current: RulebookVersion | None, today: date) -> date:
    """The date whose rules are shown: today, or the first of a version that is not in force today."""
    return today if current is not None and shown.pk == current.pk else shown.in_force_date


def _place(request: HttpRequest, viewer: Viewer, own: Home | None) -> Organization | None:
    """`?at=`, where one may see totals or manage rules; else where one works; else the place of the widest role."""
    seen = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS, Deed.MANAGE_RULES))
    slug = request.GET.get("at", "")
    if slug:
        found = seen.filter(slug=slug).first()
        if found is None and (own is None or slug != own.company.slug):
            raise Http404("no such place")
        return found or (own.company if own else None)
    if own is not None:
        return own.company
    return min(seen, key=lambda place: (place.path.count("/"), place.pk), default=None)
