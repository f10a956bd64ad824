"""Sets and plans the clocks of places: at once where nothing was dated by them, else from a date to come on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import available_timezones

from django.db import transaction

from uptake.basics.business_day import Clock
from uptake.directory.audit import note
from uptake.directory.models import ClockChange, Organization
from uptake.directory.place import settings_of
from uptake.directory.viewer import Deed, NotAllowed, Viewer

ONE_DAY = timedelta(days=1)
FURTHEST = timedelta(days=366)
"""How far ahead a change can be planned."""


class UnknownZone(Exception):
    """Not the name of a time zone."""


class ClockTooSoon(Exception):
    """A clock changes with the start of a date to come; `earliest` is the first that can be."""

    def __init__(self, earliest: date) -> None:
        self.earliest = earliest
        super().__init__(f"the clock can change from {earliest} on at the earliest")


class ClockTooFar(Exception):
    """A change is planned a year ahead at most; `latest` is the last date."""

    def __init__(self, latest: date) -> None:
        self.latest = latest
        super().__init__(f"the clock can change from {latest} on at the latest")


class DateLost(Exception):
    """A date would have no length at a place, as the new clock is so far ahead: `day`, `place` (its name)."""

    def __init__(self, day: date, place: str) -> None:
        self.day, self.place = day, place
        super().__init__(f"{day} would have no length at {place}")


class NothingPlanned(Exception):
    """No change of the clock is planned for that date, or it has come."""


@transaction.atomic
def set_clock(
    *, organization: Organization, timezone: str, day_start: time | None, by: Viewer, now: datetime
) -> Organization:
    """The zone and day start of a place (empty: as its parent), as if it had always been so; plans are dropped.

    For places where nothing was dated yet; whoever calls made sure of that. Raises NotAllowed, UnknownZone.
    """
    place = held(organization, by)
    if timezone and timezone not in available_timezones():
        raise UnknownZone
    dropped = ClockChange.objects.filter(organization=place).delete()[0]
    if (place.timezone, place.day_start) == (timezone, day_start) and not dropped:
        return place
    details = {"timezone": timezone, "day_start": _told(day_start), "timezone_was": place.timezone}
    place.timezone, place.day_start = timezone, day_start
    place.save(update_fields=["timezone", "day_start"])
    note(deed="organization.clock_set", actor=by, organization=place, subject=place.name, details=details, now=now)
    return place


@transaction.atomic
def plan_clock(
    *,
    organization: Organization,
    timezone: str,
    day_start: time | None,
    from_date: date,
    by: Viewer,
    now: datetime,
    why: str = "",
) -> None:
    """From a date to come on the place goes by this zone and day start (empty: as its parent); until then by the old.

    What is dated stays so. Whoever manages people or rules there may; whether it is theirs to decide is looked at where
    rulebooks are known. `why` stands in the audit log. Places below that name no clock of their own follow.
    Raises NotAllowed, UnknownZone, ClockTooSoon, ClockTooFar, DateLost.
    """
    place = held(organization, by, Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
    if timezone and timezone not in available_timezones():
        raise UnknownZone
    before = _clocks(place)
    today = before[place.pk].date_of(now)
    if from_date > today + FURTHEST:
        raise ClockTooFar(today + FURTHEST)
    ClockChange.objects.update_or_create(
        organization=place,
        from_date=from_date,
        defaults={"timezone": timezone, "day_start": day_start, "planned_at": now},
    )
    _sound(place, before, from_date, now)
    details = {"timezone": timezone, "day_start": _told(day_start), "from_date": from_date.isoformat(), "why": why}
    note(deed="organization.clock_planned", actor=by, organization=place, subject=place.name, details=details, now=now)


@transaction.atomic
def withdraw_clock(*, organization: Organization, from_date: date, by: Viewer, now: datetime, why: str = "") -> None:
    """Takes back a change before it comes. Raises NotAllowed, NothingPlanned, DateLost (another change needs it)."""
    place = held(organization, by, Deed.MANAGE_PEOPLE, Deed.MANAGE_RULES)
    before = _clocks(place)
    planned = ClockChange.objects.filter(organization=place, from_date=from_date).first()
    if planned is None or from_date <= before[place.pk].date_of(now):
        raise NothingPlanned
    planned.delete()
    try:
        _sound(place, before, from_date, now)
    except ClockTooSoon:  # what was the last date before it goes on only because of it
        raise NothingPlanned from None
    details = {"timezone": planned.timezone, "from_date": from_date.isoformat(), "why": why}
    note(
        deed="organization.clock_withdrawn", actor=by, organization=place, subject=place.name, details=details, now=now
    )


def name_clock(place: Organization, clock: Clock, *, now: datetime) -> None:
    """Writes a clock, with its past and its plans, as the place's own; inside the transaction that holds the place."""
    ClockChange.objects.filter(organization=place).delete()
    first, *later = clock.turns
    place.timezone, place.day_start = first.zone, first.day_start
    place.save(update_fields=["timezone", "day_start"])
    ClockChange.objects.bulk_create(
        [
            ClockChange(organization=place, from_date=day, timezone=zone, day_start=start, planned_at=now)
            for day, zone, start in later
        ]
    )


def held(organization: Organization, by: Viewer, *deeds: Deed) -> Organization:
    """The place, ours alone until the transaction ends, if the viewer may do one of these deeds (else manage people)
    there. Raises NotAllowed."""
    place = Organization.objects.select_for_update(of=("self",)).select_related("parent").get(pk=organization.pk)
    if not any(by.may(deed, place) for deed in deeds or (Deed.MANAGE_PEOPLE,)):
        raise NotAllowed
    return place


def _clocks(place: Organization) -> dict[int, Clock]:
    """The clocks of the place and of all below it."""
    return settings_of(Organization.objects.filter(path__startswith=place.path))


def _sound(place: Organization, before: dict[int, Clock], from_date: date, now: datetime) -> None:
    """Wherever another clock is planned now, every date has a length and nothing that was dated is dated otherwise.

    Raises ClockTooSoon, DateLost.
    """
    names = dict(Organization.objects.filter(pk__in=before).values_list("pk", "name"))
    for key, clock in _clocks(place).items():
        was = before[key]
        if clock == was:
            continue
        if not _to_come(was, clock, from_date, now):
            day = max(was.date_of(now), clock.date_of(now)) + ONE_DAY
            raise ClockTooSoon(day)
        lost = clock.lost()
        if lost is not None:
            raise DateLost(lost, names[key])


def _to_come(was: Clock, clock: Clock, from_date: date, now: datetime) -> bool:
    """Whether the date begins after now by either clock."""
    return now < was.start_of(from_date) and now < clock.start_of(from_date)


def _told(day_start: time | None) -> str:
    return day_start.strftime("%H:%M") if day_start is not None else ""


__all__ = [
    "ClockTooFar", "ClockTooSoon", "DateLost", "NothingPlanned", "UnknownZone", "held", "name_clock", "plan_clock",
    "set_clock", "withdraw_clock",
]  # fmt: skip
