"""What a list of events is narrowed to, from the address of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_date

from uptake.directory.models import Identity, Organization, Person
from uptake.directory.scope import Viewer
from uptake.events.models import Event

MOST_IDENTITIES = 500


@dataclass(frozen=True)
class EventFilter:
    """Each part is empty where it does not narrow. Dates are business dates, both included."""

    name: str = ""
    person: str = ""
    """The id of a person, or part of a name or of an id at a source."""
    company: str = ""
    """Slug."""
    source: str = ""
    object: str = ""
    first: date | None = None
    last: date | None = None

    @staticmethod
    def of(asked: Mapping[str, Any]) -> EventFilter:
        """The filter an address asks for; what cannot be read is left out."""
        texts = {part: str(asked.get(part, "")).replace("\0", "").strip()[:255] for part in TEXTS}
        return EventFilter(**texts, first=_date(asked.get("from", "")), last=_date(asked.get("until", "")))

    @property
    def narrows(self) -> bool:
        return self != EventFilter()

    def query(self) -> str:
        """The address again."""
        parts = {part: getattr(self, part) for part in TEXTS}
        parts |= {
            "from": self.first.isoformat() if self.first else "",
            "until": self.last.isoformat() if self.last else "",
        }
        return urlencode({name: value for name, value in parts.items() if value})

    def apply(self, events: QuerySet[Event], viewer: Viewer) -> QuerySet[Event]:
        """The events that fit, of those given."""
        if self.name and self.person:
            # The events of one person are few: not to be looked for among all of this name, as SQLite would.
            events = events.alias(called=Coalesce("name", Value(""))).filter(called=self.name)
        elif self.name:
            events = events.filter(name=self.name)
        if self.source:
            events = events.filter(source=self.source)
        if self.object:
            events = events.filter(object=self.object)
        if self.first:
            events = events.filter(business_date__gte=self.first)
        if self.last:
            events = events.filter(business_date__lte=self.last)
        if self.company:
            company = (
                Organization.objects.visible_to(viewer).filter(slug=self.company).values_list("pk", flat=True).first()
            )
            events = events.filter(company=company) if company else events.none()
        if self.person:
            events = events.filter(identity__in=self._identities(viewer))
        return events

    def _identities(self, viewer: Viewer) -> list[int]:
        """Identities, visible to the viewer, of the person looked for. Few, so that their events are found by index."""
        if self.person.isdecimal() and Person.objects.visible_to(viewer).filter(pk=int(self.person[:18])).exists():
            found = Q(person=int(self.person[:18]))
        else:
            found = Q(person__name__icontains=self.person) | Q(external_id__icontains=self.person)
            found |= Q(name__icontains=self.person) | Q(person__email__iexact=self.person)
        identities = Identity.objects.visible_to(viewer).filter(found).order_by("pk")
        return list(identities.values_list("pk", flat=True)[:MOST_IDENTITIES])


TEXTS = ("name", "person", "company", "source", "object")


def _date(text: Any) -> date | None:
    try:
        return parse_date(str(text))
    except ValueError:
        return None
