"""What a company's people did in a window, read as columns: the deeds the detectors are given, and whose they are.

A cancellation is an event whose name ends like one; what names an object is made; what approves, or names none, is
other work. Facts are read only where a detector asks for them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import FloatField, Func, Q

from uptake.basics.business_day import Clock
from uptake.directory.models import Membership, Organization, PersonKind
from uptake.directory.place import settings_at
from uptake.events.connect import OWN
from uptake.events.models import Connection, Event
from uptake.statistics.distributions import Floats, Ints
from uptake.statistics.gaming.deeds import (
    DAY_SECONDS,
    Deeds,
    What,
    beside,
    in_order,
    often_hours,
    sorted_deeds,
    usual_hours,
)
from uptake.statistics.gaming.detectors import odd_enough

CANCELS = ("cancelled", "canceled", "deleted", "reversed", "voided", "undone")
LOGINS = ("login", "logged_in", "signed_in")
APPROVALS = ("approved", "rejected", "declined", "confirmed")
HABIT_DAYS = 56
"""So many days before the window tell in which hours somebody has always worked."""
NO_LIKE = -1
IDS_AT_ONCE = 900


class Instant(Func):
    """Seconds since 1970 of a moment, without making an object of each."""

    output_field = FloatField()

    def get_db_converters(self, connection: Any) -> Any:
        """None: both give a float."""
        return []

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "((julianday(%(expressions)s) - 2440587.5) * 86400.0)"
        return super().as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(EXTRACT(EPOCH FROM %(expressions)s)::float8)"
        return super().as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """people: ids by number; deeds: sorted by person and moment, and of each row the event's id, name and object."""

    company: Organization
    people: list[int]
    deeds: Deeds
    ids: Ints
    names: list[str]
    objects: list[str]


def told_of(companies: Sequence[Organization], first: date, last: date) -> dict[int, Told]:
    """By company: what standing events of [first, last] say of people, of all but the platform itself.

    A company without any is left out. What happens in the platform itself is checked where it happens, and searched
    for rings (`circles`).
    """
    rows = Event.objects.filter(company__in=companies, business_date__range=(first, last)).standing()
    rows = rows.filter(identity__person__kind=PersonKind.HUMAN).exclude(source__in=_own_sources()).order_by()
    found: dict[int, list[tuple[int, int, str, float, str]]] = defaultdict(list)
    columns = rows.values_list("company_id", "pk", "identity__person_id", "name", Instant("happened_at"), "object")
    for company, *row in columns.iterator(chunk_size=5000):
        if not row[2].startswith("$"):
            found[company].append(tuple(row))
    roles = _roles(companies, last)
    return {one.pk: _told(one, found[one.pk], roles, first) for one in companies if one.pk in found}


def _told(
    company: Organization,
    rows: list[tuple[int, int, str, float, str]],
    roles: Mapping[tuple[int, int], str],
    first: date,
) -> Told:
    ids, persons, names, instants, objects = (list(part) for part in zip(*rows, strict=True))
    people = sorted(set(persons))
    number = {person: at for at, person in enumerate(people)}
    kinds = {name: _what(name) for name in set(names)}
    what = [_of_object(kinds[name], about) for name, about in zip(names, objects, strict=True)]
    things: dict[str, int] = {}
    thing = [things.setdefault(about, len(things)) if about else -1 - at for at, about in enumerate(objects)]
    clock = settings_at(company)
    # To the millisecond: so exact both databases are.
    moments: Floats = np.array([round(at, 3) for at in instants], dtype=np.float64)
    deeds = Deeds(
        np.array([number[person] for person in persons], dtype=np.int64),
        _by_the_clock(moments, clock),
        np.array(what, dtype=np.int64),
        np.array(thing, dtype=np.int64),
        np.array(_likes(ids, persons, names, objects, what), dtype=np.int64),
        tuple(roles.get((company.pk, one), "") for one in people),
        np.ones((len(people), 24), dtype=np.bool_),
    )
    numbers: Ints = np.array(ids, dtype=np.int64)
    order = np.lexsort((numbers, deeds.at, deeds.person))
    # Sorted by us, and in the order it has: equal moments keep the order in which they came.
    ordered = sorted_deeds(in_order(deeds, order))
    return Told(
        company,
        people,
        replace(ordered, usual=_hours(company, ordered, people, first, clock)),
        numbers[order],
        [names[at] for at in order],
        [objects[at] for at in order],
    )


