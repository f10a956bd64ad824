"""Describes a name of events in the catalogue: labels, category, declared properties, what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.happening import MAX_NAME
from uptake.events.models import EventType

PROPERTY_TYPES = ("text", "number", "boolean", "date")
_FIELDS = ("label_en", "label_zh", "category", "properties", "counts_as_active", "object_type")


class NotAProperty(ValueError):
    """A declared property has no name, no known type, or a label that is not text; its name is the argument."""


class NotAName(ValueError):
    """The name is empty or longer than 200 characters."""


@transaction.atomic
def describe(
    *,
    name: str,
    by: Viewer | str,
    now: datetime,
    label_en: str | None = None,
    label_zh: str | None = None,
    category: str | None = None,
    properties: Mapping[str, Mapping[str, str]] | None = None,
    counts_as_active: bool | None = None,
    object_type: str | None = None,
) -> EventType:
    """Sets what is given (None leaves it as it is), makes the name if it is new, and counts it as declared.

    `properties` is {name: {"type": text, number, boolean or date, "label_en", "label_zh"}} and replaces those before.
    Raises NotAllowed, NotAName, NotAProperty. `by` may be a name where our own modules describe their events.
    """
    if isinstance(by, Viewer) and not by.may(Deed.MANAGE_DATA):
        raise NotAllowed
    if not name or len(name) > MAX_NAME or "\0" in name:
        raise NotAName(name)
    given: dict[str, Any] = {
        "label_en": label_en,
        "label_zh": label_zh,
        "category": category,
        "properties": None if properties is None else _properties(properties),
        "counts_as_active": counts_as_active,
        "object_type": object_type,
    }
    EventType.objects.get_or_create(name=name, defaults={"created_at": now})
    kind = EventType.objects.select_for_update().get(name=name)
    changed = {field: given[field] for field in _FIELDS if given[field] not in (None, getattr(kind, field))}
    if not changed and kind.declared:
        return kind
    for field, value in changed.items():
        setattr(kind, field, value)
    kind.declared = True
    kind.save()
    note(deed="event_type.described", actor=by, organization=None, subject=name, details=changed, now=now)
    return kind


def _properties(properties: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    declared = {}
    for name, about in properties.items():
        labels = {key: about[key] for key in ("label_en", "label_zh") if about.get(key)}
        if not name or about.get("type") not in PROPERTY_TYPES or not all(isinstance(x, str) for x in labels.values()):
            raise NotAProperty(name)
        declared[name] = {"type": about["type"], **labels}
    return declared
