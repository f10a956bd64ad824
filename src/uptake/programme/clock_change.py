"""The clock of a place and its rulebook: a place with rules changes its clock by them, any other by whoever manages it.

Rules count by dates, so another clock is another rule: who may do what by when. Where a rulebook applies, it names the
other clock from its first date on and takes the way of rulebooks (back-test, vote, notice). Where none applies, the
change is planned for a date to come; and where nothing was dated yet, it holds at once.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import transaction

from uptake.basics.business_day import Clock, Turn
from uptake.directory.clock import ClockTooSoon, name_clock, plan_clock, set_clock, withdraw_clock
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events.models import Connection, Event
from uptake.programme.models import PersonLevel, RulebookVersion
from uptake.programme.rulebook import Rulebook

TRIES: Final = 3
"""Dates asked for the first on which the clock can change; today is over everywhere within two days."""


class DecidedByRules(Exception):
    """A rulebook applies there, that of `place`: it names the clock."""

    def __init__(self, place: Organization) -> None:
        self.place = place
        super().__init__(f"the rulebook of {place.slug} names the clock")


def change_clock(
    *,
    organization: Organization,
    timezone: str,
    day_start: time | None,
    from_date: date | None = None,
    by: Viewer,
    now: datetime,
) -> date | None:
    """Sets the clock of a place without rules (empty: as its parent); from which date on, None: at once.

    At once where no event was dated by it, else from `from_date` or the first date that can be. Raises NotAllowed,
    DecidedByRules, UnknownZone, ClockTooSoon, ClockTooFar, DateLost.
    """
    if not by.may(Deed.MANAGE_PEOPLE, organization):
        raise NotAllowed
    if not is_dated(organization):
        set_clock(organization=organization, timezone=timezone, day_start=day_start, by=by, now=now)
        return None
    above = rules_of(organization)
    if above is not None:
        raise DecidedByRules(above)
    day = from_date or settings_at(organization).date_of(now) + timedelta(days=1)
    for left in reversed(range(TRIES)):
        try:
            plan_clock(organization=organization, timezone=timezone, day_start=day_start, from_date=day, by=by, now=now)
        except ClockTooSoon as refused:
            if from_date is not None or not left:
                raise
            day = max(refused.earliest, day + timedelta(days=1))
        else:
            break
    return day


def take_back_clock(*, organization: Organization, from_date: date, by: Viewer, now: datetime) -> None:
    """Withdraws a planned change before it comes. Raises NotAllowed, DecidedByRules, NothingPlanned, DateLost."""
    if not by.may(Deed.MANAGE_PEOPLE, organization):
        raise NotAllowed
    above = rules_of(organization)
    if above is not None:
        raise DecidedByRules(above)
    withdraw_clock(organization=organization, from_date=from_date, by=by, now=now)


@transaction.atomic
def change_clock_with(version: RulebookVersion, rulebook: Rulebook, *, by: Viewer, now: datetime) -> None:
    """Plans the clock that a published rulebook names, from its first date on; inside the transaction of `publish`.

    Companies below with a rulebook of their own keep their clock: it is theirs to decide. Raises what
    `plan_clock` raises.
    """
    place = version.organization
    zone, day_start = clock_named(rulebook)
    for company in Organization.objects.filter(kind=Kind.COMPANY, path__startswith=place.path).exclude(pk=place.pk):
        follows = not company.timezone or company.day_start is None
        if follows and RulebookVersion.objects.filter(organization=company).exists():
            name_clock(company, settings_at(company), now=now)
    plan_clock(
        organization=place,
        timezone=zone,
        day_start=day_start,
        from_date=version.in_force_date,
        by=by,
        now=now,
        why=f"rulebook {version.number}",
    )
    # Seasons end with the start of a date: the next end is worked out again.
    PersonLevel.objects.filter(company__path__startswith=place.path, due_at__gt=now).update(due_at=now)


def clock_named(rulebook: Rulebook) -> tuple[str, time]:
    """The zone and the day start that a rulebook names."""
    return rulebook.programme.timezone, rulebook.programme.day_start


def clock_to_come(rulebook: Rulebook, place: Organization, day: date) -> Clock:
    """The clock of the place with what the rulebook names from the date after `day` on."""
    now = settings_at(place).on(day)
    return Clock([now._replace(from_date=date.min), Turn(day + timedelta(days=1), *clock_named(rulebook))])


def rules_of(place: Organization) -> Organization | None:
    """Whose rulebook, in force or coming, decides on the clock of a place; None: no rulebook does.

    Of a park also that of a company below. A site (a department with a clock of its own) has none: rules go by the
    dates its events have.
    """
    if place.kind not in (Kind.COMPANY, Kind.PARK):
        return None
    rows = RulebookVersion.objects.applying_to(place) | RulebookVersion.objects.filter(
        organization__path__startswith=place.path
    )
    first = rows.select_related("organization").defer("file").order_by("organization__path", "pk").last()
    return first.organization if first else None


def is_dated(place: Organization) -> bool:
    """Whether any event was dated by the clock of the place."""
    sources = Connection.objects.filter(organization__path__startswith=place.path).values("slug")
    if Event.objects.filter(source__in=sources).exists():
        return True
    below = Organization.objects.filter(path__startswith=place.path, kind=Kind.COMPANY).values("pk")
    return Event.objects.filter(company__in=below).exists()
