"""From events and the directory to a panel: what was measured of each department on each working day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Count, Q
from django.db.models.fields.json import KeyTransform

from uptake.directory.calendar import working_days_between
from uptake.directory.models import Membership, Organization, PersonKind
from uptake.directory.place import Span, memberships_of
from uptake.events.models import Event, EventQuerySet, EventType
from uptake.insight.impact.business_series import figures_of
from uptake.insight.impact.metrics import PAGE_VIEW, Measure, Metric, says_failed
from uptake.insight.impact.models import Series, departments_of
from uptake.statistics.distributions import Floats
from uptake.statistics.panel import Panel, PanelRefused, panel_of

HISTORY_DAYS = 182
"""So many days before the first start are looked at, at most."""


PersonDay = tuple[int, date]
Where = Mapping[int, np.ndarray[tuple[int], np.dtype[np.int64]]]


def department_panel(
    starts: Mapping[str, str | None], *, metric: Metric, first: date, last: date, without: Collection[PersonDay] = ()
) -> Panel | None:
    """The panel of the departments in `starts` over the working days of [first, last]; None where nothing is known.

    Heads: everybody the directory has there that day, whether seen or not. A company's days before its first event are
    unknown, not 0; so are days nobody works. `without`: what these people did on these days is not counted, they
    themselves are (to see how much hangs on events that were flagged).
    """
    places = departments_of(starts)
    days = (last - first).days + 1
    if not places or days < 1:
        return None
    numbers = {place.path: number for number, place in enumerate(places)}
    where = belonging(places, numbers, first, days)
    heads = np.zeros((len(places), days))
    for row in where.values():
        there = np.flatnonzero(row >= 0)
        heads[row[there], there] += 1
    if metric.measure is Measure.SERIES:
        return _of_series(places, starts, metric, first, heads)
    begun, rows = recorded(places, first, last)
    seen, against = counted(rows, where, metric, (len(places), days), first, frozenset(without))
    if against is None:
        against = heads
    columns: dict[str, list[object]] = defaultdict(list)
    roles = usual_roles(places, starts)
    for number, place in enumerate(places):
        company = place.company or place
        if company.pk not in begun:
            continue
        for day in working_days_between(place, max(first, begun[company.pk]), last):
            column = (day - first).days
            if heads[number, column] > 0 and against[number, column] > 0:
                columns["unit"].append(place.slug)
                columns["day"].append(np.datetime64(day))
                columns["numerator"].append(float(seen[number, column]))
                columns["denominator"].append(int(against[number, column]))
                columns["headcount"].append(int(heads[number, column]))
                columns["company"].append(company.slug)
                columns["role"].append(roles.get(place.slug, ""))
    adoption = {slug: date.fromisoformat(day) if day else None for slug, day in starts.items()}
    try:
        return panel_of(columns, adoption) if columns else None
    except PanelRefused:
        return None


def _of_series(
    places: list[Organization], starts: Mapping[str, str | None], metric: Metric, first: date, heads: Floats
) -> Panel | None:
    """What files say of departments; days they say nothing of are unknown."""
    series = Series.objects.filter(pk=int(metric.of)).first()
    figures = figures_of(series) if series else {}
    columns: dict[str, list[object]] = defaultdict(list)
    roles = usual_roles(places, starts)
    for number, place in enumerate(places):
        for day, value in sorted(figures.get(place.slug, {}).items()):
            column = (day - first).days
            if 0 <= column < heads.shape[1] and heads[number, column] > 0:
                columns["unit"].append(place.slug)
                columns["day"].append(np.datetime64(day))
                columns["numerator"].append(value)
                columns["denominator"].append(1)
                columns["headcount"].append(int(heads[number, column]))
                columns["company"].append((place.company or place).slug)
                columns["role"].append(roles.get(place.slug, ""))
    adoption = {slug: date.fromisoformat(day) if day else None for slug, day in starts.items()}
    try:
        return panel_of(columns, adoption) if columns else None
    except PanelRefused:
        return None


def usual_roles(places: Sequence[Organization], starts: Mapping[str, str | None]) -> dict[str, str]:
    """The role that more than half of a department's people had the day before anything began, by its slug.

    Departments without such a role are left out: an effect there is of no one role.
    """
    begun = [date.fromisoformat(day) for day in starts.values() if day]
    if not begun:
        return {}
    numbers = {place.path: number for number, place in enumerate(places)}
    held = Membership.objects.on(min(begun) - timedelta(days=1)).filter(person__kind=PersonKind.HUMAN)
    if len(places) < 100:
        below = Q(pk__in=())
        for place in places:
            below |= Q(organization__path__startswith=place.path)
        held = held.filter(below)
    people: dict[int, Counter[str]] = defaultdict(Counter)
    for path, role in held.values_list("organization__path", "role"):
        number = _number_of(path, numbers)
        if number >= 0:
            people[number][role] += 1
    found = {}
    for number, roles in people.items():
        role, many = roles.most_common(1)[0]
        if role and 2 * many > roles.total():
            found[places[number].slug] = role
    return found


def only_known_days(panel: Panel) -> Panel:
    """The same panel without the days on which nothing is known anywhere: for what counts days, not dates."""
    kept = np.flatnonzero(panel.known.any(axis=0))

    def part(grid: Floats | None) -> Floats | None:
        return None if grid is None else grid[:, kept]

    return replace(
        panel,
        days=panel.days[kept],
        outcome=panel.outcome[:, kept],
        headcount=panel.headcount[:, kept],
        adopted=np.searchsorted(kept, panel.adopted).astype(np.int64),
        intended=None,
        numerator=part(panel.numerator),
        denominator=part(panel.denominator),
    )


def belonging(
    places: list[Organization], numbers: Mapping[str, int], first: date, days: int
) -> dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Person → (days,): the number of their department on each day, -1 where they are of none."""
    ids = [place.pk for place in places]
    below = Q(pk__in=())
    for place in places:
        below |= Q(organization__path__startswith=place.path)
    held = Membership.objects.filter(below if len(ids) < 100 else Q(), from_date__lte=first + timedelta(days=days - 1))
    held = held.filter(Q(until_date__isnull=True) | Q(until_date__gt=first), person__kind=PersonKind.HUMAN)
    found = {}
    for person, spans in memberships_of(held.values_list("person_id", flat=True)).items():
        row = np.full(days, -1, dtype=np.int64)
        # Of several that hold, the one that began last counts: painted last.
        for span in sorted(spans, key=lambda one: (one.from_date, -one.membership_id)):
            start = max((span.from_date - first).days, 0)
            end = days if span.until_date is None else max((span.until_date - first).days, 0)
            row[start:end] = department_of(span, numbers)
        if (row >= 0).any():
            found[person] = row
    return found


