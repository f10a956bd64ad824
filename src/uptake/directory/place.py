"""Where people belong and by which clock a place lives: bulk reads for those who follow events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import NamedTuple

from django.conf import settings

from uptake.directory.models import Membership, Organization
from uptake.directory.viewer import ids_of

IDS_PER_QUERY = 900


class PlaceSettings(NamedTuple):
    """The clock of a place: an IANA zone and the time at which its business date starts."""

    zone: str
    day_start: time


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


def settings_at(organization: Organization | None) -> PlaceSettings:
    """The clock of a place: its own, else the nearest above it that names one, else the installation's."""
    if organization is None:
        return PlaceSettings(settings.TIME_ZONE, time(0))
    return settings_of([organization])[organization.pk]


def settings_of(organizations: Iterable[Organization]) -> dict[int, PlaceSettings]:
    """The clocks of many places with one query, by organization id."""
    places = list(organizations)
    wanted = {key for place in places for key in ids_of(place.path)}
    named: Mapping[int, tuple[str, time | None]] = {
        key: (zone, start)
        for key, zone, start in Organization.objects.filter(pk__in=wanted).values_list("pk", "timezone", "day_start")
    }
    found = {}
    for place in places:
        zone, day_start = "", None
        for key in reversed(ids_of(place.path)):
            own_zone, own_start = named.get(key, ("", None))
            zone = zone or own_zone
            day_start = own_start if day_start is None else day_start
        found[place.pk] = PlaceSettings(zone or settings.TIME_ZONE, day_start or time(0))
    return found


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
