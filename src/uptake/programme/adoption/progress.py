"""How far somebody is with the guide: which steps their events have ticked. Reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min

from uptake.directory.models import Membership, Organization, Person, PersonKind, RoleAssignment
from uptake.directory.viewer import ids_of
from uptake.events.models import Event
from uptake.programme.adoption.guides import EMPLOYEE, GUIDES, WEEKS, Step, read_steps, role_of
from uptake.programme.adoption.models import Guide


@dataclass(frozen=True, slots=True)
class Ticked:
    """A step, and when it was done first; None: not yet."""

    step: Step
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """One person's way through a guide."""

    role: str
    steps: Sequence[Ticked]

    @property
    def done(self) -> int:
        return sum(one.at is not None for one in self.steps)

    @property
    def whole(self) -> int:
        return len(self.steps)

    @property
    def finished(self) -> bool:
        return self.done == self.whole

    @property
    def following(self) -> Step | None:
        """The first step that is not done."""
        return next((one.step for one in self.steps if one.at is None), None)


def steps_at(company: Organization, role: str) -> tuple[Step, ...]:
    """The company's own steps for a role, else those of the nearest place above, else the ones of the house."""
    return steps_by_role(company, [role])[role]


def steps_by_role(company: Organization, roles: Collection[str]) -> dict[str, tuple[Step, ...]]:
    """As `steps_at`, for several roles with one query."""
    depth = {key: number for number, key in enumerate(ids_of(company.path))}
    found: dict[str, tuple[int, tuple[Step, ...]]] = {}
    for row in Guide.objects.filter(organization_id__in=depth, role__in=set(roles)):
        if row.role not in found or depth[row.organization_id] > found[row.role][0]:
            found[row.role] = (depth[row.organization_id], read_steps(row.steps))
    return {role: found[role][1] if role in found else GUIDES.get(role, GUIDES[EMPLOYEE]) for role in roles}


def is_new(person: Person, today: date) -> bool:
    """Whether somebody is in their first weeks."""
    return person.joined_date is not None and today - timedelta(weeks=WEEKS) < person.joined_date <= today


def newcomers_at(company: Organization, today: date) -> list[Person]:
    """People of the company in their first weeks, the newest first."""
    since = today - timedelta(weeks=WEEKS)
    rows = Person.objects.belonging(company, today).filter(
        kind=PersonKind.HUMAN, erased_at__isnull=True, joined_date__gt=since, joined_date__lte=today
    )
    return list(rows.order_by("-joined_date", "pk"))


def progress_of(person: Person, company: Organization, today: date) -> Progress:
    """One person's own."""
    return progress_of_all([person], company, today)[person.pk]


def progress_of_all(people: Sequence[Person], company: Organization, today: date) -> dict[int, Progress]:
    """The progress of many, by person id, with four queries whatever their number."""
    roles = _roles_of(people, company, today)
    steps = steps_by_role(company, set(roles.values()))
    names = {name for one in steps.values() for step in one for name in step.events}
    first = _first_of(people, names)
    return {
        person.pk: Progress(
            roles[person.pk],
            [
                Ticked(step, min((at for name in step.events if (at := first.get((person.pk, name)))), default=None))
                for step in steps[roles[person.pk]]
            ],
        )
        for person in people
    }


def departments_of(people: Sequence[Person], company: Organization, today: date) -> Mapping[int, Organization]:
    """Where each belongs at the company today."""
    rows = Membership.objects.filter(person__in=people, organization__path__startswith=company.path).on(today)
    return {row.person_id: row.organization for row in rows.select_related("organization").order_by("from_date", "pk")}


def _roles_of(people: Sequence[Person], company: Organization, today: date) -> dict[int, str]:
    held: dict[int, set[str]] = {person.pk: set() for person in people}
    above = ids_of(company.path)
    rows = RoleAssignment.objects.filter(person__in=people).on(today)
    for person, role, place, path in rows.values_list("person_id", "role", "organization_id", "organization__path"):
        if place in above or path.startswith(company.path):
            held[person].add(role)
    return {person: role_of(frozenset(roles)) for person, roles in held.items()}


def _first_of(people: Sequence[Person], names: Collection[str]) -> dict[tuple[int, str], datetime]:
    """When each did each of these first."""
    rows = Event.objects.standing().filter(identity__person__in=people, name__in=names).order_by()
    told = rows.values_list("identity__person_id", "name").annotate(first=Min("happened_at"))
    return {(person or 0, name): at for person, name, at in told}
