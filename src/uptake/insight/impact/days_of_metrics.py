"""The ready-made metrics day by day, by company, department or role, from the activity log and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import CharField, Sum
from django.db.models.functions import Cast, Substr

from uptake.activity import ActivityLog
from uptake.activity.columns import Array
from uptake.activity.summaries.measured import Counted, Groups, Lasting, counted, lasting
from uptake.directory.calendar import working_days_between
from uptake.directory.models import Kind, Membership, Organization
from uptake.directory.place import settings_at
from uptake.events.models import EventType
from uptake.insight.impact.days_of_systems import end_of, probes, released, running_hours
from uptake.insight.impact.metrics import Measure, Metric, says_failed
from uptake.insight.impact.named import NAMED, Named, Special, recipe
from uptake.insight.impact.panel_of_departments import belonging, operations
from uptake.insight.metrics.usage import reach
from uptake.ledger.models import Entry
from uptake.ledger.models import Kind as Posted

LENGTH = 90
RECENT = 28
"""Days whose figure is told beside the latest day's."""
TO_TEN_MINUTES = 15
"""So many letters of an instant, as the database writes it, tell it to ten minutes."""


@dataclass(frozen=True)
class Split:
    """What the figures are told apart by: a name for each group, and the places or people they are of."""

    names: tuple[str, ...]
    groups: Groups
    places: tuple[Organization, ...] = ()


@dataclass(frozen=True)
class Days:
    """One metric: arrays (groups, days); what counts, what it is divided by, and whether the day is worked."""

    named: Named
    metric: Metric | None
    """How it is measured here; None: from the ledger or from activity, or not measurable."""
    counted: Array
    against: Array
    people: Array
    """Of each group on the last day, by the directory."""
    working: Array

    @property
    def measurable(self) -> bool:
        """Whether there was anything to divide by; where the names of events are missing there is not."""
        return bool(self.against.sum() > 0)

    def values(self, group: int | None = None) -> list[float | None]:
        """Day by day; None where it is unknown or nobody works. `group` None: all together."""
        over, under = self._of(group)
        return [
            float(up / down) if down > 0 and works else None
            for up, down, works in zip(over, under, self.working, strict=True)
        ]

    def recent(self, group: int | None = None, days: int = RECENT) -> float | None:
        """The last `days` days together: all that counts by all it is divided by; of what adds up, the last of them."""
        over, under = self._of(group)
        kept = np.flatnonzero(self.working & (np.arange(len(over)) >= len(over) - days))
        if self.named.special is Special.RELEASED:
            kept = kept[-1:]
        down = float(under[kept].sum())
        return float(over[kept].sum()) / down if down > 0 else None

    def latest(self, group: int | None = None) -> tuple[int, float] | None:
        """The last day that is known: its number, and the figure."""
        found = [(at, value) for at, value in enumerate(self.values(group)) if value is not None]
        return found[-1] if found else None

    def _of(self, group: int | None) -> tuple[Array, Array]:
        if group is None:
            return self.counted.sum(axis=0), self.against.sum(axis=0)
        return self.counted[group], self.against[group]


def whole(place: Organization) -> Split:
    """A place as one group; a park as the sum of its companies."""
    if place.kind == Kind.PARK:
        return parts_of(place)
    by: Literal["company", "department"] = "company" if place.kind == Kind.COMPANY else "department"
    return Split((place.name,), Groups(by, (place.pk,)), (place,))


def parts_of(place: Organization) -> Split:
    """The companies of a park, or the departments of a company."""
    inside = Kind.COMPANY if place.kind == Kind.PARK else Kind.DEPARTMENT
    below = tuple(Organization.objects.filter(kind=inside).below(place).open().order_by("name", "pk"))
    by: Literal["company", "department"] = "company" if place.kind == Kind.PARK else "department"
    return Split(tuple(one.name for one in below), Groups(by, tuple(one.pk for one in below)), below)


def roles_of(place: Organization, day: date, most: int = 12) -> Split:
    """People by the role they have at the place on a day; the `most` roles with most people."""
    held = Membership.objects.on(day).filter(organization__path__startswith=place.path).exclude(role="")
    people: dict[str, set[int]] = {}
    for role, person in held.values_list("role", "person_id"):
        people.setdefault(role, set()).add(person)
    listed = sorted(people, key=lambda role: (-len(people[role]), role))[:most]
    return Split(tuple(listed), Groups("people", people=tuple(tuple(sorted(people[role])) for role in listed)))