def department_of(span: Span, numbers: Mapping[str, int]) -> int:
    """The number of the department (by path) a span lies in; -1 where in none of them."""
    return _number_of(span.path, numbers)


def _number_of(path: str, numbers: Mapping[str, int]) -> int:
    while len(path) > 1:
        if path in numbers:
            return numbers[path]
        path = path[: path.rstrip("/").rfind("/") + 1]
    return -1


def recorded(places: list[Organization], first: date, last: date) -> tuple[dict[int, date], EventQuerySet]:
    """The first date of any event of each company, and the events that people had in these days."""
    companies = sorted({place.company_id or place.pk for place in places})
    rows = Event.objects.filter(Q(company_id__in=companies) | Q(company__isnull=True)).standing()
    rows = rows.filter(business_date__range=(first, last), identity__person__isnull=False)
    begun: dict[int, date] = {}
    for company in companies:
        start = (
            rows.filter(company_id=company).order_by("business_date").values_list("business_date", flat=True).first()
        )
        if start is not None:
            begun[company] = start
    return begun, rows


def counted(
    rows: EventQuerySet,
    where: Where,
    metric: Metric,
    shape: tuple[int, int],
    first: date,
    without: frozenset[PersonDay],
) -> tuple[Floats, Floats | None]:
    """(departments, days) twice: what is counted, and what it is divided by (None: by heads)."""
    if metric.measure is Measure.HOURS:
        return _hours(rows, where, metric, shape, first, without)
    if metric.measure is Measure.FAILED:
        names = operations()
        pair = (rows.filter(name__in=filter(says_failed, names)), rows.filter(name__in=names))
        seen, all_ = (_by_department(one, where, shape, first, without, once=False) for one in pair)
        return seen, all_
    if metric.measure is Measure.MEAN:
        return _mean(rows.filter(name=metric.event, facts__has_key=metric.of), where, metric.of, shape, first, without)
    if metric.of_fact:
        told = rows.filter(name=metric.event, facts__has_key=metric.of)
        true = told.annotate(fact=KeyTransform(metric.of, "facts")).filter(fact=metric.measure is Measure.YES)
        seen, all_ = (_by_department(one, where, shape, first, without, once=False) for one in (true, told))
        return seen, all_
    if metric.event:
        chosen = rows.filter(name=metric.event)
    else:
        chosen = rows.exclude(
            name__in=list(EventType.objects.filter(counts_as_active=False).values_list("name", flat=True))
        )
    once = metric.measure is Measure.SHARE
    seen = _by_department(chosen, where, shape, first, without, once=once)
    if metric.measure is not Measure.RATIO:
        return seen, None
    return seen, _by_department(rows.filter(name=metric.of), where, shape, first, without, once=False)


