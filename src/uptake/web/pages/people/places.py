"""Places are added, renamed, moved and closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.clock import NothingPlanned
from uptake.directory.models import Kind, Organization
from uptake.directory.organize import (
    MAY_LIE_BELOW,
    close_organization,
    make_organization,
    move_organization,
    rename_organization,
    reopen_organization,
)
from uptake.directory.place import named_on, settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.programme.clock_change import change_clock, is_dated, rules_of, take_back_clock
from uptake.web import numbers
from uptake.web.clock_words import planned
from uptake.web.pages.people.doing import done
from uptake.web.pages.people.forms import ChangedPlaceForm, NewPlaceForm, choices_of
from uptake.web.viewing import needs, viewer_for


@needs(Deed.MANAGE_PEOPLE)
def new(request: HttpRequest) -> HttpResponseBase:
    """A form for a new place, below `?at=<slug>`."""
    viewer = viewer_for(request)
    managed = Organization.objects.open().filter(viewer.within("path", Deed.MANAGE_PEOPLE)).exclude(kind=Kind.TEAM)
    at = managed.filter(slug=request.GET.get("at", "")).first()
    at_root = viewer.may(Deed.RUN_PLATFORM)
    parents = managed.filter(company=at.company_id) if at is not None and at.company_id is not None else managed
    kinds = [
        kind
        for kind in Kind
        if (None in MAY_LIE_BELOW[kind] and at_root) or parents.filter(kind__in=MAY_LIE_BELOW[kind] - {None}).exists()
    ]
    likely = Kind.COMPANY if at is None or at.kind == Kind.PARK else Kind.DEPARTMENT
    initial = {"parent": at.slug if at else "", "kind": likely if likely in kinds else Kind.DEPARTMENT}
    form = NewPlaceForm(
        request.POST or None, kinds=kinds, parents=choices_of(parents), at_root=at_root, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        made: list[Organization] = []

        def deed() -> str:
            place = make_organization(
                kind=Kind(given["kind"]),
                name=given["name"],
                parent=get_object_or_404(parents, slug=given["parent"]) if given["parent"] else None,
                slug=given["slug"],
                trade=given["trade"],
                timezone=given["timezone"],
                day_start=given["day_start"],
                by=viewer,
                now=timezone.now(),
            )
            made.append(place)
            return _("%(name)s was added.") % {"name": place.name}

        if done(request, deed, form):
            return redirect(f"{reverse('people:home')}?{urlencode({'at': made[0].slug})}")
    return render(request, "people/place.html", {"form": form, "place": None})


@needs(Deed.MANAGE_PEOPLE)
def place(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The name and clock of a place; closing and moving it."""
    viewer = viewer_for(request)
    found = _place(viewer, slug)
    clock, now = settings_at(found), timezone.now()
    today = clock.date_of(now)
    named = named_on(found, today)
    initial = {"name": found.name, "trade": found.trade, "timezone": named.zone, "day_start": named.day_start}
    form = ChangedPlaceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def deed() -> str:
            rename_organization(
                organization=found, name=given["name"], trade=given["trade"], by=viewer, now=timezone.now()
            )
            if (given["timezone"], given["day_start"]) == (named.zone, named.day_start):
                return _("%(name)s was changed.") % {"name": given["name"]}
            day = change_clock(
                organization=found,
                timezone=given["timezone"],
                day_start=given["day_start"],
                from_date=given["from_date"],
                by=viewer,
                now=timezone.now(),
            )
            if day is None:
                return _("%(name)s was changed.") % {"name": given["name"]}
            return _("The clock of %(name)s changes with the start of %(day)s.") % {
                "name": given["name"],
                "day": numbers.day(day),
            }

        if done(request, deed, form):
            return redirect(f"{reverse('people:home')}?{urlencode({'at': found.slug})}")
    parents = Organization.objects.open().filter(
        viewer.within("path", Deed.MANAGE_PEOPLE), kind__in=MAY_LIE_BELOW[found.kind] - {None}
    )
    if found.kind != Kind.COMPANY:
        parents = parents.filter(company=found.company_id)
    others = [one for one in parents if not one.path.startswith(found.path) and one.pk != found.parent_id]
    context = {
        "form": form,
        "place": found,
        "parents": choices_of(others),
        "clock": clock.on(today),
        **_coming(found, today),
    }
    return render(request, "people/place.html", context)


def _coming(found: Organization, today: date) -> dict[str, Any]:
    """The planned changes of the clock, whose rulebook decides on it, and whether anything was dated by it."""
    own = set(found.clock_changes.filter(from_date__gt=today).values_list("from_date", flat=True))
    return {
        "planned": [(turn, turn.from_date in own) for turn in planned(found, today)],
        "decides": rules_of(found),
        "dated": is_dated(found),
    }


@needs(Deed.MANAGE_PEOPLE)
@require_POST
def keep_clock(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Takes back a planned change of the clock."""
    viewer = viewer_for(request)
    found = _place(viewer, slug)

    def deed() -> str:
        try:
            day = date.fromisoformat(request.POST.get("from_date", ""))
        except ValueError:
            raise NothingPlanned from None
        take_back_clock(organization=found, from_date=day, by=viewer, now=timezone.now())
        return _("The clock of %(name)s stays as it is.") % {"name": found.name}

    return _do(request, found, deed)


@needs(Deed.MANAGE_PEOPLE)
@require_POST
def close(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Closes a place where nobody is any more."""
    viewer = viewer_for(request)
    found = _place(viewer, slug)

    def deed() -> str:
        close_organization(organization=found, by=viewer, now=timezone.now())
        return _("%(name)s is closed; its history stays.") % {"name": found.name}

    return _do(request, found, deed)


@needs(Deed.MANAGE_PEOPLE)
@require_POST
def reopen(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Opens a closed place again."""
    viewer = viewer_for(request)
    found = _place(viewer, slug)

    def deed() -> str:
        reopen_organization(organization=found, by=viewer, now=timezone.now())
        return _("%(name)s is open again.") % {"name": found.name}

    return _do(request, found, deed)


@needs(Deed.MANAGE_PEOPLE)
@require_POST
def move(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Moves a place, with all below it, under another."""
    viewer = viewer_for(request)
    found, parent = _place(viewer, slug), _place(viewer, request.POST.get("parent", ""))

    def deed() -> str:
        move_organization(organization=found, parent=parent, by=viewer, now=timezone.now())
        return _("%(name)s lies below %(parent)s now.") % {"name": found.name, "parent": parent.name}

    return _do(request, found, deed)


def _do(request: HttpRequest, found: Organization, deed: Callable[[], str]) -> HttpResponseBase:
    """Does the deed and goes back to the place."""
    done(request, deed)
    return redirect("people:place", found.slug)


def _place(viewer: Viewer, slug: str) -> Organization:
    """A place the viewer manages; 404 for any other, also for one that does not exist."""
    managed = Organization.objects.filter(viewer.within("path", Deed.MANAGE_PEOPLE))
    return get_object_or_404(managed.select_related("parent", "company"), slug=slug)
