"""Makes people and their dated memberships: who belongs where, from when, until when."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from uptake.directory.audit import note
from uptake.directory.models import Membership, Organization, Person, PersonKind
from uptake.directory.viewer import Deed, NotAllowed, Viewer


class AlreadyThere(Exception):
    """The person belongs to this place in (part of) that time already."""


class AlreadyKnown(Exception):
    """Somebody of the company has this e-mail or staff number."""

    def __init__(self, person: Person) -> None:
        self.person = person
        super().__init__(str(person.pk))


class NameMissing(Exception):
    """A person needs a name."""


class WrongDates(Exception):
    """A span must last a day at least, and a move lies within the membership it ends."""


class PlaceClosed(Exception):
    """Nobody can join a closed place."""


def may_manage(viewer: Viewer, person: Person) -> bool:
    """Whether the viewer manages the person: where they belong today or will; if nowhere, where they last did."""
    memberships = list(person.memberships.select_related("organization").order_by("from_date", "pk"))
    current = [one for one in memberships if one.until_date is None or one.until_date > viewer.today]
    return any(viewer.may(Deed.MANAGE_PEOPLE, one.organization) for one in current or memberships[-1:])


@transaction.atomic
def enrol(
    *,
    name: str,
    organization: Organization,
    from_date: date,
    by: Viewer,
    now: datetime,
    email: str = "",
    staff_number: str = "",
    work: str = "",
    kind: PersonKind = PersonKind.HUMAN,
) -> Person:
    """A new person who belongs to a place from a date, doing `work` there.

    Raises NotAllowed, NameMissing, PlaceClosed, or AlreadyKnown with whoever of the same company has the e-mail or
    staff number.
    """
    place = _open_place(organization, by)
    name, email, staff_number = " ".join(name.split()), email.strip(), staff_number.strip()
    if not name:
        raise NameMissing
    _check_known(place, email, staff_number, None)
    person = Person.objects.create(
        name=name, email=email, staff_number=staff_number, kind=kind, joined_date=from_date, created_at=now
    )
    Membership.objects.create(person=person, organization=place, role=work, from_date=from_date)
    details = {"person": person.pk, "from_date": from_date.isoformat(), "kind": str(kind)}
    note(deed="person.enrolled", actor=by, organization=place, subject=name, details=details, now=now)
    return person


@transaction.atomic
def describe_person(
    *,
    person: Person,
    name: str,
    email: str,
    staff_number: str,
    by: Viewer,
    now: datetime,
    kind: PersonKind = PersonKind.HUMAN,
) -> Person:
    """What is known of a person. Raises NotAllowed, NameMissing, AlreadyKnown."""
    person = Person.objects.select_for_update().get(pk=person.pk)
    if not may_manage(by, person):
        raise NotAllowed
    name, email, staff_number = " ".join(name.split()), email.strip(), staff_number.strip()
    if not name:
        raise NameMissing
    was = (person.name, person.email, person.staff_number, person.kind)
    if was == (name, email, staff_number, kind):
        return person
    place = _home(person)
    if place is not None:
        _check_known(
            place,
            email if email.lower() != person.email.lower() else "",
            staff_number if staff_number != person.staff_number else "",
            person.pk,
        )
    changed = [
        field
        for field, old, new in zip(
            ("name", "email", "staff_number", "kind"), was, (name, email, staff_number, kind), strict=True
        )
        if old != new
    ]
    person.name, person.email, person.staff_number, person.kind = name, email, staff_number, kind
    person.save(update_fields=changed)
    details = {"person": person.pk, "changed": changed}
    note(deed="person.described", actor=by, organization=place, subject=name, details=details, now=now)
    return person


@transaction.atomic
def join(
    *, person: Person, organization: Organization, from_date: date, by: Viewer, now: datetime, work: str = ""
) -> Membership:
    """A further membership. The person must be visible to the viewer. Raises NotAllowed, PlaceClosed, AlreadyThere."""
    place = _open_place(organization, by)
    Person.objects.select_for_update().get(pk=person.pk)
    if not Person.objects.visible_to(by).filter(pk=person.pk).exists():
        raise NotAllowed
    _check_free(person, place, from_date, None)
    made = Membership.objects.create(person=person, organization=place, role=work, from_date=from_date)
    details = {"person": person.pk, "from_date": from_date.isoformat()}
    note(deed="membership.begun", actor=by, organization=place, subject=person.name, details=details, now=now)
    return made


@transaction.atomic
def leave(*, membership: Membership, until_date: date, by: Viewer, now: datetime) -> Membership:
    """Ends a membership: `until_date` is the first day no longer there. Raises NotAllowed, WrongDates, AlreadyThere."""
    held = _held(membership, by)
    if held.until_date == until_date:
        return held
    if until_date <= held.from_date:
        raise WrongDates
    if held.until_date is not None and until_date > held.until_date:
        _check_free(held.person, held.organization, held.until_date, until_date)
    held.until_date = until_date
    held.save(update_fields=["until_date"])
    details = {"person": held.person_id, "until_date": until_date.isoformat()}
    note(
        deed="membership.ended",
        actor=by,
        organization=held.organization,
        subject=held.person.name,
        details=details,
        now=now,
    )
    return held


@transaction.atomic
def move(
    *, membership: Membership, organization: Organization, on_date: date, by: Viewer, now: datetime, work: str = ""
) -> Membership:
    """Ends one membership and begins another on the same date; gives the new one.

    A move on the day the membership began replaces it, as it never held a day. An end that was set already is kept.
    Raises NotAllowed, PlaceClosed, WrongDates, AlreadyThere. Those who follow events are told by the caller.
    """
    held = _held(membership, by)
    place = _open_place(organization, by)
    if on_date < held.from_date or (held.until_date is not None and on_date >= held.until_date):
        raise WrongDates
    if place.pk == held.organization_id:
        raise AlreadyThere
    end = held.until_date
    _check_free(held.person, place, on_date, end)
    if on_date == held.from_date:
        held.delete()
    else:
        held.until_date = on_date
        held.save(update_fields=["until_date"])
    made = Membership.objects.create(
        person=held.person, organization=place, role=work or held.role, from_date=on_date, until_date=end
    )
    details = {"person": held.person_id, "from": held.organization.slug, "to": place.slug, "on": on_date.isoformat()}
    for at in {held.organization, place}:
        note(deed="membership.moved", actor=by, organization=at, subject=held.person.name, details=details, now=now)
    return made


def _open_place(organization: Organization, by: Viewer) -> Organization:
    if not by.may(Deed.MANAGE_PEOPLE, organization):
        raise NotAllowed
    place = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if place.closed_at is not None:
        raise PlaceClosed
    return place


def _held(membership: Membership, by: Viewer) -> Membership:
    Person.objects.select_for_update().get(pk=membership.person_id)
    held = Membership.objects.select_related("person", "organization").get(pk=membership.pk)
    if not by.may(Deed.MANAGE_PEOPLE, held.organization):
        raise NotAllowed
    return held


def _check_free(person: Person, place: Organization, begin: date, end: date | None) -> None:
    beside = Membership.objects.filter(person=person, organization=place).exclude(until_date__lte=begin)
    if end is not None:
        beside = beside.filter(from_date__lt=end)
    if beside.exists():
        raise AlreadyThere


def _check_known(place: Organization, email: str, staff_number: str, but: int | None) -> None:
    """Refuses an e-mail or staff number that somebody of the same company (or of the park's own staff) has."""
    same = Q()
    if email:
        same |= Q(email__iexact=email)
    if staff_number:
        same |= Q(staff_number=staff_number)
    if not same:
        return
    if place.company_id is not None:
        here = Q(memberships__organization__company_id=place.company_id)
    else:
        here = Q(memberships__organization=place)
    known = Person.objects.filter(same, here).exclude(pk__in=[but] if but else []).order_by("pk").first()
    if known is not None:
        raise AlreadyKnown(known)


def _home(person: Person) -> Organization | None:
    latest = person.memberships.select_related("organization").order_by("from_date", "pk").last()
    return latest.organization if latest else None
