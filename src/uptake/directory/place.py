"""Where people belong and by which clock a place lives: bulk reads for those who follow events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import NamedTuple

from django.conf import settings

from uptake.basics.business_day import Clock, Turn
from uptake.directory.models import Membership, Organization
from uptake.directory.viewer import ids_of

IDS_PER_QUERY = 900


class Named(NamedTuple):
    """What a place itself names from a date on; empty: as the place above."""

    from_date: date
    zone: str
    day_start: time | None


class Span(NamedTuple):
    """A person belongs to a place in [from_date, until_date); `company_id` is None at the park itself."""

    membership_id: int
    organization_id: int
    company_id: int | None
    path: str
    role: str
    from_date: date
    until_date: date | None

    def holds_on(self, day: date) -> bool:
        return self.from_date <= day and (self.until_date is None or day < self.until_date)


def settings_at(organization: Organization | None) -> Clock:
    """The clock of a place: its own, else the nearest above it that names one, else the installation's."""
    if organization is None:
        return Clock.steady(settings.TIME_ZONE)
    return settings_of([organization])[organization.pk]


def settings_of(organizations: Iterable[Organization]) -> dict[int, Clock]:
    """The clocks of many places with one query, by organization id."""
    return clocks_below({place.pk: place.path for place in organizations})


def clocks_below(paths: Mapping[int, str]) -> dict[int, Clock]:
    """The same of places of which only id and path are known."""
    above = {key: ids_of(path) for key, path in paths.items()}
    named: dict[int, list[Named]] = {}
    rows = Organization.objects.filter(pk__in={key for keys in above.values() for key in keys}).values_list(
        "pk",
        "timezone",
        "day_start",
        "clock_changes__from_date",
        "clock_changes__timezone",
        "clock_changes__day_start",
    )
    for key, zone, start, from_date, later_zone, later_start in rows:
        names = named.setdefault(key, [Named(date.min, zone, start)])
        if from_date is not None:
            names.append(Named(from_date, later_zone, later_start))
    for names in named.values():
        names.sort(key=lambda one: one.from_date)
    return {key: _inherited([named[one] for one in reversed(keys) if one in named]) for key, keys in above.items()}


def named_on(place: Organization, day: date) -> Named:
    """What the place itself names on a date; empty: as the place above."""
    change = place.clock_changes.filter(from_date__lte=day).order_by("from_date").last()
    if change is None:
        return Named(date.min, place.timezone, place.day_start)
    return Named(change.from_date, change.timezone, change.day_start)


def _inherited(levels: Sequence[Sequence[Named]]) -> Clock:
    """The clock of a place; `levels`: what it, its parent and so on up to the root name."""
    turns: list[Turn] = []
    for day in sorted({date.min, *(one.from_date for names in levels for one in names)}):
        zone, day_start = "", None
        for names in levels:
            holds = names[0]
            for one in names[1:]:
                if one.from_date <= day:
                    holds = one
            zone = zone or holds.zone
            day_start = holds.day_start if day_start is None else day_start
        turn = Turn(day, zone or settings.TIME_ZONE, day_start or time(0))
        if not turns or turn[1:] != turns[-1][1:]:
            turns.append(turn)
    return Clock(turns)


def memberships_of(person_ids: Iterable[int]) -> dict[int, list[Span]]:
    """All memberships of many people, by person id, oldest first; people without any are left out."""
    ids = sorted(set(person_ids))
    found: dict[int, list[Span]] = {}
    for start in range(0, len(ids), IDS_PER_QUERY):
        rows = (
            Membership.objects.filter(person_id__in=ids[start : start + IDS_PER_QUERY])
            .order_by("person_id", "from_date", "pk")
            .values_list(
                "person_id",
                "pk",
                "organization_id",
                "organization__company_id",
                "organization__path",
                "role",
                "from_date",
                "until_date",
            )
        )
        for person_id, key, place_id, company_id, path, role, from_date, until_date in rows:
            span = Span(key, place_id, company_id, path, role, from_date, until_date)
            found.setdefault(person_id, []).append(span)
    return found


def span_on(spans: Sequence[Span], day: date) -> Span | None:
    """The span that counts on a date: of several, the one that began last (then the one written first)."""
    holding = [span for span in spans if span.holds_on(day)]
    return max(holding, key=lambda span: (span.from_date, -span.membership_id), default=None)


def membership_on(person_id: int, day: date) -> Span | None:
    """Where a person belongs on a date, or None."""
    return span_on(memberships_of([person_id]).get(person_id, []), day)
