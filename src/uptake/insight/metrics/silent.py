"""Who has fallen silent and should be called: regular users who stopped lately come first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from uptake.activity.summaries.rhythm import Rhythms
from uptake.directory.models import Kind, Membership, Organization, Person, PersonKind
from uptake.directory.place import settings_at
from uptake.directory.scope import Viewer
from uptake.insight.metrics.states import Measure

REGULAR = 2.0
"""Who used to be active on so many days a week was a regular user."""
AT_ONCE = 900


@dataclass(frozen=True)
class Silent:
    """A silent person the viewer may see."""

    person: int
    name: str
    staff_number: str
    company_id: int
    company: str
    department: str
    last_day: date
    working_days: int
    """Begun since the last day, today's included."""
    used: float
    """Days a week before falling silent."""
    weeks: tuple[int, ...]
    """Active days of each of the last weeks."""
    tail: tuple[str, ...]
    """The names of the last actions, the last one last."""

    @property
    def regular(self) -> bool:
        return self.used >= REGULAR


def leavers(place: Organization, today: date) -> list[int]:
    """People (ids) who belonged to the place and do so no more: they are not silent, they are gone."""
    held = Membership.objects.filter(organization__path__startswith=place.path)
    gone = sorted(set(held.filter(until_date__lte=today).values_list("person_id", flat=True)))
    found: list[int] = []
    for some in _cut(gone):
        here = set(held.on(today).filter(person_id__in=some).values_list("person_id", flat=True))
        found += [one for one in some if one not in here]
    return found


def call_list(
    viewer: Viewer, place: Organization, answer: Mapping[str, Any], measure: Measure, rhythms: Rhythms
) -> list[Silent]:
    """The silent people of an answer of `silence` whom the viewer may see, in the order to call them.

    First those who were regular users, then the others; within both the latest to fall silent first, and of these the
    most regular. Identities nobody has claimed are left out.
    """
    clock = settings_at(place)
    ids = sorted(int(name) for name in answer["silent"] if int(name) > 0)
    homes = _homes(ids, measure.today)
    found = []
    for some in _cut(ids):
        seen = Person.objects.visible_to(viewer).filter(pk__in=some, kind=PersonKind.HUMAN)
        for key, name, staff_number in seen.values_list("pk", "name", "staff_number"):
            last = clock.date_of(datetime.fromisoformat(answer["since"][str(key)]))
            own = rhythms.get(key)
            found.append(
                Silent(
                    key,
                    name,
                    staff_number,
                    *homes.get(key, (0, "", "")),
                    last,
                    measure.since(last),
                    own.used if own else 0.0,
                    own.weeks if own else (),
                    tuple(answer["silent"][str(key)]),
                )
            )
    return sorted(found, key=lambda one: (not one.regular, -one.last_day.toordinal(), -one.used, one.name))


def _homes(people: list[int], today: date) -> dict[int, tuple[int, str, str]]:
    """(company id, its name, department name) by person."""
    homes: dict[int, tuple[int, str, str]] = {}
    place = "organization__"
    for some in _cut(people):
        held = Membership.objects.on(today).filter(person_id__in=some).order_by("from_date", "pk")
        for person, kind, key, name, company, company_name in held.values_list(
            "person_id", place + "kind", place + "pk", place + "name", place + "company", place + "company__name"
        ):
            own = kind == Kind.COMPANY
            homes[person] = (key, name, "") if own else (company or 0, company_name or "", name)
    return homes


def _cut(ids: Collection[int]) -> list[list[int]]:
    several = list(ids)
    return [several[start : start + AT_ONCE] for start in range(0, len(several), AT_ONCE)]
