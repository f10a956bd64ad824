"""The people behind a number, as a list: who, where, when last active, how much in the period."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from uptake.activity import ActivityLog
from uptake.activity.summaries.last_activity import last_activity
from uptake.activity.summaries.people import people
from uptake.directory.models import Identity, Kind, Membership, Organization, Person
from uptake.directory.scope import Viewer
from uptake.insight.metrics.period import Period
from uptake.insight.metrics.usage import reach


@dataclass(frozen=True)
class Behind:
    """One person (or an identity nobody has claimed yet: `person` None). Figures are of the place and the period."""

    person: int | None
    name: str
    staff_number: str
    company: str
    department: str
    last_day: date | None
    """Of all the record in the companies of the place, not of the period alone."""
    active_days: int
    events: int
    per_day: tuple[int, ...]


def rows_of(
    log: ActivityLog, viewer: Viewer, codes: Collection[int], place: Organization, period: Period
) -> list[Behind]:
    """The people of these codes whom the viewer may see, by name; who may not be seen is left out."""
    wanted = sorted(code for code in codes if code > 0)
    where = reach(place)
    found = {
        row.person: row for row in people(log, first=period.first, last=period.shown_last, persons=wanted, **where).rows
    }
    last = last_activity(log, persons=wanted, companies=where["companies"])
    known: dict[int, Person] = {}
    for start in range(0, len(wanted), 900):
        known |= Person.objects.visible_to(viewer).in_bulk(wanted[start : start + 900])
    homes = _homes(list(known), period.today)
    listed = []
    for key, person in known.items():
        row = found.get(key)
        company, department = homes.get(key, ("", ""))
        when = last.get(key)
        listed.append(
            Behind(
                person=key,
                name=person.name,
                staff_number=person.staff_number,
                company=company,
                department=department,
                last_day=when.day if when else None,
                active_days=row.active_days if row else 0,
                events=row.events if row else 0,
                per_day=row.per_day if row else (),
            )
        )
    unclaimed = [-code for code in codes if code < 0]
    for start in range(0, len(unclaimed), 900):
        unresolved = Identity.objects.visible_to(viewer).filter(pk__in=unclaimed[start : start + 900])
        listed.extend(Behind(None, one.external_id, "", "", "", None, 0, 0, ()) for one in unresolved)
    return sorted(listed, key=lambda row: row.name)


def _homes(persons: list[int], today: date) -> dict[int, tuple[str, str]]:
    """(company, department) names by person, as of today."""
    homes: dict[int, tuple[str, str]] = {}
    for start in range(0, len(persons), 900):
        held = (
            Membership.objects.on(today)
            .filter(person_id__in=persons[start : start + 900])
            .select_related("organization", "organization__company")
            .order_by("from_date", "pk")
        )
        for one in held:
            place = one.organization
            company = place if place.kind == Kind.COMPANY else place.company
            homes[one.person_id] = (company.name if company else "", "" if place == company else place.name)
    return homes
