"""Which place a page of adoption is about, and times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.directory.viewer import ids_of

MOST = 5_000
TYPED = "%Y-%m-%dT%H:%M"


def places_of(viewer: Viewer, deed: Deed) -> list[Organization]:
    """Open places at which the viewer may do the deed, the highest first."""
    rows = Organization.objects.open().filter(viewer.within("path", deed))
    found = list(rows.select_related("company").order_by("name", "pk")[:MOST])
    return sorted(found, key=lambda one: (one.path.count("/"), one.name))


def grouped(places: list[Organization]) -> list[tuple[str, list[Organization]]]:
    """The places for a list to choose from: first those that stand alone (no name), then the departments under the name
    of their company, since departments of two companies are often called the same."""
    groups: dict[str, list[Organization]] = {"": []}
    for one in places:
        company = one.company
        name = company.name if one.kind == Kind.DEPARTMENT and company is not None else ""
        groups.setdefault(name, []).append(one)
    alone = groups.pop("")
    return [("", alone), *sorted(groups.items())]


def own_company(viewer: Viewer) -> Organization | None:
    """The company one belongs to today."""
    ids = {key for path in viewer.places for key in ids_of(path)}
    return Organization.objects.filter(pk__in=ids, kind=Kind.COMPANY).order_by("pk").first()


def companies_for(viewer: Viewer, *deeds: Deed) -> list[Organization]:
    """Open companies at which the viewer may do any of the deeds as a whole, by name."""
    rows = Organization.objects.open().filter(viewer.within("path", *deeds), kind=Kind.COMPANY)
    return list(rows.order_by("name", "pk"))


def chosen(request: HttpRequest, places: list[Organization]) -> Organization:
    """`?at=<slug>` among the places, else the first. Http404 for one that is not among them."""
    slug = request.GET.get("at", "")
    found = next((one for one in places if one.slug == slug), None) if slug else next(iter(places), None)
    if found is None:
        raise Http404("no such place")
    return found


def typed_time(text: str, place: Organization) -> datetime | None:
    """A date and time typed by the clock of the place; None where nothing was typed. ValueError for anything else."""
    text = text.strip()
    if not text:
        return None
    typed = datetime.strptime(text[:16], TYPED).replace(tzinfo=UTC)
    return typed.replace(tzinfo=ZoneInfo(settings_at(place).on(typed.date()).zone))


def as_typed(at: datetime | None, place: Organization) -> str:
    """As the field of a form writes it."""
    return at.astimezone(ZoneInfo(settings_at(place).at(at).zone)).strftime(TYPED) if at else ""
