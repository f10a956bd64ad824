"""Enrols a whole list of people in one company; who is known already stays as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from uptake.directory.audit import AT_ONCE, entry, note, note_all
from uptake.directory.enrol import PlaceClosed
from uptake.directory.models import Kind, Membership, Organization, Person
from uptake.directory.organize import make_organization
from uptake.directory.roster import Row
from uptake.directory.viewer import Deed, NotAllowed, Viewer

LONGEST_EMAIL = 254


@dataclass(frozen=True, slots=True)
class RowFate:
    """What becomes of a row: new, known, or refused with the reason no_name, bad_email, twice or two_people."""

    row: Row
    fate: str
    reason: str = ""
    department_is_new: bool = False


def preview(rows: Sequence[Row], *, company: Organization, by: Viewer) -> list[RowFate]:
    """What `enrol_many` would make of each row; writes nothing. Raises NotAllowed.

    A row is known by its e-mail or staff number; one that has neither, by its name.
    """
    if not by.may(Deed.MANAGE_PEOPLE, company):
        raise NotAllowed
    here = Person.objects.filter(memberships__organization__path__startswith=company.path).distinct()
    by_email: dict[str, set[int]] = {}
    by_number: dict[str, set[int]] = {}
    by_name: set[str] = set()
    for key, name, email, number in here.values_list("pk", "name", "email", "staff_number"):
        by_name.add(name.casefold())
        if email:
            by_email.setdefault(email.lower(), set()).add(key)
        if number:
            by_number.setdefault(number, set()).add(key)
    places = {name.casefold() for name in _places(company)}
    seen: set[tuple[str, str]] = set()
    fates = []
    for row in rows:
        marks = {("email", row.email.lower()), ("number", row.staff_number)} - {("email", ""), ("number", "")}
        if not marks:
            marks = {("name", row.name.casefold())}
        known = by_email.get(row.email.lower(), set()) | by_number.get(row.staff_number, set())
        if not row.name:
            fates.append(RowFate(row, "refused", "no_name"))
        elif row.email and not _is_email(row.email):
            fates.append(RowFate(row, "refused", "bad_email"))
        elif marks & seen:
            fates.append(RowFate(row, "refused", "twice"))
        elif len(known) > 1:
            fates.append(RowFate(row, "refused", "two_people"))
        elif known or (("name", row.name.casefold()) in marks and row.name.casefold() in by_name):
            fates.append(RowFate(row, "known"))
        else:
            new_place = bool(row.department) and row.department.casefold() not in places
            fates.append(RowFate(row, "new", department_is_new=new_place))
            places.add(row.department.casefold())
        seen |= marks
    return fates


@transaction.atomic
def enrol_many(
    rows: Sequence[Row], *, company: Organization, from_date: date, by: Viewer, now: datetime
) -> list[RowFate]:
    """Enrols the new rows from a date, in departments made where the company has none of that name.

    Known and refused rows change nothing, so the same list twice adds nobody. The number of statements does not grow
    with the number of rows. Raises NotAllowed, PlaceClosed.
    """
    company = Organization.objects.select_for_update(no_key=True).get(pk=company.pk)
    fates = preview(rows, company=company, by=by)
    new = [fate.row for fate in fates if fate.fate == "new"]
    if new and company.closed_at is not None:
        raise PlaceClosed
    places = {name.casefold(): place for name, place in _places(company).items()}
    there = {name: _place(name, places, company, by, now) for name in dict.fromkeys(row.department for row in new)}
    people = Person.objects.bulk_create(
        [
            Person(
                name=" ".join(row.name.split())[:200],
                email=row.email,
                staff_number=row.staff_number[:64],
                joined_date=row.from_date or from_date,
                created_at=now,
            )
            for row in new
        ],
        batch_size=AT_ONCE,
    )
    Membership.objects.bulk_create(
        [
            Membership(
                person=person,
                organization=there[row.department],
                role=row.work[:100],
                from_date=row.from_date or from_date,
            )
            for row, person in zip(new, people, strict=True)
        ],
        batch_size=AT_ONCE,
    )
    note_all(
        [
            entry(
                deed="person.enrolled",
                actor=by,
                organization=there[row.department],
                subject=person.name,
                details={
                    "person": person.pk,
                    "from_date": (row.from_date or from_date).isoformat(),
                    "kind": str(person.kind),
                },
                now=now,
            )
            for row, person in zip(new, people, strict=True)
        ]
    )
    details = {"rows": len(fates), "new": len(new)}
    note(deed="people.imported", actor=by, organization=company, subject=company.name, details=details, now=now)
    return fates


def _place(
    name: str, places: dict[str, Organization], company: Organization, by: Viewer, now: datetime
) -> Organization:
    """The company's place of a name, made where there is none; without a name the company itself."""
    if not name:
        return company
    place = places.get(name.casefold())
    if place is None:
        place = make_organization(kind=Kind.DEPARTMENT, name=name, parent=company, by=by, now=now)
        places[name.casefold()] = place
    return place


def _places(company: Organization) -> dict[str, Organization]:
    """The open departments and teams of a company by name; of two with one name, the one higher in the tree."""
    below = Organization.objects.open().below(company).exclude(pk=company.pk)
    return {place.name: place for place in sorted(below, key=lambda place: (-place.path.count("/"), -place.pk))}


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= LONGEST_EMAIL
