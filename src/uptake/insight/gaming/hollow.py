"""Points that rose without the work behind them (H): what the ledger gave for events, beside different work done."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Count, F, Q, Sum

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.events.models import Event
from uptake.insight.gaming.told import CANCELS, Told
from uptake.insight.gaming.window import Found, as_found
from uptake.ledger.models import Lot
from uptake.statistics.distributions import Ints
from uptake.statistics.gaming.detectors import PAID_TIMES, divergence

AWARDS = Q(key__gte="award/", key__lt="award0")
"""Lots that rules gave for events."""
Earned = tuple[int, int, int, int]
"""(points, how often) of the window before, then of this one."""
Worked = tuple[int, str, str]
"""(person, name of the event, object)."""


def hollow_of(tolds: Sequence[Told], first: date, last: date) -> dict[int, list[Found]]:
    """By company, all of one clock: whose points rose by half from the window before as long to this one, without more
    different work done.

    Work is how many different objects one worked on that were not cancelled. Behind it stand the paid events about an
    object already paid for in the window, or about none: who has none of them is not found.
    """
    if not tolds:
        return {}
    days = (last - first).days + 1
    before = first - timedelta(days=days)
    clock = settings_at(tolds[0].company)
    begins, middle, ends = (clock.start_of(day) for day in (before, first, last + timedelta(days=1)))
    earned = _earned([told.company.pk for told in tolds], begins, middle, ends)
    rising = [told for told in tolds if any(_may_diverge(*one) for one in earned[told.company.pk].values())]
    formerly = _worked_before([told.company for told in rising], before, first - timedelta(days=1)) if rising else {}
    return {
        told.company.pk: _hollow(told, earned[told.company.pk], formerly.get(told.company.pk, []), middle, ends)
        for told in rising
    }


def _hollow(
    told: Told, earned: Mapping[int, Earned], formerly: list[Worked], begins: datetime, ends: datetime
) -> list[Found]:
    rows = np.array([earned.get(person, (0, 0, 0, 0)) for person in told.people], dtype=np.float64)
    people = (told.people[one] for one in told.deeds.person)
    pieces = _pieces(formerly), _pieces(zip(people, told.names, told.objects, strict=True))
    work = [np.array([float(len(one.get(who, ()))) for who in told.people]) for one in pieces]
    points, paid = (rows[:, 0], rows[:, 2]), (rows[:, 1], rows[:, 3])
    return [
        as_found(told, sign, _repeated(told, sign.person, begins, ends))
        for sign in divergence(points, (work[0], work[1]), told.deeds.role, paid)
    ]


def _may_diverge(points: int, times: int, points_now: int, times_now: int) -> bool:
    """Whether a rise of half is more than what counts of that size differ by; only then the work is read."""
    if min(times, times_now) < PAID_TIMES or points_now < 1.5 * points:
        return False
    return math.log(points_now / points) >= 2 * math.sqrt(1 / times + 1 / times_now)


def _earned(books: list[int], begins: datetime, middle: datetime, ends: datetime) -> dict[int, dict[int, Earned]]:
    """Book → person → what was earned for events in the window before, and in this one."""
    left, right = Q(happened_at__lt=middle), Q(happened_at__gte=middle)
    stands = F("amount") - F("reversed")
    rows = Lot.objects.filter(
        AWARDS, book__in=books, happened_at__gte=begins, happened_at__lt=ends, amount__gt=F("reversed")
    )
    told = rows.order_by().values_list("book", "owner").annotate(
        earlier=Sum(stands, filter=left, default=0), before=Count("pk", filter=left),
        later=Sum(stands, filter=right, default=0), after=Count("pk", filter=right),
    )  # fmt: skip
    found: dict[int, dict[int, Earned]] = {book: {} for book in books}
    for book, owner, *numbers in told:
        if owner.isdecimal():
            found[book][int(owner)] = (numbers[0], numbers[1], numbers[2], numbers[3])
    return found


def _pieces(worked: Iterable[Worked]) -> dict[int, set[str]]:
    """Person → the objects worked on that the person did not cancel."""
    found: dict[int, set[str]] = defaultdict(set)
    undone: dict[int, set[str]] = defaultdict(set)
    for person, name, about in worked:
        if about:
            (undone if name.rpartition(".")[2] in CANCELS else found)[person].add(about)
    return {person: objects - undone[person] for person, objects in found.items()}


def _worked_before(companies: list[Organization], first: date, last: date) -> dict[int, list[Worked]]:
    """Company → what its people worked on."""
    rows = Event.objects.filter(company__in=companies, business_date__range=(first, last)).standing()
    rows = rows.exclude(object="").filter(identity__person__isnull=False).order_by().distinct()
    found: dict[int, list[Worked]] = defaultdict(list)
    columns = rows.values_list("company_id", "identity__person_id", "name", "object")
    for company, person, name, about in columns.iterator():
        found[company or 0].append((person or 0, name, about))
    return found


def _repeated(told: Told, sign: int, begins: datetime, ends: datetime) -> Ints:
    """The rows of a person that were paid, but for the first about each object."""
    owner = str(told.people[sign])
    lots = Lot.objects.filter(AWARDS, book=told.company.pk, owner=owner, happened_at__gte=begins, happened_at__lt=ends)
    paid = {int(key.split("/")[1]) for key in lots.values_list("key", flat=True)}
    seen: set[str] = set()
    rows = []
    for at in np.flatnonzero(told.deeds.person == sign):
        if int(told.ids[at]) in paid:
            about = told.objects[at]
            if not about or about in seen:
                rows.append(int(at))
            seen.add(about)
    return np.array(rows, dtype=np.int64)
