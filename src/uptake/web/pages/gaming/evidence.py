"""What the events behind a finding say: amounts as they came, and recognition in its own words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from uptake.directory.scope import Viewer
from uptake.events.models import Event
from uptake.programme.community.models import Recognition
from uptake.web import numbers

RECEIVED, LOT = "recognition.received", "recognition/"
MOST = 4
LONGEST = 80


def said_by(events: Iterable[Event], viewer: Viewer) -> dict[int, str]:
    """By the event's number, as far as the viewer may read it: who recognised and why, else its numbers and texts."""
    told = {one.pk: one for one in events}
    lots = {
        int(number): one.pk
        for one in told.values()
        if one.name == RECEIVED and (number := one.object.removeprefix(LOT)).isdigit()
    }
    rows = Recognition.objects.visible_to(viewer).filter(pk__in=lots).select_related("giver")
    thanks = {lots[one.pk]: _("%(who)s: “%(text)s”") % {"who": one.giver.name or "–", "text": one.text} for one in rows}
    return {key: thanks.get(key) or _numbers_of(one) for key, one in told.items()}


def _numbers_of(event: Event) -> str:
    said = []
    for name, value in event.facts.items():
        if isinstance(value, str) and value:
            said.append(f"{name}: {value[:LONGEST]}")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            said.append(f"{name}: {numbers.full(value, 0 if float(value).is_integer() else 2)}")
    return " · ".join(said[:MOST])
