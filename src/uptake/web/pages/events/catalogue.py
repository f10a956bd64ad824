"""The catalogue: what the names of events mean, in both languages, and which of them count as activity."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from uptake.directory.scope import Deed
from uptake.events.describe import PROPERTY_TYPES, NotAProperty, describe
from uptake.events.models import Event, EventType
from uptake.web.pages.data.figures import waiting
from uptake.web.viewing import needs, viewer_for

FACTS_SEEN_IN = 200
EMPTY_LINES = 2


@needs(Deed.MANAGE_DATA)
def home(request: HttpRequest) -> HttpResponseBase:
    """All names seen or described (`?q=`, `?state=new`); `?name=` opens one to be described."""
    viewer = viewer_for(request)
    kinds = EventType.objects.all()
    words, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    if words:
        kinds = kinds.filter(
            Q(name__icontains=words)
            | Q(label_en__icontains=words)
            | Q(label_zh__icontains=words)
            | Q(category__icontains=words)
        )
    if state == "new":
        kinds = kinds.filter(declared=False)
    page = Paginator(kinds.order_by("category", "name"), 50).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "page": page,
        "undescribed": EventType.objects.filter(declared=False).count(),
        "filtered": bool(words or state),
        "waiting": waiting(viewer),
        "tab": "catalogue",
    }
    name = request.GET.get("name", "")
    if name:
        context |= _opened(request, name)
    return render(request, "events/catalogue.html", context)


@needs(Deed.MANAGE_DATA)
@require_POST
def describe_type(request: HttpRequest) -> HttpResponseBase:
    """Keeps what was said about a name."""
    said = request.POST
    kind = get_object_or_404(EventType, name=said.get("name", ""))
    properties = {}
    for fact, type_, english, chinese in zip(
        said.getlist("fact"), said.getlist("type"), said.getlist("fact_en"), said.getlist("fact_zh"), strict=False
    ):
        if fact.strip() and type_:
            properties[fact.strip()] = {"type": type_, "label_en": english.strip(), "label_zh": chinese.strip()}
    try:
        describe(
            name=kind.name,
            by=viewer_for(request),
            now=timezone.now(),
            label_en=said.get("label_en", "").strip()[:200],
            label_zh=said.get("label_zh", "").strip()[:200],
            category=said.get("category", "").strip()[:64],
            object_type=said.get("object_type", "").strip()[:64],
            counts_as_active=said.get("counts_as_active") == "yes",
            properties=properties,
        )
    except NotAProperty as refusal:
        messages.error(request, _("The fact “%(name)s” needs a kind.") % {"name": refusal}, extra_tags="bad")
    else:
        messages.success(request, _("Description of %(name)s kept.") % {"name": kind.name})
    return redirect(f"{reverse('events:catalogue')}?{urlencode({'name': kind.name})}")


def _opened(request: HttpRequest, name: str) -> dict[str, Any]:
    kind = get_object_or_404(EventType, name=name)
    latest = Event.objects.visible_to(viewer_for(request)).filter(name=name).order_by("-pk")
    seen: dict[str, Any] = {}
    for facts in latest.values_list("facts", flat=True)[:FACTS_SEEN_IN]:
        for fact, value in facts.items():
            seen.setdefault(fact, value)
    lines = [
        {"name": fact, "seen": seen.get(fact), **kind.properties.get(fact, {"type": ""})}
        for fact in [*kind.properties, *(fact for fact in sorted(seen) if fact not in kind.properties)]
    ]
    lines += [{"name": "", "type": ""}] * EMPTY_LINES
    words = {"text": _("Text"), "number": _("Number"), "boolean": _("Yes or no"), "date": _("Date")}
    categories = (
        EventType.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
    )
    return {
        "kind": kind,
        "lines": lines,
        "types": [(type_, words[type_]) for type_ in PROPERTY_TYPES],
        "categories": list(categories[:200]),
    }
