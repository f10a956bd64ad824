"""People drawn by lot: of whom it is drawn, what those drawn did, and whether the drawing still stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Q

from uptake.directory.calendar import working_days_between
from uptake.directory.models import Membership, Organization, PersonKind, holds_on
from uptake.directory.place import Span, memberships_of, span_on
from uptake.insight.impact.lot import dealt, lot_of, sides_sha
from uptake.insight.impact.metrics import OF_PEOPLE, Metric
from uptake.insight.impact.models import DrawnPerson, Intervention, departments_of
from uptake.insight.impact.panel_of_departments import PersonDay, counted, department_of, recorded
from uptake.statistics.panel import Panel


@dataclass(frozen=True)
class Member:
    """Somebody to draw from: their number, and the number of the department they belong to that day."""

    person: int
    department: int


def population(places: Sequence[Organization], role: str, on: date) -> list[Member]:
    """Everybody human in these departments on a date, by their number; of one role only where one is given."""
    numbers = {place.path: place.pk for place in places}
    found = []
    for person, span in sorted(_where(places, on).items()):
        home = department_of(span, numbers)
        if home > 0 and (not role or span.role == role):
            found.append(Member(person, home))
    return found


def roles_in(places: Sequence[Organization], on: date) -> list[str]:
    """The roles of the people of these departments on a date."""
    return sorted({span.role for span in _where(places, on).values() if span.role})


def _where(places: Sequence[Organization], on: date) -> dict[int, Span]:
    below = Q(pk__in=())
    for place in places:
        below |= Q(organization__path__startswith=place.path)
    held = Membership.objects.filter(below, holds_on(on), person__kind=PersonKind.HUMAN, person__erased_at=None)
    people = memberships_of(held.values_list("person_id", flat=True))
    return {person: span for person, spans in people.items() if (span := span_on(spans, on)) is not None}


def sides_of(intervention: Intervention) -> dict[int, bool]:
    """{person: begins} of everybody drawn."""
    rows = DrawnPerson.objects.filter(intervention=intervention)
    return dict(rows.order_by("person_id").values_list("person_id", "begins"))


def still_as_drawn(intervention: Intervention) -> bool:
    """Whether drawing again with the recorded seed gives what is kept, and what was registered."""
    lot = lot_of(intervention.plan)
    if lot is None:
        return False
    if intervention.by_people:
        kept = {str(person): begins for person, begins in sides_of(intervention).items()}
    else:
        kept = {slug: day is not None for slug, day in intervention.starts.items()}
    return len(kept) == lot.of and kept == dealt(lot.seed, list(kept), lot.begin) and sides_sha(kept) == lot.sha


def drawn_panel(
    intervention: Intervention, *, metric: Metric, first: date, last: date, without: Collection[PersonDay] = ()
) -> Panel | None:
    """The panel of everybody drawn; see `people_panel`."""
    return people_panel(
        sides_of(intervention), intervention.organization, departments_of(intervention.starts), metric=metric,
        start=intervention.first_start, first=first, last=last, without=without,
    )  # fmt: skip


def people_panel(
    sides: Mapping[int, bool],
    place: Organization,
    departments: Sequence[Organization],
    *,
    metric: Metric,
    start: date,
    first: date,
    last: date,
    without: Collection[PersonDay] = (),
) -> Panel | None:
    """One row for each of `sides` ({person: begins on `start`}) over the working days of [first, last]; None where
    nothing is known.

    Who is in it comes from the drawing alone: whoever came later is not, whoever was never seen is. A day is known
    while the directory has them anywhere in the place, from its company's first event on. Outcome: whether somebody
    had such an event that day (0 or 1), or how many.
    """
    people = sorted(sides)
    days = (last - first).days + 1
    if metric.measure not in OF_PEOPLE or not people or days < 1:
        return None
    begun, rows = recorded(list(departments), first, last)
    where, known = {}, np.zeros((len(people), days), dtype=np.bool_)
    calendars: dict[int, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    belongs = memberships_of(people)
    for row, person in enumerate(people):
        home = np.full(days, -1, dtype=np.int64)
        for span in sorted(belongs.get(person, ()), key=lambda one: (one.from_date, -one.membership_id)):
            since = max((span.from_date - first).days, 0)
            until = days if span.until_date is None else max(min((span.until_date - first).days, days), 0)
            if not span.path.startswith(place.path) or since >= until:
                continue
            home[since:until] = row
            if span.organization_id not in calendars:
                calendars[span.organization_id] = _worked(span.organization_id, begun, first, last)
            known[row, since:until] = calendars[span.organization_id][since:until]
        where[person] = home
    if not known.any():
        return None
    seen, _ = counted(rows, where, metric, (len(people), days), first, frozenset(without))
    columns = np.flatnonzero(known.any(axis=0))
    kept = slice(int(columns[0]), int(columns[-1]) + 1)
    known, length = known[:, kept], kept.stop - kept.start
    column = min(max((start - first).days - kept.start, 0), length)
    return Panel(
        units=tuple(map(str, people)),
        days=np.datetime64(first) + np.arange(kept.start, kept.stop),
        outcome=np.where(known, seen[:, kept], np.nan),
        headcount=known.astype(np.float64),
        adopted=np.array([column if sides[person] else length for person in people], dtype=np.int64),
    )


def _worked(
    organization: int, begun: Mapping[int, date], first: date, last: date
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(days,): worked there, from its company's first event on."""
    place = Organization.objects.get(pk=organization)
    found = np.zeros((last - first).days + 1, dtype=np.bool_)
    since = begun.get(place.company_id or place.pk)
    if since is not None:
        for day in working_days_between(place, max(first, since), last):
            found[(day - first).days] = True
    return found