def days_of_metrics(
    log: ActivityLog,
    place: Organization,
    split: Split,
    *,
    last: date,
    length: int = LENGTH,
    named: Sequence[Named] = NAMED,
) -> list[Days]:
    """The `length` days up to `last` of each metric, in one pass over the log and, where pairs of events are asked for,
    one more over those. Days before a place's record and days nobody works are unknown."""
    first = last - timedelta(days=length - 1)
    where = reach(place)
    known = catalogue()
    recipes = {one.key: recipe(one, known) for one in named}
    plain = [metric for metric in recipes.values() if metric is not None and metric.measure is not Measure.HOURS]
    questions: list[Counted] = []
    for metric in plain:
        questions += _questions(metric)
    found = counted(log, questions, split.groups, first=first, last=last, **where)
    paired = {m: Lasting(m.of, m.event) for m in recipes.values() if m is not None and m.measure is Measure.HOURS}
    hours, ends = lasting(log, list(paired.values()), split.groups, first=first, last=last, **where)
    heads = _heads(place, split, first, length)
    counts = dict(zip(plain, _pairs(found.counted), strict=True))
    working = np.zeros(length, dtype=bool)
    for day in working_days_between(place, first, last):
        working[(day - first).days] = True
    nothing = np.zeros((split.groups.many, length))
    told = []
    for one in named:
        recipe_here = recipes[one.key]
        if one.special is Special.RETURNED:
            over, under = found.returned[1], found.returned[0]
        elif one.special is Special.REDEEMED:
            over, under = _points(split, first, last) if split.places else (nothing, nothing)
        elif one.special is Special.ANSWERED:
            over, under = probes(split.places, first, last) if split.places else (nothing, nothing)
        elif one.special is Special.RUNNING:
            until = end_of(last, place)
            over, under = running_hours(split.places, first, last, until) if split.places else (nothing, nothing)
        elif one.special is Special.RELEASED:
            over, under = released(split.places, first, last) if split.places else (nothing, nothing)
        elif recipe_here is None:
            over, under = nothing, nothing
        elif recipe_here.measure is Measure.HOURS:
            at = list(paired).index(recipe_here)
            over, under = hours[at], ends[at]
        else:
            over, under = counts[recipe_here]
            if recipe_here.measure in (Measure.SHARE, Measure.PER_HEAD):
                under = heads * _begun(found.counted)
        told.append(Days(one, recipe_here, over, under, heads[:, -1], working))
    return told


def catalogue() -> dict[str, frozenset[str]]:
    """The events that are known, each with the facts it is known to tell."""
    return {name: frozenset(facts) for name, facts in EventType.objects.values_list("name", "properties")}


def _questions(metric: Metric) -> tuple[Counted, Counted]:
    """What counts, and what it is divided by (asked although it is heads: pairs are told apart more easily)."""
    names = (metric.event,) if metric.event else None
    if metric.measure is Measure.FAILED:
        every = operations()
        return Counted(tuple(filter(says_failed, every))), Counted(every)
    if metric.of_fact:
        told = Counted(names, fact=metric.of)
        if metric.measure is Measure.MEAN:
            return Counted(names, fact=metric.of, total=True), told
        return Counted(names, fact=metric.of, true=metric.measure is Measure.YES), told
    counts = Counted(names, people=metric.measure is Measure.SHARE)
    return counts, Counted((metric.of,)) if metric.measure is Measure.RATIO else Counted()


def _pairs(planes: Array) -> list[tuple[Array, Array]]:
    return [(planes[at], planes[at + 1]) for at in range(0, len(planes), 2)]


def _begun(planes: Array) -> Array:
    """(groups, days): 1 from the first day on which anything of the group is known."""
    known = planes.sum(axis=0) > 0
    return np.maximum.accumulate(known, axis=1).astype(np.float64)


def _heads(place: Organization, split: Split, first: date, days: int) -> Array:
    """(groups, days): everybody the directory has there, whether seen or not."""
    heads = np.zeros((split.groups.many, days))
    if split.places:
        where = belonging(list(split.places), {one.path: at for at, one in enumerate(split.places)}, first, days)
        for row in where.values():
            there = np.flatnonzero(row >= 0)
            heads[row[there], there] += 1
        return heads
    here = belonging([place], {place.path: 0}, first, days)
    for number, people in enumerate(split.groups.people):
        for person in people:
            if person in here:
                heads[number] += here[person] >= 0
    return heads


def _points(split: Split, first: date, last: date) -> tuple[Array, Array]:
    """(groups, days) twice: points redeemed less refunded, and points granted, of companies by their business dates."""
    days = (last - first).days + 1
    redeemed, granted = np.zeros((len(split.places), days)), np.zeros((len(split.places), days))
    signs = {Posted.SETTLED: 1, Posted.REFUNDED: -1, Posted.GRANTED: 1}
    numbers = {one.pk: at for at, one in enumerate(split.places) if one.kind == Kind.COMPANY}
    clocks = {one.pk: settings_at(one) for one in split.places}
    near = (first - timedelta(days=2), last + timedelta(days=3))
    rows = Entry.objects.filter(book__in=list(numbers), kind__in=list(signs), effective_at__range=_instants(near))
    rows = rows.annotate(slot=Substr(Cast("effective_at", CharField()), 1, TO_TEN_MINUTES)).order_by()
    for book, kind, slot, points in rows.values_list("book", "kind", "slot").annotate(all=Sum("points")):
        at = datetime.fromisoformat(f"{slot}0+00:00".replace(" ", "T"))
        column = (clocks[book].date_of(at) - first).days
        if 0 <= column < days:
            into = granted if kind == Posted.GRANTED else redeemed
            into[numbers[book], column] += signs[Posted(kind)] * points
    return redeemed, granted


def _instants(near: tuple[date, date]) -> tuple[datetime, datetime]:
    utc = ZoneInfo("UTC")
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=utc) for day in near)
    return begin, end
