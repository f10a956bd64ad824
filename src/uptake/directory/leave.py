"""Leave of people: dates on which nobody expects them, so that a streak neither grows nor breaks."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Leave, Membership, Person
from uptake.directory.place import IDS_PER_QUERY
from uptake.directory.viewer import Deed, NotAllowed, Viewer

LONGEST = timedelta(days=731)


class NoDays(Exception):
    """Leave ends after it begins, and within two years."""


class Overlaps(Exception):
    """Other leave of the person has begun by then and is not over."""


@transaction.atomic
def add_leave(*, person: Person, from_date: date, until_date: date, by: Viewer, now: datetime) -> Leave:
    """The person is away in [from_date, until_date). Repeating it changes nothing.

    Raises NotAllowed, NoDays, Overlaps.
    """
    person = _held(person, by)
    if not timedelta(0) < until_date - from_date <= LONGEST:
        raise NoDays
    overlapping = Leave.objects.filter(person=person, from_date__lt=until_date, until_date__gt=from_date)
    for one in overlapping:
        if (one.from_date, one.until_date) == (from_date, until_date):
            return one
        raise Overlaps
    made = Leave.objects.create(person=person, from_date=from_date, until_date=until_date)
    _note("leave.added", made, by, now)
    return made


@transaction.atomic
def remove_leave(*, leave: Leave, by: Viewer, now: datetime) -> None:
    """The person is not away after all. Repeating it changes nothing. Raises NotAllowed."""
    _held(leave.person, by)
    found = Leave.objects.filter(pk=leave.pk).first()
    if found is not None:
        _note("leave.removed", found, by, now)
        found.delete()


def days_of_leave(person_ids: Collection[int]) -> dict[int, set[date]]:
    """All dates on which each of these people is away; who never is, is left out."""
    ids = sorted(set(person_ids))
    found: dict[int, set[date]] = {}
    for start in range(0, len(ids), IDS_PER_QUERY):
        rows = Leave.objects.filter(person_id__in=ids[start : start + IDS_PER_QUERY])
        for person, day, until in rows.values_list("person_id", "from_date", "until_date"):
            days = found.setdefault(person, set())
            while day < until:
                days.add(day)
                day += timedelta(days=1)
    return found


def may_manage_leave(by: Viewer, person: Person) -> bool:
    """Whether the viewer manages people at a place the person belongs or belonged to."""
    if by.sees_everything(Deed.MANAGE_PEOPLE):
        return True
    return Membership.objects.filter(by.within("organization__path", Deed.MANAGE_PEOPLE), person=person).exists()


def _held(person: Person, by: Viewer) -> Person:
    if not may_manage_leave(by, person):
        raise NotAllowed
    return Person.objects.select_for_update(no_key=True).get(pk=person.pk)


def _note(deed: str, leave: Leave, by: Viewer, now: datetime) -> None:
    place = Membership.objects.filter(person=leave.person_id).order_by("-from_date", "-pk").first()
    details = {"person": leave.person_id, "from": leave.from_date.isoformat(), "until": leave.until_date.isoformat()}
    note(
        deed=deed,
        actor=by,
        organization=place.organization if place else None,
        subject=leave.person.name,
        details=details,
        now=now,
    )
