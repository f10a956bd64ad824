"""Saves a page of questions under a name, lists the views one may open, and opens them if one still may."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.models import Organization, OrganizationQuerySet, Role
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.insight.metrics.keep_view import TooLong, change_view, drop_view, may_change, save_view
from uptake.insight.metrics.kept import NoName, NotARole
from uptake.insight.models import ROLES_SEEING_TOTALS, SavedView
from uptake.web.pages.explore.kinds.kind import Text
from uptake.web.pages.explore.kinds.list import kind_named
from uptake.web.viewing import needs, place_for, viewer_for

A_PAGE = 50
OF_A_LIST = ("page", "sort", "number")
"""Parameters that are of no question and are not saved."""


@dataclass(frozen=True)
class Listed:
    """A view as the list shows it."""

    view: SavedView
    title: Text
    icon: str
    place: str
    """Empty where the viewer may no longer see it; where it lies above what the viewer sees, it opens for the own."""
    owner: str
    own: bool
    may_change: bool
    roles: list[str | Promise]
    choices: list[tuple[str, str | Promise, bool]]


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """One's own views and those shared with one's roles, by name."""
    viewer = viewer_for(request)
    found = SavedView.objects.visible_to(viewer).select_related("organization", "owner__person").order_by("name", "pk")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "views/home.html", {"page": page, "rows": [_listed(viewer, one) for one in page]})


@needs(Deed.SEE_TOTALS)
@require_POST
def save(request: HttpRequest) -> HttpResponseBase:
    """Saves the page that was open, with its place said outright, and goes back to it."""
    viewer = viewer_for(request)
    kind = kind_named(request.POST.get("kind", ""))
    if kind is None:
        raise Http404("no such analysis")
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    for name in OF_A_LIST:
        query.pop(name, None)
    if query.get("at"):
        place = get_object_or_404(_places(viewer), slug=query["at"])
    else:
        place = place_for(request, Deed.SEE_TOTALS)
        query["at"] = place.slug
    try:
        saved = save_view(
            name=request.POST.get("name", ""),
            page=kind.name,
            query=query.urlencode(),
            organization=place,
            roles=request.POST.getlist("roles"),
            by=viewer,
            now=timezone.now(),
        )
    except (NoName, NotARole, TooLong) as refusal:
        messages.error(request, _refusal(refusal))
    else:
        messages.success(request, _("View “%(name)s” saved. It stands under Views.") % {"name": saved.name})
    return redirect(f"{reverse('explore:page', args=[kind.name])}?{query.urlencode()}")


@needs(Deed.SEE_TOTALS)
def open_view(request: HttpRequest, view_id: int) -> HttpResponseBase:
    """Goes to the page of a view, or says in words why it cannot be opened any more. One of a place above the viewer's
    asks the same of the viewer's own."""
    viewer = viewer_for(request)
    view = _view(viewer, view_id)
    kind, query = kind_named(view.page), QueryDict(view.query, mutable=True)
    if _from_above(viewer, view):
        query["at"] = place_for(request, Deed.SEE_TOTALS).slug
    may_see = _places(viewer).filter(slug=query.get("at", "")).exists()
    if kind is None or not may_see:
        context = {"one": _listed(viewer, view), "page_gone": kind is None}
        return render(request, "views/gone.html", context, status=404)
    return redirect(f"{reverse('explore:page', args=[kind.name])}?{query.urlencode()}")


@needs(Deed.SEE_TOTALS)
@require_POST
def change(request: HttpRequest, view_id: int) -> HttpResponseBase:
    """Renames a view and says with whom it is shared."""
    viewer = viewer_for(request)
    view = _view(viewer, view_id)
    try:
        name, roles = request.POST.get("name", ""), request.POST.getlist("roles")
        change_view(view=view, name=name, roles=roles, by=viewer, now=timezone.now())
    except NotAllowed:
        raise Http404("not yours to change") from None
    except (NoName, NotARole) as refusal:
        messages.error(request, _refusal(refusal))
    else:
        messages.success(request, _("View saved."))
    return redirect("views:home")


@needs(Deed.SEE_TOTALS)
@require_POST
def delete(request: HttpRequest, view_id: int) -> HttpResponseBase:
    """Deletes a view."""
    viewer = viewer_for(request)
    view = _view(viewer, view_id)
    try:
        drop_view(view=view, by=viewer)
    except NotAllowed:
        raise Http404("not yours to delete") from None
    messages.success(request, _("View “%(name)s” deleted.") % {"name": view.name})
    return redirect("views:home")


def role_choices(chosen: tuple[str, ...] = ()) -> list[tuple[str, str | Promise, bool]]:
    """(role, its name, whether it is chosen) of the roles a view can be shared with."""
    return [(role, Role(role).label, role in chosen) for role in ROLES_SEEING_TOTALS]


def _places(viewer: Viewer) -> OrganizationQuerySet:
    return Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS))


def _view(viewer: Viewer, view_id: int) -> SavedView:
    found: SavedView = get_object_or_404(
        SavedView.objects.visible_to(viewer).select_related("organization", "owner__person"), pk=view_id
    )
    return found


def _from_above(viewer: Viewer, view: SavedView) -> bool:
    """Whether the view is of a place the viewer does not see, above one the viewer does."""
    above = view.organization.path
    return not viewer.may(Deed.SEE_TOTALS, view.organization) and any(
        path.startswith(above) for path in viewer.paths(Deed.SEE_TOTALS)
    )


def _listed(viewer: Viewer, view: SavedView) -> Listed:
    own = _("your place") if _from_above(viewer, view) else ""
    kind = kind_named(view.page)
    owner = view.owner.person.name if view.owner.person else view.owner.get_username()
    return Listed(
        view=view,
        title=kind.title if kind else view.page,
        icon=kind.icon if kind else "chart-histogram",
        place=view.organization.name if viewer.may(Deed.SEE_TOTALS, view.organization) else own,
        owner=owner,
        own=view.owner_id == viewer.user_id,
        may_change=may_change(viewer, view),
        roles=[Role(role).label for role in view.shared_roles],
        choices=role_choices(view.shared_roles),
    )


def _refusal(refusal: Exception) -> str:
    if isinstance(refusal, NoName):
        return _("Give the view a name.")
    if isinstance(refusal, TooLong):
        return _("This page has too many conditions to be saved.")
    return _("A view can be shared only with roles that see totals.")