def _by_department(
    rows: EventQuerySet,
    where: Where,
    shape: tuple[int, int],
    first: date,
    without: frozenset[PersonDay],
    *,
    once: bool,
) -> Floats:
    """(departments, days): people with such an event (`once`), or how many events they had."""
    found = np.zeros(shape)
    days = rows.order_by().values_list("identity__person_id", "business_date")
    if once:
        told = [(person, day, 1) for person, day in days.distinct()]
    else:
        told = list(days.annotate(many=Count("pk")))
    for person, day, many in told:
        cell = _cell(where, person or 0, day, first)
        if cell is not None and (person, day) not in without:
            found[cell] += many
    return found


def operations() -> tuple[str, ...]:
    """The names of all that counts as activity but page views."""
    counting = EventType.objects.filter(counts_as_active=True).exclude(name=PAGE_VIEW)
    return tuple(counting.order_by("name").values_list("name", flat=True))


def _mean(
    rows: EventQuerySet, where: Where, fact: str, shape: tuple[int, int], first: date, without: frozenset[PersonDay]
) -> tuple[Floats, Floats]:
    """(departments, days) twice: the sum of the numbers told there that day, and how many were told."""
    total, many = np.zeros(shape), np.zeros(shape)
    for person, day, facts in rows.order_by().values_list("identity__person_id", "business_date", "facts"):
        cell, value = _cell(where, person or 0, day, first), facts.get(fact)
        if cell is None or (person, day) in without or isinstance(value, bool | str | list | dict) or value is None:
            continue
        total[cell] += float(value)
        many[cell] += 1
    return total, many


def _hours(
    rows: EventQuerySet,
    where: Where,
    metric: Metric,
    shape: tuple[int, int],
    first: date,
    without: frozenset[PersonDay],
) -> tuple[Floats, Floats]:
    """(departments, days) twice: hours of all objects that ended there that day, and how many did."""
    began: dict[tuple[int | None, str], datetime] = {}
    ended: dict[tuple[int | None, str], tuple[datetime, int, date]] = {}
    both = rows.filter(name__in=(metric.event, metric.of)).exclude(object="").order_by("happened_at", "pk")
    for name, company, named, at, person, day in both.values_list(
        "name", "company_id", "object", "happened_at", "identity__person_id", "business_date"
    ):
        thing = (company, named)
        if name == metric.of:
            began.setdefault(thing, at)
        elif thing in began:
            ended[thing] = (at, person or 0, day)
    hours, objects = np.zeros(shape), np.zeros(shape)
    for key, (at, person, day) in ended.items():
        cell = _cell(where, person, day, first)
        if cell is not None and (person, day) not in without:
            hours[cell] += (at - began[key]).total_seconds() / 3600
            objects[cell] += 1
    return hours, objects


def _cell(where: Where, person: int, day: date, first: date) -> tuple[int, int] | None:
    row = where.get(person)
    column = (day - first).days
    return (int(row[column]), column) if row is not None and row[column] >= 0 else None
