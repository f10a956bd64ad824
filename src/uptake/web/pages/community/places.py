"""Which company a page of the community is about, and what it says where there is none."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.programme.community.models import Post
from uptake.programme.community.write import belongs
from uptake.web.viewing import viewer_for


def companies_of(viewer: Viewer, *, desk: bool = False) -> list[Organization]:
    """The companies whose community the viewer may read (or moderate), one's own first."""
    rows = Organization.objects.filter(kind=Kind.COMPANY, closed_at__isnull=True)
    managed = rows.filter(viewer.within("path", Deed.MANAGE_RULES))
    own = [one for one in rows.filter(pk__in=_own(viewer)) if belongs(viewer, one)] if not desk else []
    return own + [one for one in managed.order_by("name", "pk") if one not in own]


def company_for(request: HttpRequest, *, desk: bool = False) -> tuple[Organization | None, list[Organization]]:
    """(the company of the page, all there are to choose): `?at=<slug>`, else one's own, else the liveliest.

    A park has no community of its own: the page stays with a company. Http404 for a place the viewer must not know of.
    """
    viewer = viewer_for(request)
    companies = companies_of(viewer, desk=desk)
    slug = request.GET.get("at", "")
    if slug:
        found = next((one for one in companies if one.slug == slug), None)
        if found is not None:
            return found, companies
        if not Organization.objects.visible_to(viewer).filter(slug=slug, kind=Kind.PARK).exists():
            raise Http404("no such company")
    if not companies or belongs(viewer, companies[0]):
        return next(iter(companies), None), companies
    lively = (
        Post.objects.filter(company__in=companies).order_by("-written_at").values_list("company", flat=True).first()
    )
    return next((one for one in companies if one.pk == lively), companies[0]), companies


def nobody(request: HttpRequest) -> HttpResponseBase:
    """The page of one who belongs to no company."""
    return render(request, "community/nobody.html")


def _own(viewer: Viewer) -> set[int]:
    return {int(part) for path in viewer.places for part in path.split("/") if part}
