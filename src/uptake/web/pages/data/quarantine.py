"""What waits for a decision: events in quarantine, and keys that came again with other content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from uptake.directory.scope import Deed, NotAllowed
from uptake.events.decide import NotQuarantined, accept, decline
from uptake.events.models import Conflict, Event, Quarantine, QuarantineReason
from uptake.events.see_conflicts import see_conflicts
from uptake.web.pages.data.figures import waiting
from uptake.web.viewing import needs, place_asked, viewer_for

AT_ONCE = 200
FIELDS: Mapping[str, Promise] = {
    "event": gettext_lazy("Event"),
    "person": gettext_lazy("Person"),
    "at": gettext_lazy("Happened"),
    "object": gettext_lazy("About"),
    "facts": gettext_lazy("Facts"),
    "company": gettext_lazy("Company"),
    "history_only": gettext_lazy("history only"),
}
"""What the fields of an event are called on the pages."""


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """Events that wait, oldest first, with what was sent (`?reason=`, `?source=`)."""
    viewer = viewer_for(request)
    waits = Quarantine.objects.visible_to(viewer).waiting()
    reason, source = request.GET.get("reason", ""), request.GET.get("source", "")
    if reason in QuarantineReason.values:
        waits = waits.filter(reason=reason)
    if source:
        waits = waits.filter(event__source=source)
    place = place_asked(request, Deed.MANAGE_DATA)
    if place:
        waits = waits.filter(event__company__path__startswith=place.path)
    rows = waits.select_related("event__identity__person", "event__company").order_by("pk")
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    for row in page:
        row.sent = content_of(row.event)  # type: ignore[attr-defined]
    context = {
        "page": page,
        "reasons": QuarantineReason.choices,
        "filtered": bool(reason or source or place),
        "place": place,
        "waiting": waiting(viewer),
        "tab": "quarantine",
    }
    return render(request, "data/quarantine.html", context)


@needs(Deed.MANAGE_DATA)
@require_POST
def decide(request: HttpRequest) -> HttpResponseBase:
    """Accepts or declines the events chosen, with a note for the audit log."""
    viewer = viewer_for(request)
    door = {"accept": accept, "decline": decline}.get(request.POST.get("do", ""))
    keys = [int(key) for key in request.POST.getlist("event") if key.isdecimal()][:AT_ONCE]
    allowed = Quarantine.objects.visible_to(viewer).filter(pk__in=keys).values("pk")
    why = " ".join(request.POST.get("why", "").split())[:500]
    done = refused = 0
    for event in Event.objects.filter(pk__in=allowed).order_by("pk") if door else ():
        assert door is not None, "the loop is empty without a door"
        try:
            door(event=event, by=viewer, now=timezone.now(), why=why)
            done += 1
        except (NotQuarantined, NotAllowed):
            refused += 1
    if done:
        messages.success(request, ngettext("%(n)s event decided.", "%(n)s events decided.", done) % {"n": done})
    if refused:
        messages.error(
            request, _("%(n)s could not be decided: somebody was faster.") % {"n": refused}, extra_tags="bad"
        )
    if not keys:
        messages.error(request, _("Choose at least one event."), extra_tags="bad")
    kept = {name: request.POST[name] for name in ("at", "reason", "source") if request.POST.get(name)}
    response = redirect("data:quarantine")
    if kept:
        response["Location"] += f"?{urlencode(kept)}"
    return response


@needs(Deed.MANAGE_DATA)
def conflicts(request: HttpRequest) -> HttpResponseBase:
    """Keys that came again with other content: what stands and what came, side by side."""
    viewer = viewer_for(request)
    rows = (
        Conflict.objects.visible_to(viewer)
        .select_related("event__identity", "event__company")
        .order_by(F("seen_at").asc(nulls_first=True), "-pk")
    )
    page = Paginator(rows, 20).get_page(request.GET.get("page"))
    for row in page:
        stands, came = content_of(row.event), row.content
        if came.get("company") is None:
            stands["company"] = None  # not sent, so it cannot differ
        names = list(dict.fromkeys([*stands, *came]))
        row.lines = [  # type: ignore[attr-defined]
            (
                FIELDS.get(name, ""),
                name,
                _text(stands.get(name)),
                _text(came.get(name)),
                _text(stands.get(name)) != _text(came.get(name)),
            )
            for name in names
        ]
    return render(request, "data/conflicts.html", {"page": page, "waiting": waiting(viewer), "tab": "conflicts"})


@needs(Deed.MANAGE_DATA)
@require_POST
def seen(request: HttpRequest) -> HttpResponseBase:
    """Marks the conflicts of a page as seen."""
    keys = [int(key) for key in request.POST.getlist("conflict") if key.isdecimal()][:AT_ONCE]
    see_conflicts(conflicts=keys, by=viewer_for(request), now=timezone.now())
    return redirect("data:conflicts")


def content_of(event: Event) -> dict[str, Any]:
    """What was sent, in the words of the API, read back from the record."""
    return {
        "event": event.name,
        "person": event.identity.external_id if event.identity else None,
        "at": event.happened_at.isoformat(timespec="microseconds"),
        "object": event.object,
        "facts": event.facts,
        "company": event.company.slug if event.company else None,
        "history_only": event.history_only,
    }


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str, indent=1)
    return str(value)