def facts_of(ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """The facts of events by their ids."""
    asked = sorted(ids)
    found: dict[int, Mapping[str, Any]] = {}
    for start in range(0, len(asked), IDS_AT_ONCE):
        rows = Event.objects.filter(pk__in=asked[start : start + IDS_AT_ONCE])
        found.update(rows.values_list("pk", "facts"))
    return found


def _by_the_clock(instants: Floats, clock: Clock) -> Floats:
    """Seconds since 1970 by what the clock of a place showed at these instants."""
    local = local_seconds(instants, ZoneInfo(clock.turns[0].zone))
    for turn in clock.turns[1:]:
        later = instants >= clock.start_of(turn.from_date).timestamp()
        if later.any():
            local[later] = local_seconds(instants[later], ZoneInfo(turn.zone))
    return local


def local_seconds(instants: Floats, zone: ZoneInfo) -> Floats:
    """Seconds since 1970 by the clock on the wall of a zone."""
    days = (instants // DAY_SECONDS).astype(np.int64)
    known, place = np.unique(days, return_inverse=True)
    begins = np.array([_offset(float(day) * DAY_SECONDS, zone) for day in known])
    ends = np.array([_offset(float(day + 1) * DAY_SECONDS, zone) for day in known])
    offsets = begins[place]
    for row in np.flatnonzero((begins != ends)[place]):
        offsets[row] = _offset(float(instants[row]), zone)
    return np.asarray(instants + offsets, dtype=np.float64)


def _offset(instant: float, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    return offset.total_seconds() if offset else 0.0


def _own_sources() -> list[str]:
    return list(Connection.objects.filter(kind=OWN).values_list("slug", flat=True))


def _what(name: str) -> What:
    ending = name.rpartition(".")[2]
    if ending in LOGINS:
        return What.LOGIN
    if ending in CANCELS:
        return What.CANCEL
    return What.WORK if ending in APPROVALS else What.CREATE


def _of_object(kind: What, about: str) -> What:
    return What.WORK if kind is What.CREATE and not about else kind


def _likes(ids: list[int], persons: list[int], names: list[str], objects: list[str], what: list[What]) -> list[int]:
    """The same number for the same thing about the same object with the same amounts; facts are read only of those
    that one person said of one object more than once."""
    keys = list(zip(persons, names, objects, strict=True))
    times = Counter(key for key, kind in zip(keys, what, strict=True) if kind is What.CREATE)
    again = [at for at, key in enumerate(keys) if what[at] is What.CREATE and times[key] > 1]
    facts = facts_of(ids[at] for at in again)
    likes = [NO_LIKE - at for at in range(len(keys))]
    numbers: dict[Any, int] = {}
    for at in again:
        amounts = sorted((fact, str(value)) for fact, value in facts[ids[at]].items() if amount(value))
        likes[at] = numbers.setdefault((*keys[at][1:], *amounts), len(numbers))
    return likes


def amount(value: Any) -> TypeGuard[int | Decimal]:
    """Whether a fact is a number."""
    return not isinstance(value, bool | str | list | dict) and value is not None


def _roles(companies: Sequence[Organization], day: date) -> dict[tuple[int, int], str]:
    """(company, person) → role; of several the latest."""
    by_path = {one.path: one.pk for one in companies}
    below = reduce(or_, (Q(organization__path__startswith=path) for path in by_path), Q(pk__in=()))
    rows = Membership.objects.on(day).filter(below).order_by("from_date", "-pk")
    found = {}
    for person, path, role in rows.values_list("person_id", "organization__path", "role"):
        for top, company in by_path.items():
            if path.startswith(top):
                found[company, person] = role
    return found


def _hours(
    company: Organization, deeds: Deeds, people: list[int], first: date, clock: Clock
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(p, 24) the hours of the role, and of those who would stand out by them also the hours they always had."""
    usual = usual_hours(deeds)
    odd = np.flatnonzero(odd_enough(replace(deeds, usual=usual)))
    if not len(odd):
        return usual
    number = {people[one]: at for at, one in enumerate(odd)}
    before = Event.objects.filter(company=company, identity__person_id__in=list(number)).standing()
    before = before.filter(business_date__range=(first - timedelta(days=HABIT_DAYS), first - timedelta(days=1)))
    rows = list(before.order_by().values_list("identity__person_id", Instant("happened_at")))
    if rows:
        persons = np.array([number[person] for person, _at in rows], dtype=np.int64)
        moments = _by_the_clock(np.array([at for _person, at in rows], dtype=np.float64), clock)
        usual[odd] |= beside(often_hours(persons, moments, len(odd)))
    return usual
