"""The record as rows of the activity log: who (as a code), where at that time, and what."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection as database
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from uptake.activity.columns import NOBODY
from uptake.activity.incoming import Incoming
from uptake.activity.periods import day_of
from uptake.directory.models import Kind, Membership, Organization, Person, PersonKind
from uptake.directory.place import Span, memberships_of, span_on
from uptake.directory.viewer import ids_of
from uptake.events.models import Event, EventQuerySet, EventType
from uptake.events.read import Position

FIELDS = (
    "pk", "identity_id", "identity__person_id", "at_text", "day_text", "place_id", "name", "source", "object",
    "facts_text",
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
    known: dict[tuple[int, int, int], int] = field(default_factory=dict)
    kinds: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.kinds = set(Organization.objects.filter(kind=Kind.DEPARTMENT).values_list("pk", flat=True))

    def learn(self, people: Iterable[int]) -> None:
        """Reads the memberships of people not read yet."""
        new = [one for one in set(people) if one not in self.spans]
        found = memberships_of(new)
        self.spans |= {one: found.get(one, []) for one in new}

    def of(self, person: int, company: int, day: int) -> int:
        """The department (0: none) of a person in a company on a business date (days since 1970)."""
        key = (person, company, day)
        department = self.known.get(key)
        if department is None:
            here = [span for span in self.spans.get(person, []) if span.company_id == company]
            span = span_on(here, day_of(day))
            places = ids_of(span.path) if span is not None else ()
            department = next((place for place in reversed(places) if place in self.kinds), 0)
            self.known[key] = department
        return department


def rows_of(events: EventQuerySet, departments: Departments) -> Incoming:
    """The events as rows for the log; `events` are standing ones."""
    # instants, dates and facts are taken as text: read a column at a time they cost a third of what they cost singly
    rows = (
        events.placed()
        .annotate(
            at_text=Cast("happened_at", TextField()),
            day_text=Cast("business_date", TextField()),
            facts_text=Cast("facts", TextField()),
        )
        .values_list(*FIELDS)
    )
    found = _plain_rows(rows)
    if not found:
        return Incoming()
    ids, identities, people, instants, dates, places, names, sources, objects, facts = map(
        list, zip(*found, strict=True)
    )
    departments.learn(person for person in set(people) if person is not None)
    companies = [place or 0 for place in places]
    # UTC on both databases; PostgreSQL says so behind the time
    happened_at = np.array([text.removesuffix("+00") for text in instants], dtype="datetime64[us]").astype(np.int64)
    days = np.array(dates, dtype="datetime64[D]").astype(np.int64).tolist()
    return Incoming(
        event_id=ids,
        person=[code_of(identity, person) for identity, person in zip(identities, people, strict=True)],
        happened_at=happened_at.tolist(),
        business_day=days,
        company=companies,
        department=[
            departments.of(person, company, day) if person and company else 0
            for person, company, day in zip(people, companies, days, strict=True)
        ],
        event=names,
        source=sources,
        object=objects,
        properties=[orjson.loads(text) if text != "{}" else {} for text in facts],
    )


def _plain_rows(rows: QuerySet[Event, tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """The rows as the database gives them, numbers and texts; Django would look at every value of them again."""
    try:
        statement, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        found: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return found


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
