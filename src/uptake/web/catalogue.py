"""The catalogue's words in the reader's language: what events and their facts are called."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import get_language

from uptake.events.models import EventType
from uptake.programme.sentences import Labels


def labels_of(names: Iterable[str]) -> Labels:
    """Words for these events and for the facts they declare; with one query."""
    chinese = (get_language() or "").startswith("zh")
    events, facts = {}, {}
    rows = EventType.objects.filter(name__in=set(names)).values_list("name", "label_en", "label_zh", "properties")
    for name, english, native, properties in rows:
        events[name] = (native if chinese else english) or english or native
        for fact, told in (properties or {}).items():
            if isinstance(told, dict):
                said = told.get("label_zh" if chinese else "label_en") or told.get("label_en") or told.get("label_zh")
                if said:
                    facts[fact] = str(said)
    return Labels(events, facts)
