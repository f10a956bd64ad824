"""Reads the company as it stands, and says what would become of what a source says. Only reads."""

from __future__ import annotations

from datetime import datetime, timedelta

from uptake.connectors.people.models import PeopleSource, SaidPerson, SaidPlace
from uptake.connectors.people.plan import Directory, Here, Known, Place, Plan, planned
from uptake.connectors.people.snapshot import Snapshot, tidied
from uptake.directory.models import Identity, Kind, Membership, Organization, Person
from uptake.directory.place import IDS_PER_QUERY, settings_at
from uptake.directory.resolve import Hints, matches

LATELY = timedelta(days=1)


def look(*, source: PeopleSource, said: Snapshot, now: datetime) -> Plan:
    """The plan for what a source says. Writes nothing: this is the dry run."""
    said = tidied(said)
    return planned(said, directory_of(source, said, now=now), confirmed=source.confirmed)


def directory_of(source: PeopleSource, said: Snapshot, *, now: datetime) -> Directory:
    """The company of a source as it stands, as far as the source has to do with it."""
    company = source.company
    rows = {one.key: one for one in SaidPerson.objects.filter(source=source)}
    identities = dict(
        Identity.objects.filter(source=source.label, person__isnull=False).values_list("external_id", "person_id")
    )
    owners: dict[str, int | None] = {key: row.person_id or identities.get(key) for key, row in rows.items()} | {
        key: person for key, person in identities.items() if key not in rows
    }
    unknown = {one.key: one for one in said.people if owners.get(one.key) is None and one.active}
    matched = matches(
        people={
            key: Hints(name=one.name, email=one.email, staff_number=one.staff_number) for key, one in unknown.items()
        },
        company=company,
        now=now,
    )
    known = {
        key: Known(
            owner,
            belongs=key in rows and rows[key].belongs,
            left_lately=key in rows and _lately(rows[key].left_at, now) and not rows[key].belongs,
        )
        for key, owner in owners.items()
    }
    held = SaidPerson.objects.filter(source__company=company, belongs=True, person__isnull=False)
    return Directory(
        company_id=company.pk,
        places={
            one.pk: Place(one.pk, one.name, one.parent_id or 0, one.closed_at is None, one.kind == Kind.DEPARTMENT)
            for one in Organization.objects.below(company).exclude(pk=company.pk)
        },
        people=_people(
            company, [one for one in owners.values() if one] + [one for one, _d in matched.values() if one], now
        ),
        place_of={
            one.key: one.place_id
            for one in SaidPlace.objects.filter(source=source, place__isnull=False)
            if one.place_id is not None
        },
        known=known,
        matched=matched,
        held_by_others=frozenset(held.exclude(source=source).values_list("person_id", flat=True)),
    )


def _people(company: Organization, of_the_source: list[int], now: datetime) -> dict[int, Here]:
    """Everybody who belongs or belonged to the company, and those the source knows."""
    today = settings_at(company).date_of(now)
    in_company = Membership.objects.filter(organization__path__startswith=company.path)
    wanted = sorted(set(in_company.values_list("person_id", flat=True)) | set(of_the_source))
    current: dict[int, tuple[object, int, int]] = {}
    elsewhere: set[int] = set()
    found: dict[int, Here] = {}
    for start in range(0, len(wanted), IDS_PER_QUERY):
        ids = wanted[start : start + IDS_PER_QUERY]
        spans = Membership.objects.filter(person_id__in=ids).on(today)
        for key, person_id, at, path, since in spans.values_list(
            "pk", "person_id", "organization_id", "organization__path", "from_date"
        ):
            if not path.startswith(company.path):
                elsewhere.add(person_id)
            elif person_id not in current or (since, -key) > current[person_id][:2]:
                current[person_id] = (since, -key, at)
        people = Person.objects.filter(pk__in=ids, erased_at__isnull=True)
        for key, name, email, number in people.values_list("pk", "name", "email", "staff_number"):
            at_place = current[key][2] if key in current else None
            found[key] = Here(key, name, email, number, at_place, key in elsewhere)
    return found


def _lately(left_at: datetime | None, now: datetime) -> bool:
    return left_at is not None and left_at > now - LATELY
