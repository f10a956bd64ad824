"""The working calendar of each place: holidays, days off and worked weekends, filled by country and set by hand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import holidays
from django.db import transaction
from django.utils.translation import get_language

from uptake.directory.audit import note
from uptake.directory.models import CalendarDay, DayKind, Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer, ids_of

WEEKEND = frozenset({5, 6})
"""Saturday and Sunday, where no day says otherwise."""


class UnknownCountry(Exception):
    """The list of holidays does not know this country."""


@dataclass(frozen=True, slots=True)
class Day:
    """What kind of day a date is at a place."""

    kind: DayKind
    name: str = ""
    name_en: str = ""
    provisional: bool = False

    @property
    def works(self) -> bool:
        return self.kind == DayKind.WORK

    @property
    def label(self) -> str:
        """The name in the reader's language, as far as there is one."""
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name


def day_kinds_between(organization: Organization | None, first: date, last: date) -> dict[date, Day]:
    """Every date of [first, last] with its kind: the place's own days, else the nearest above, else the week."""
    days = {}
    day = first
    while day <= last:
        days[day] = Day(DayKind.REST if day.weekday() in WEEKEND else DayKind.WORK)
        day += timedelta(days=1)
    if organization is None:
        return days
    depth = {key: number for number, key in enumerate(ids_of(organization.path))}
    special = CalendarDay.objects.filter(organization__in=depth, date__range=(first, last))
    for one in sorted(special, key=lambda one: depth[one.organization_id]):
        days[one.date] = Day(DayKind(one.kind), one.name, one.name_en, one.provisional)
    return days


def working_days_between(organization: Organization | None, first: date, last: date) -> list[date]:
    """The working days of [first, last] at a place, in order."""
    return [day for day, what in day_kinds_between(organization, first, last).items() if what.works]


@transaction.atomic
def fill(*, organization: Organization, country: str, year: int, by: Viewer, now: datetime) -> int:
    """Fills a year with the public holidays and worked weekends of a country (ISO 3166); gives the number of days.

    Days set by hand stay; days filled before are filled anew. A year whose official calendar is not out yet is marked
    provisional. Raises NotAllowed, UnknownCountry.
    """
    place = _held(organization, by)
    known = _holidays(country, year)
    own = CalendarDay.objects.filter(organization=place, date__year=year)
    by_hand = set(own.filter(by_hand=True).values_list("date", flat=True))
    own.filter(by_hand=False).delete()
    made = [
        CalendarDay(
            organization=place,
            date=day,
            kind=what.kind,
            name=what.name,
            name_en=what.name_en,
            provisional=what.provisional and year > now.year,
        )
        for day, what in known.items()
        if day not in by_hand
    ]
    CalendarDay.objects.bulk_create(made)
    details = {"country": country, "year": year, "days": len(made)}
    note(deed="calendar.filled", actor=by, organization=place, subject=f"{country} {year}", details=details, now=now)
    return len(made)


@transaction.atomic
def set_day(
    *, organization: Organization, day: date, kind: DayKind, name: str, by: Viewer, now: datetime
) -> CalendarDay:
    """Says by hand what kind of day a date is at a place and below it. Raises NotAllowed."""
    place = _held(organization, by)
    name = " ".join(name.split())[:100]
    existing = CalendarDay.objects.filter(organization=place, date=day).first()
    if existing is not None and (existing.kind, existing.name, existing.by_hand) == (kind, name, True):
        return existing
    made, _ = CalendarDay.objects.update_or_create(
        organization=place,
        date=day,
        defaults={"kind": kind, "name": name, "name_en": "", "provisional": False, "by_hand": True},
    )
    details = {"date": day.isoformat(), "kind": str(kind), "was": existing.kind if existing else None}
    note(deed="calendar.day_set", actor=by, organization=place, subject=name or str(day), details=details, now=now)
    return made


@transaction.atomic
def clear_day(*, organization: Organization, day: date, by: Viewer, now: datetime) -> None:
    """Forgets what a place says about a date: it is again as above it, or as the week has it. Raises NotAllowed."""
    place = _held(organization, by)
    if CalendarDay.objects.filter(organization=place, date=day).delete()[0]:
        details = {"date": day.isoformat()}
        note(deed="calendar.day_cleared", actor=by, organization=place, subject=str(day), details=details, now=now)


def countries() -> Collection[str]:
    """The countries whose holidays are known, as ISO 3166 codes."""
    return sorted(holidays.list_supported_countries(include_aliases=False))


def _held(organization: Organization, by: Viewer) -> Organization:
    if not by.may(Deed.MANAGE_PEOPLE, organization):
        raise NotAllowed
    return Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _holidays(country: str, year: int) -> dict[date, Day]:
    """The days of a year that depart from the week; `provisional` where the year's own decree is not in the list."""
    try:
        there = holidays.country_holidays(country, years=year)
    except NotImplementedError as unknown:
        raise UnknownCountry(country) from unknown
    languages = there.supported_languages
    native = holidays.country_holidays(country, years=year, language=there.default_language)
    english = holidays.country_holidays(country, years=year, language="en_US" if "en_US" in languages else None)
    provisional = year not in getattr(there, "special_public_holidays", {})
    found = {
        day: Day(DayKind.HOLIDAY, native.get(day, "")[:100], english.get(day, "")[:100], provisional) for day in native
    }
    for day in getattr(there, "weekend_workdays", ()):
        if day.year == year:
            found[day] = Day(DayKind.WORK, "", "", provisional)
    return found
