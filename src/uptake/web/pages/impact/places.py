"""Where somebody may note and register things of impact: the places in a form, and the one it came back with."""

from __future__ import annotations

from django.http import HttpRequest

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Viewer
from uptake.insight.impact.models import MANAGING
from uptake.web.viewing import NotYours


def places_managed(viewer: Viewer) -> list[Organization]:
    """The open parks and companies the viewer may manage impact at, parks before what is in them."""
    within = viewer.within("path", *MANAGING)
    return list(Organization.objects.filter(within, kind__in=(Kind.PARK, Kind.COMPANY)).open().order_by("path"))


def place_chosen(request: HttpRequest, places: list[Organization]) -> Organization:
    """The place a form names. Raises NotYours for any but these."""
    place = next((one for one in places if one.slug == request.POST.get("place", "")), None)
    if place is None:
        raise NotYours(MANAGING[0])
    return place
