"""What happened, person by person, ready to be judged again: reads in bulk, some thousand events at a time."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.db.models import Count, QuerySet

from uptake.directory.models import Identity, Kind, Membership, Organization, PersonKind
from uptake.directory.place import memberships_of, span_on
from uptake.directory.viewer import ids_of
from uptake.events.models import Event
from uptake.programme.backtest.report import Who
from uptake.programme.gather import Bucket, Gathered, gather, many, standings_of
from uptake.programme.models import RulebookVersion
from uptake.programme.standing import UNKNOWN, JudgedEvent

AT_ONCE = 20_000
"""Events held in memory at a time, those of one person aside."""
GATHERED = 5_000
IDS = 5_000


@dataclass(frozen=True, slots=True)
class Did:
    """What one person did at one company."""

    person: int
    company: int
    events: Sequence[JudgedEvent]


@dataclass(frozen=True)
class Scope:
    """Whose events are replayed: companies, dates [known, until) and the names that matter."""

    companies: Sequence[int]
    known: date | None
    """From which date on events must be known; None: all."""
    until: date
    names: frozenset[str]
    undoing: frozenset[str] = field(default=frozenset())
    """Names of events that undo others, whoever did them."""


def companies_of(place: Organization, today: date) -> list[int]:
    """The company itself; of a park, those of its companies that have no rulebook of their own."""
    if place.kind == Kind.COMPANY:
        return [place.pk]
    below = Organization.objects.filter(path__startswith=place.path, kind=Kind.COMPANY)
    own = RulebookVersion.objects.filter(in_force_date__lte=today).values("organization_id")
    return list(below.exclude(pk__in=own).order_by("pk").values_list("pk", flat=True))


def people_of(scope: Scope) -> dict[int, int]:
    """How many events of the scope each person has."""
    rows = (
        _events(scope.companies, scope.known, scope.until, scope.names)
        .filter(identity__person__kind=PersonKind.HUMAN)
        .values_list("identity__person_id")
        .annotate(Count("pk"))
        .order_by()
    )
    return {person: found for person, found in rows if person is not None}


def drawn(people: Mapping[int, int], most: int, most_events: int | None, seed: int) -> set[int]:
    """At most so many of them (by how many events each has), and no more than did so many events; at least one."""
    shuffled = sorted(people)
    random.Random(seed).shuffle(shuffled)
    found: set[int] = set()
    events = 0
    for person in shuffled[:most]:
        events += people[person]
        if found and most_events is not None and events > most_events:
            break
        found.add(person)
    return found


def belonging(companies: Collection[int], day: date, people: Collection[int] = ()) -> dict[int, Who]:
    """Everybody who belongs to these companies on the date, and these people wherever they belong."""
    inside = Membership.objects.filter(
        organization__company_id__in=many(companies), from_date__lte=day, person__kind=PersonKind.HUMAN
    ).exclude(until_date__lte=day)
    wanted = {*inside.values_list("person_id", flat=True), *people}
    spans = memberships_of(wanted)
    places = {key for found in spans.values() for span in found for key in ids_of(span.path)}
    departments = set(
        Organization.objects.filter(pk__in=many(places), kind=Kind.DEPARTMENT).values_list("pk", flat=True)
    )
    found: dict[int, Who] = {}
    for person in wanted:
        span = span_on([one for one in spans.get(person, ()) if one.company_id in companies], day)
        if span is None:
            found[person] = Who(0, 0, "")
            continue
        inner = [key for key in ids_of(span.path) if key in departments]
        found[person] = Who(span.company_id or 0, inner[-1] if inner else 0, span.role)
    return found


def names_of_departments(ids: Iterable[int]) -> dict[int, str]:
    return dict(Organization.objects.filter(pk__in=many(set(ids))).values_list("pk", "name"))


def portions_of(people: Mapping[int, int]) -> Iterator[list[int]]:
    """The people in their order, cut into portions of bounded size by how many events each has."""
    some: list[int] = []
    size = 0
    for person in sorted(people):
        if some and (size + people[person] > AT_ONCE or len(some) >= IDS):
            yield some
            some, size = [], 0
        some.append(person)
        size += people[person]
    if some:
        yield some


def deeds(scope: Scope, people: Sequence[int], *, asks_person: bool, with_object: bool) -> list[Did]:
    """What these people did, by person; always in the same order, so that what is equal ends up the same everywhere."""
    identities = Identity.objects.filter(person_id__in=many(people)).values("pk")
    rows = _events(scope.companies, scope.known, scope.until, scope.names).filter(identity_id__in=identities)
    if scope.known is not None:
        begin = datetime(scope.known.year, scope.known.month, scope.known.day, tzinfo=UTC) - timedelta(days=1)
        rows = rows.filter(happened_at__gte=begin)
    ids = list(rows.order_by("identity_id", "happened_at", "pk").values_list("pk", flat=True))
    here = set(scope.companies)
    found: dict[tuple[int, int], list[Gathered]] = defaultdict(list)
    for start in range(0, len(ids), GATHERED):
        for _, one in sorted(gather(ids[start : start + GATHERED]).items()):
            bucket = one.bucket
            if bucket is not None and not one.withheld and bucket.company in here:
                found[bucket.person, bucket.company].append(one)
    dates = {Bucket(*lane, one.date) for lane, events in found.items() for one in events} if asks_person else ()
    standings = standings_of(dates) if dates else {}
    told = []
    for lane, gathered in found.items():
        events = []
        for one in gathered:
            event = one.judged(late=one.accepted_late, standing=standings.get(Bucket(*lane, one.date), UNKNOWN))
            event.joined_at = one.joined_at
            if with_object:
                event.object = one.object
            events.append(event)
        told.append(Did(*lane, events))
    return told


def undoing_events(scope: Scope) -> list[JudgedEvent]:
    """All events of the scope's companies that undo others, whoever did them."""
    if not scope.undoing:
        return []
    ids = list(
        _events(scope.companies, scope.known, scope.until, scope.undoing).order_by("pk").values_list("pk", flat=True)
    )
    found = []
    for start in range(0, len(ids), GATHERED):
        for one in gather(ids[start : start + GATHERED]).values():
            if not one.withheld and not one.own:
                event = one.judged(late=False)
                event.object, event.joined_at = one.object, one.joined_at
                found.append(event)
    return found


def _events(companies: Collection[int], known: date | None, until: date, names: Collection[str]) -> QuerySet[Event]:
    rows = Event.objects.filter(company_id__in=list(companies), name__in=sorted(names), business_date__lt=until)
    return rows if known is None else rows.filter(business_date__gte=known)
