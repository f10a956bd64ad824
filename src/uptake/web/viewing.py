"""Who looks at a page: the viewer of a request, and the refusals of pages that need a deed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from uptake.directory.models import Kind, Organization, User
from uptake.directory.scope import Deed, Viewer, viewer_of

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

__all__ = ["NotYours", "login_required", "needs", "place_for", "user_of", "viewer_for"]


class NotYours(PermissionDenied):
    """The viewer may not do what this page is for. The page says which deed is missing and who can help."""

    def __init__(self, deed: Deed) -> None:
        self.deed = deed
        super().__init__(deed.name)


def user_of(request: HttpRequest) -> User:
    """The login behind a request that is known to be signed in."""
    assert isinstance(request.user, User), "this page is for those who are signed in"
    return request.user


def viewer_for(request: HttpRequest) -> Viewer:
    """The viewer of this request, asked of the directory once per request."""
    known: Viewer | None = getattr(request, "uptake_viewer", None)
    if known is None:
        known = viewer_of(user_of(request), today=timezone.localdate())
        request.uptake_viewer = known  # type: ignore[attr-defined]
    return known


def needs(*deeds: Deed) -> Callable[[View[P]], View[P]]:
    """A page for those who are signed in and may do one of `deeds` somewhere; others get the friendly 403."""

    def around(view: View[P]) -> View[P]:
        @wraps(view)
        def inside(request: HttpRequest, /, *args: Any, **kwargs: Any) -> HttpResponseBase:
            viewer = viewer_for(request)
            if not any(viewer.may(deed) for deed in deeds):
                raise NotYours(deeds[0])
            return view(request, *args, **kwargs)

        return login_required(inside)

    return around


def place_asked(request: HttpRequest, *deeds: Deed) -> Organization | None:
    """The company or department to which `?at=` narrows a list; None without one, or at a park, which holds all.

    Http404 for a place where the viewer may do none of the deeds.
    """
    slug = request.GET.get("at", "")
    if not slug:
        return None
    place = Organization.objects.filter(viewer_for(request).within("path", *deeds), slug=slug).first()
    if place is None:
        raise Http404("no such place")
    return None if place.kind == Kind.PARK else place


def place_for(request: HttpRequest, deed: Deed) -> Organization:
    """The place a page is about: `?at=<slug>` if the viewer may do the deed there, else the highest place of the deed.

    Http404 for a place the viewer must not know of; NotYours for one who may do the deed nowhere.
    """
    viewer = viewer_for(request)
    allowed = Organization.objects.filter(viewer.within("path", deed))
    slug = request.GET.get("at", "")
    if slug:
        place = allowed.filter(slug=slug).first()
        if place is None:
            raise Http404("no such place")
        return place
    tops = allowed.filter(Q(path__in=viewer.paths(deed)) | Q(parent=None))
    place = min(tops, key=lambda found: (found.path.count("/"), found.pk), default=None)
    if place is None:
        raise NotYours(deed)
    return place
