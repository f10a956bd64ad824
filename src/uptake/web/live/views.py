"""`/live`, the stream of one page, and `/live/since`, the same by asking, for where streams do not pass."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_out
from django.db import connection
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.notify.follow import Bookmark, last_bookmark
from uptake.notify.models import Way
from uptake.notify.own_words import own_of
from uptake.notify.topics import topic_of
from uptake.notify.wishes import wanted_by
from uptake.web.live.hub import Hub, Listener, Told
from uptake.web.live.record import DatabaseRecord, missed_by
from uptake.web.live.stream import Words, stream
from uptake.web.live.words import said
from uptake.web.viewing import viewer_for

HUB = Hub(DatabaseRecord)


@require_GET
def live(request: HttpRequest) -> HttpResponseBase:
    """The stream. Resumes after `Last-Event-ID` (or `after`); counts new events of the place `at`, if asked."""
    if not request.user.is_authenticated:
        return HttpResponse(status=204)  # tells an EventSource not to come back
    viewer = viewer_for(request)
    after = _after(request)
    listener = Listener(viewer.person_id, request.session.session_key or "", _companies(request, viewer))
    missed = partial(missed_by, viewer.person_id, after) if viewer.person_id and after else None
    language = get_language() or settings.LANGUAGE_CODE
    body = stream(HUB, listener, missed=missed, head=after or last_bookmark(), words=_words(viewer, language))
    response = StreamingHttpResponse(body, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    if not connection.in_atomic_block:
        connection.close()  # a stream lives for hours and asks nothing more: others shall have the connection
    return response


@require_GET
def since(request: HttpRequest) -> HttpResponseBase:
    """What came after `after`, as one answer: {"messages": [{"kind", "data", "id"}]}."""
    if not request.user.is_authenticated:
        return JsonResponse({"messages": []}, status=401)
    viewer = viewer_for(request)
    after = _after(request)
    messages: list[Mapping[str, Any]] = []
    if viewer.person_id is not None and after is not None:
        language = get_language() or settings.LANGUAGE_CODE
        words = _words(viewer, language)
        for told in missed_by(viewer.person_id, after):
            kind, data = words(told)
            messages.append({"kind": kind, "data": data, "id": str(told.mark)})
    if after is None:
        messages.append({"kind": "hello", "data": {}, "id": str(last_bookmark())})
    response = JsonResponse({"messages": messages})
    response["Cache-Control"] = "no-store"
    return response


def _words(viewer: Viewer, language: str) -> Words:
    """How messages are said to this viewer: of topics not wanted on the page, only that there was something."""
    wanted = wanted_by(viewer.person_id, Way.PAGE)
    own = own_of(viewer.person_id, viewer.today)

    def words(told: Told) -> tuple[str, Mapping[str, object]]:
        return said(told, language, own) if topic_of(told.kind) in wanted else ("message", {"kind": told.kind})

    return words


def _after(request: HttpRequest) -> Bookmark | None:
    """Where the page stopped hearing; None if it does not say or says nonsense."""
    text = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    try:
        return Bookmark.parse(text)
    except ValueError:
        return None


def _companies(request: HttpRequest, viewer: Viewer) -> frozenset[int]:
    """Companies whose new events the page counts: those under `at` whose events the viewer may see."""
    if "at" not in request.GET:
        return frozenset()
    seen = Organization.objects.filter(
        viewer.within("path", Deed.SEE_EVENTS), kind__in=[Kind.PARK, Kind.COMPANY], closed_at=None
    )
    place = seen.filter(slug=request.GET["at"]).first()
    if request.GET["at"] and place is None:
        return frozenset()
    return frozenset((seen.below(place) if place else seen).values_list("pk", flat=True))


@receiver(user_logged_out, dispatch_uid="live_ends_with_the_session")
def _signed_out(request: HttpRequest | None = None, **_: Any) -> None:
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key:
        HUB.end_session(key)
