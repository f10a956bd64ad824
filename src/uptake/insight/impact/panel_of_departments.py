"""From events and the directory to a panel: of each department's people, the share with a counting event on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from django.db.models import Q

from uptake.directory.calendar import working_days_between
from uptake.directory.models import Membership, Organization, PersonKind
from uptake.directory.place import Span, memberships_of
from uptake.events.models import Event, EventType
from uptake.insight.impact.models import departments_of
from uptake.statistics.distributions import Floats
from uptake.statistics.panel import Panel, PanelRefused, panel_of

HISTORY_DAYS = 182
"""So many days before the first start are looked at, at most."""


def department_panel(starts: Mapping[str, str | None], *, event: str, first: date, last: date) -> Panel | None:
    """The panel of the departments in `starts` over the working days of [first, last]; None where nothing is known.

    Denominator: everybody the directory has there that day, whether seen or not. A company's days before its first
    event are unknown, not 0; so are days nobody works. `event`: its name; empty: any that counts as activity.
    """
    places = departments_of(starts)
    days = (last - first).days + 1
    if not places or days < 1:
        return None
    numbers = {place.path: number for number, place in enumerate(places)}
    where = _belonging(places, numbers, first, days)
    heads = np.zeros((len(places), days))
    for row in where.values():
        there = np.flatnonzero(row >= 0)
        heads[row[there], there] += 1
    seen, begun = _seen(places, where, event, first, last)
    columns: dict[str, list[object]] = defaultdict(list)
    for number, place in enumerate(places):
        company = place.company or place
        if company.pk not in begun:
            continue
        for day in working_days_between(place, max(first, begun[company.pk]), last):
            column = (day - first).days
            if heads[number, column] > 0:
                columns["unit"].append(place.slug)
                columns["day"].append(np.datetime64(day))
                columns["numerator"].append(int(seen[number, column]))
                columns["denominator"].append(int(heads[number, column]))
                columns["company"].append(company.slug)
    adoption = {slug: date.fromisoformat(day) if day else None for slug, day in starts.items()}
    try:
        return panel_of(columns, adoption) if columns else None
    except PanelRefused:
        return None


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


def _belonging(
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
            row[start:end] = _number(span, numbers)
        if (row >= 0).any():
            found[person] = row
    return found


def _number(span: Span, numbers: Mapping[str, int]) -> int:
    path = span.path
    while len(path) > 1:
        if path in numbers:
            return numbers[path]
        path = path[: path.rstrip("/").rfind("/") + 1]
    return -1


def _seen(
    places: list[Organization],
    where: Mapping[int, np.ndarray[tuple[int], np.dtype[np.int64]]],
    event: str,
    first: date,
    last: date,
) -> tuple[Floats, dict[int, date]]:
    """(departments, days): how many of them had such an event; and the first date of any event of each company."""
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
    if event:
        rows = rows.filter(name=event)
    else:
        rows = rows.exclude(
            name__in=list(EventType.objects.filter(counts_as_active=False).values_list("name", flat=True))
        )
    seen = np.zeros((len(places), (last - first).days + 1))
    for person, day in rows.order_by().values_list("identity__person_id", "business_date").distinct():
        row = where.get(person or 0)
        if row is None:
            continue
        column = (day - first).days
        if row[column] >= 0:
            seen[row[column], column] += 1
    return seen, begun
