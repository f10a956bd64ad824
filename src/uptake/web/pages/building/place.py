"""Which draft a page is about, and what the catalogue knows of the events it may name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import get_language

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import EventType
from uptake.programme.drafting.models import Draft
from uptake.programme.rulebook_reading import load_text
from uptake.web.catalogue import labels_of
from uptake.web.pages.building.fields import Known, Plain
from uptake.web.viewing import viewer_for


def draft_for(request: HttpRequest, draft_id: int) -> Draft:
    """The draft, if the viewer manages the rules of its place; else Http404."""
    found = (
        Draft.objects.visible_to(viewer_for(request))
        .select_related("organization", "base", "author__person", "published")
        .filter(pk=draft_id)
        .first()
    )
    if found is None:
        raise Http404("no such draft")
    return found


def places_for(viewer: Viewer) -> QuerySet[Organization]:
    """The companies and parks whose rules the viewer manages."""
    return Organization.objects.filter(
        viewer.within("path", Deed.MANAGE_RULES), kind__in=(Kind.PARK, Kind.COMPANY), closed_at=None
    ).order_by("-kind", "name")


def plain_of(draft: Draft) -> Plain:
    """The file as a plain object with exact numbers."""
    plain: Plain = load_text(draft.file)
    return plain


def known_of(plain: Plain, on: Iterable[str] = ()) -> Known:
    """The catalogue's events, and the facts of those in `on`; the levels and rules of the file."""
    chosen = set(on)
    chinese = (get_language() or "").startswith("zh")
    labels = labels_of(chosen)
    events, facts = [], {}
    rows = EventType.objects.order_by("category", "name").values_list("name", "label_en", "label_zh", "properties")
    for name, english, native, properties in rows:
        label = (native if chinese else english) or english or native
        events.append((name, f"{label} ({name})" if label else name))
        if name in chosen:
            for fact, told in (properties or {}).items():
                sort = str(told.get("type", "")) if isinstance(told, dict) else ""
                facts[fact] = (labels.fact(fact), sort)
    levels = [str(one.get("name")) for one in plain.get("levels", ()) if isinstance(one, dict)]
    return Known(events, facts, levels, rules_of(plain))


def rules_of(plain: Plain) -> list[tuple[str, str]]:
    """(lineage, title) of the file, each once."""
    found: dict[str, str] = {}
    for one in plain.get("rules", ()):
        found[str(one["rule"])] = str(one.get("title") or one["rule"])
    return list(found.items())


def without(plain: Plain, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if key not in keys}
