"""The record as rows of the activity log: who (as a code), where at that time, and what."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from uptake.activity.columns import NOBODY
from uptake.activity.incoming import Incoming
from uptake.activity.periods import day_number, microseconds
from uptake.directory.models import Kind, Membership, Organization, Person, PersonKind
from uptake.directory.place import Span, memberships_of, span_on
from uptake.directory.viewer import ids_of
from uptake.events.models import Event, EventQuerySet, EventType
from uptake.events.read import Position

FIELDS = (
    "pk", "identity_id", "identity__person_id", "happened_at", "business_date", "place_id", "name", "source",
    "object", "facts_text",
)  # fmt: skip
IDS_PER_QUERY = 900
KINDS = {"text": "text", "date": "text", "number": "number", "boolean": "boolean"}
"""Types of the catalogue → kinds of columns. Dates stay ISO texts, which are in order."""


def code_of(identity: int | None, person: int | None) -> int:
    """Who did it: a person's number, an unresolved identity's as a negative one, or nobody."""
    if person is not None:
        return person
    return NOBODY if identity is None else -identity


@dataclass
class Departments:
    """Which department somebody belonged to in a company on a date."""

    spans: dict[int, list[Span]] = field(default_factory=dict)
    known: dict[tuple[int, int, date], int] = field(default_factory=dict)
    kinds: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.kinds = set(Organization.objects.filter(kind=Kind.DEPARTMENT).values_list("pk", flat=True))

    def learn(self, people: Iterable[int]) -> None:
        """Reads the memberships of people not read yet."""
        new = [one for one in set(people) if one not in self.spans]
        found = memberships_of(new)
        self.spans |= {one: found.get(one, []) for one in new}

    def of(self, person: int, company: int, day: date) -> int:
        """The department (0: none) of a person in a company on a business date."""
        key = (person, company, day)
        department = self.known.get(key)
        if department is None:
            here = [span for span in self.spans.get(person, []) if span.company_id == company]
            span = span_on(here, day)
            places = ids_of(span.path) if span is not None else ()
            department = next((place for place in reversed(places) if place in self.kinds), 0)
            self.known[key] = department
        return department


def rows_of(events: EventQuerySet, departments: Departments) -> Incoming:
    """The events as rows for the log; `events` are standing ones."""
    found: Sequence[tuple[Any, ...]] = list(
        events.placed().annotate(facts_text=Cast("facts", TextField())).values_list(*FIELDS)
    )
    departments.learn(row[2] for row in found if row[2] is not None)
    incoming = Incoming()
    for pk, identity, person, happened_at, business_date, place, name, source, about, facts in found:
        incoming.event_id.append(pk)
        incoming.person.append(code_of(identity, person))
        incoming.happened_at.append(microseconds(happened_at))
        incoming.business_day.append(day_number(business_date))
        incoming.company.append(place or 0)
        incoming.department.append(departments.of(person, place, business_date) if person and place else 0)
        incoming.event.append(name)
        incoming.source.append(source)
        incoming.object.append(about)
        incoming.properties.append(orjson.loads(facts) if facts and facts != "{}" else {})
    return incoming


def standing_of(codes: Iterable[int]) -> Iterator[EventQuerySet]:
    """The standing events of these people, unresolved identities and nobody (by their codes), in several queries."""
    wanted = set(codes)
    if NOBODY in wanted:
        yield Event.objects.filter(identity__isnull=True).standing()
    people = sorted(code for code in wanted if code > 0)
    for start in range(0, len(people), IDS_PER_QUERY):
        yield Event.objects.filter(identity__person_id__in=people[start : start + IDS_PER_QUERY]).standing()
    unresolved = sorted(-code for code in wanted if code < 0)
    for start in range(0, len(unresolved), IDS_PER_QUERY):
        some = unresolved[start : start + IDS_PER_QUERY]
        yield Event.objects.filter(identity_id__in=some, identity__person__isnull=True).standing()


def up_to(position: Position) -> Q:
    """The condition that an event lies not after a position in the order of reading."""
    if position.txid == 0:  # SQLite: one writer at a time, ids are the order
        return Q(pk__lte=position.id)
    return Q(txid__lt=position.txid) | Q(txid=position.txid, pk__lte=position.id)


def declared_properties() -> dict[str, str]:
    """Properties of the catalogue that have one type throughout: name → kind of column."""
    kinds: dict[str, set[str]] = {}
    for properties in EventType.objects.exclude(properties={}).values_list("properties", flat=True):
        for name, one in properties.items():
            kinds.setdefault(name, set()).add(KINDS.get(str(one.get("type", "")), ""))
    return {name: next(iter(found)) for name, found in sorted(kinds.items()) if len(found) == 1 and "" not in found}


def bookkeeping() -> list[str]:
    """Names of events that do not count as activity."""
    return list(EventType.objects.filter(counts_as_active=False).values_list("name", flat=True))


def machines() -> list[int]:
    """People who are none."""
    return list(Person.objects.filter(kind=PersonKind.MACHINE).values_list("pk", flat=True))


def memberships_print() -> int:
    """A number that changes when anybody's memberships, or the tree of places, change."""
    state = 0
    rows = Membership.objects.order_by("pk").values_list(
        "pk", "person_id", "organization_id", "organization__path", "from_date", "until_date"
    )
    for row in rows.iterator():
        state = zlib.crc32(repr(row).encode(), state)
    return state
