"""Who did what of one name at a company, in the canonical order; and the deed by which a badge was earned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, Sum, TextField
from django.db.models.functions import Cast

from uptake.directory.models import PersonKind
from uptake.events.models import Event
from uptake.programme.gather import many
from uptake.programme.merits.models import BadgeKind
from uptake.programme.models import Award
from uptake.programme.rulebook import Programme
from uptake.programme.streaks import Run, is_workday

REVERSED = '"reversed"'
"""The reason of an award whose event does not count any more, as it stands among the others."""


class Done(NamedTuple):
    """One deed of a person, or points they were given."""

    at: datetime
    date: date
    amount: int = 1


def deeds_of(
    company: int,
    name: str,
    *,
    people: Collection[int] | None = None,
    since: date | None = None,
    until: date | None = None,
    with_history: bool = True,
) -> dict[int, list[Done]]:
    """The events of a name that count at a company, by person: of these people (None: of all), on dates [since, until).

    What a reversal undid does not count where some rule names the event; history-only ones only if asked for.
    """
    undone = Award.objects.filter(event=OuterRef("pk"), points=0).annotate(told=Cast("reasons", TextField()))
    rows = Event.objects.standing().placed().filter(~Exists(undone.filter(told__contains=REVERSED)), name=name)
    rows = rows.filter(
        Q(("place_id", company)), identity__person__kind=PersonKind.HUMAN, identity__person__erased_at__isnull=True
    )
    if people is not None:
        rows = rows.filter(identity__person_id__in=many(people))
    if since is not None:
        rows = rows.filter(business_date__gte=since)
    if until is not None:
        rows = rows.filter(business_date__lt=until)
    if not with_history:
        rows = rows.filter(history_only=False)
    found: dict[int, list[Done]] = defaultdict(list)
    columns = ("identity__person_id", "happened_at", "business_date")
    for person, at, day in rows.order_by("happened_at", "source", "key").values_list(*columns):
        found[person].append(Done(at, day))
    return found


def points_by_rule(
    company: int, rule: str, *, people: Collection[int], since: date, until: date
) -> dict[int, list[Done]]:
    """What a rule gave to these people on dates [since, until), by person."""
    rows = Award.objects.filter(
        company_id=company, rule=rule, person_id__in=many(people), date__gte=since, date__lt=until, points__gt=0
    )
    found: dict[int, list[Done]] = defaultdict(list)
    columns = ("person_id", "happened_at", "date")
    rows = rows.order_by("happened_at", "event__source", "event__key")
    for person, at, day, amount in rows.values_list(*columns).annotate(sum=Sum("points")):
        found[person].append(Done(at, day, amount))
    return found


def earned_by(
    kind: str, count: int, done: Sequence[Done], programme: Programme, leave: Collection[date] = ()
) -> Done | None:
    """The deed with which a badge for deeds or for days in a row was earned; None: it is not."""
    if kind == BadgeKind.DEED:
        return done[count - 1] if len(done) >= count else None
    run = Run(
        "day",
        working_days=True,
        week_start=programme.week_start,
        works_on=lambda day: is_workday(programme, day) and day not in leave,
        freezes_on=lambda _day: 0,
    )
    days = sorted({one.date: one for one in reversed(done)}.items())
    return next((one for day, one in days if run.keep(day) >= count), None)


def reached_at(done: Sequence[Done], goal: int) -> datetime | None:
    """When the amounts, in their order, came to the goal; None: they do not."""
    total = 0
    for one in done:
        total += one.amount
        if total >= goal:
            return one.at
    return None


def together(done: Mapping[int, Sequence[Done]], people: Collection[int]) -> list[Done]:
    """What these people did, in one order of time."""
    return sorted((one for person in people for one in done.get(person, ())), key=lambda one: one.at)
