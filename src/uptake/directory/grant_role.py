"""Gives and ends roles; nobody gives more than their own role lets them, and nobody gives to themselves."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, Person, Role, RoleAssignment
from uptake.directory.viewer import Deed, NotAllowed, Viewer


class NotToOneself(Exception):
    """A role is given by another."""


class WrongPlaceForRole(Exception):
    """Administrators and operators hold their role at the root of a tree, coaches at a company or park."""


class WrongDates(Exception):
    """A role ends after it starts."""


class LastAdministrator(Exception):
    """Somebody must be able to run the platform."""


@transaction.atomic
def give_role(
    *,
    person: Person,
    role: Role,
    organization: Organization,
    from_date: date,
    by: Viewer,
    now: datetime,
    until_date: date | None = None,
) -> RoleAssignment:
    """A role at a place in [from_date, until_date). Given again while it holds, it is left as it is.

    Raises NotAllowed, NotToOneself, WrongPlaceForRole, WrongDates.
    """
    if not by.may(Deed.GIVE_ROLES, organization) or not by.may_give(role, organization.path):
        raise NotAllowed
    if by.person_id == person.pk:
        raise NotToOneself
    Person.objects.select_for_update().get(pk=person.pk)
    if not Person.objects.visible_to(by).filter(pk=person.pk).exists():
        raise NotAllowed
    at_root = organization.parent_id is None
    if (role in (Role.ADMINISTRATOR, Role.OPERATOR) and not at_root) or (
        role == Role.COACH and organization.kind not in (Kind.COMPANY, Kind.PARK)
    ):
        raise WrongPlaceForRole
    if until_date is not None and until_date <= from_date:
        raise WrongDates
    same = RoleAssignment.objects.filter(person=person, role=role, organization=organization)
    held = same.filter(Q(until_date__isnull=True) | Q(until_date__gt=from_date), from_date__lte=from_date).first()
    if held is not None:
        return held
    made = RoleAssignment.objects.create(
        person=person,
        role=role,
        organization=organization,
        from_date=from_date,
        until_date=until_date,
        given_by_id=by.user_id,
        given_at=now,
    )
    details = {
        "person": person.pk,
        "role": str(role),
        "from_date": from_date.isoformat(),
        "until_date": until_date.isoformat() if until_date else None,
    }
    note(deed="role.given", actor=by, organization=organization, subject=person.name, details=details, now=now)
    return made


@transaction.atomic
def end_role(*, assignment: RoleAssignment, until_date: date, by: Viewer, now: datetime) -> RoleAssignment:
    """Ends a role: `until_date` is the first day without it. Raises NotAllowed, LastAdministrator."""
    held = (
        RoleAssignment.objects.select_for_update(of=("self",))
        .select_related("organization", "person")
        .get(pk=assignment.pk)
    )
    place = held.organization
    if not by.may(Deed.GIVE_ROLES, place) or not by.may_give(held.role, place.path):
        raise NotAllowed
    until_date = max(until_date, held.from_date)
    if held.until_date is not None and held.until_date <= until_date:
        return held
    if held.role == Role.ADMINISTRATOR:
        # All administrators' rows are locked in one order, so that two cannot end each other at once.
        others = RoleAssignment.objects.select_for_update(of=("self",)).filter(
            role=Role.ADMINISTRATOR, person__user__is_active=True
        )
        lasting = [one for one in others.order_by("pk") if one.until_date is None and one.pk != held.pk]
        if not lasting:
            raise LastAdministrator
    held.until_date = until_date
    held.save(update_fields=["until_date"])
    details = {"person": held.person_id, "role": held.role, "until_date": until_date.isoformat()}
    note(deed="role.ended", actor=by, organization=place, subject=held.person.name, details=details, now=now)
    return held
