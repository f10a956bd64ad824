"""The catalogue's words in the reader's language: what events and their facts are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from uptake.events.models import EventType
from uptake.programme.sentences import Labels

WELL_KNOWN: Final = {
    "session.started": gettext_noop("Session begun"),
    "exam.passed": gettext_noop("Exam passed"),
}
"""Events that templates of rulebooks name: what they are called where the catalogue has no words for them yet."""


def labels_of(names: Iterable[str]) -> Labels:
    """Words for these events and for the facts they declare; with one query."""
    asked = set(names)
    chinese = (get_language() or "").startswith("zh")
    events, facts = {name: _(WELL_KNOWN[name]) for name in asked & WELL_KNOWN.keys()}, {}
    rows = EventType.objects.filter(name__in=asked).values_list("name", "label_en", "label_zh", "properties")
    for name, english, native, properties in rows:
        events[name] = (native if chinese else english) or english or native or events.get(name, "")
        for fact, told in (properties or {}).items():
            if isinstance(told, dict):
                said = told.get("label_zh" if chinese else "label_en") or told.get("label_en") or told.get("label_zh")
                if said:
                    facts[fact] = str(said)
    return Labels(events, facts)
