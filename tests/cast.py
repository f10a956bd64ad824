"""The people and places of the stories: Linjiang Park, its companies Beiyuan and Qinghe, and those who work there.

Mo of Qinghe must see nothing of Beiyuan, and nobody of Beiyuan anything of Qinghe; `QINGHE_MARKS` and `BEIYUAN_MARKS`
are the words by which a leak is known. A test asks for the fixture `cast` and signs people in with `cast.sign_in`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from uptake.directory.models import Identity, Kind, Membership, Organization, Person, Role, RoleAssignment, User
from uptake.directory.scope import Viewer, viewer_of

NOW = datetime(2026, 5, 13, 2, 0, tzinfo=UTC)
"""10:00 on a Wednesday in Linjiang."""
TODAY = date(2026, 5, 13)
LONG_AGO = date(2025, 1, 1)
PASSWORD = "five-hundred-bolts"

QINGHE_MARKS = ("Qinghe", "Mo Yun", "mo@qinghe.example", "Dyeing", "QH-7001")
"""Words that stand only in rows of Qinghe Textile: its name, its people, its department, its order."""
BEIYUAN_MARKS = ("Beiyuan", "Lin Fang", "Hua Jing", "lin@beiyuan.example", "Purchasing", "BY-4500")
"""Words that stand only in rows of Beiyuan Precision."""


@dataclass
class Cast:
    """Everybody, with a login each; `park` › `beiyuan` (› `purchasing` › `receiving`, `finance`) and `qinghe`."""

    park: Organization
    beiyuan: Organization
    purchasing: Organization
    receiving: Organization
    finance: Organization
    qinghe: Organization
    dyeing: Organization
    lin: Person
    """Clerk of Beiyuan, in purchasing; no role."""
    hua: Person
    """Manager of Beiyuan."""
    ke: Person
    """Committee member of Beiyuan, in finance."""
    mo: Person
    """Manager of Qinghe, in dyeing."""
    wei: Person
    """Coach of Beiyuan, of the park's staff."""
    ren: Person
    """Park operator."""
    shu: Person
    """Auditor of the park."""
    an: Person
    """Platform administrator."""
    identities: dict[str, Identity] = field(default_factory=dict)
    """The identity of each in the source "orders", by the person's short name."""

    def people(self) -> dict[str, Person]:
        """Everybody by short name."""
        return {name: getattr(self, name) for name in ("lin", "hua", "ke", "mo", "wei", "ren", "shu", "an")}

    def login(self, person: Person) -> User:
        return User.objects.get(person=person)

    def viewer(self, person: Person, today: date = TODAY) -> Viewer:
        return viewer_of(self.login(person), today=today)

    def sign_in(self, person: Person, client: Client | None = None) -> Client:
        """A browser in which the person is signed in."""
        client = client or Client()
        client.force_login(self.login(person), backend="django.contrib.auth.backends.ModelBackend")
        return client


def place(
    *, kind: Kind, name: str, slug: str, parent: Organization | None = None, company: Organization | None = None
) -> Organization:
    """An organization straight into the table, with its path."""
    made = Organization.objects.create(kind=kind, name=name, slug=slug, parent=parent, company=company, created_at=NOW)
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    if kind == Kind.COMPANY:
        made.company = made
    made.save(update_fields=["path", "company"])
    return made


def person(
    *, name: str, at: Organization, email: str = "", staff_number: str = "", work: str = "", since: date = LONG_AGO
) -> Person:
    """A person who belongs to a place since a date."""
    made = Person.objects.create(name=name, email=email, staff_number=staff_number, joined_date=since, created_at=NOW)
    Membership.objects.create(person=made, organization=at, role=work, from_date=since)
    return made


def login(who: Person, username: str, *, language: str = "en") -> User:
    """A login of the person with the cast's password."""
    return User.objects.create(
        username=username, email=who.email, person=who, password=make_password(PASSWORD), language=language
    )


def give(
    who: Person, role: Role, at: Organization, since: date = LONG_AGO, until: date | None = None
) -> RoleAssignment:
    """A role straight into the table."""
    return RoleAssignment.objects.create(
        person=who, role=role, organization=at, from_date=since, until_date=until, given_at=NOW
    )


PLACES: tuple[tuple[str, Kind, str, str], ...] = (
    ("park", Kind.PARK, "Linjiang Park", ""),
    ("beiyuan", Kind.COMPANY, "Beiyuan Precision", "park"),
    ("purchasing", Kind.DEPARTMENT, "Purchasing", "beiyuan"),
    ("receiving", Kind.TEAM, "Receiving", "purchasing"),
    ("finance", Kind.DEPARTMENT, "Finance", "beiyuan"),
    ("qinghe", Kind.COMPANY, "Qinghe Textile", "park"),
    ("dyeing", Kind.DEPARTMENT, "Dyeing", "qinghe"),
)
"""Each with its kind, its name and the place it lies in."""
PEOPLE: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("lin", "Lin Fang", "purchasing", "beiyuan", "B001", "clerk"),
    ("hua", "Hua Jing", "beiyuan", "beiyuan", "B002", "manager"),
    ("ke", "Ke Ming", "finance", "beiyuan", "B003", "accountant"),
    ("mo", "Mo Yun", "dyeing", "qinghe", "Q001", "manager"),
    ("wei", "Wei Qiang", "park", "linjiang", "P001", "coach"),
    ("ren", "Ren Hao", "park", "linjiang", "P002", "operator"),
    ("shu", "Shu Lan", "park", "linjiang", "P003", "auditor"),
    ("an", "An Yi", "park", "linjiang", "P004", "engineer"),
)
"""Each with name, place, domain of the address, staff number and work."""
ROLES = (
    ("hua", Role.MANAGER, "beiyuan"),
    ("ke", Role.COMMITTEE, "beiyuan"),
    ("mo", Role.MANAGER, "qinghe"),
    ("wei", Role.COACH, "beiyuan"),
    ("ren", Role.OPERATOR, "park"),
    ("shu", Role.AUDITOR, "park"),
    ("an", Role.ADMINISTRATOR, "park"),
)


def build_cast() -> Cast:
    """The whole cast in the database of the test; many rows to a statement, as thousands of tests begin with it."""
    places = _places()
    people = dict(
        zip(
            (name for name, *_ in PEOPLE),
            Person.objects.bulk_create(
                Person(
                    name=name,
                    email=f"{short}@{domain}.example",
                    staff_number=number,
                    joined_date=LONG_AGO,
                    created_at=NOW,
                )
                for short, name, _at, domain, number, _work in PEOPLE
            ),
            strict=True,
        )
    )
    Membership.objects.bulk_create(
        Membership(person=people[short], organization=places[at], role=work, from_date=LONG_AGO)
        for short, _name, at, _domain, _number, work in PEOPLE
    )
    RoleAssignment.objects.bulk_create(
        RoleAssignment(person=people[who], role=role, organization=places[at], from_date=LONG_AGO, given_at=NOW)
        for who, role, at in ROLES
    )
    password = make_password(PASSWORD)
    User.objects.bulk_create(
        User(username=name, email=who.email, person=who, password=password, language="en")
        for name, who in people.items()
    )
    identities = Identity.objects.bulk_create(
        Identity(
            source="orders",
            external_id=f"{name}-at-{company.slug}",
            company=company,
            name=who.name,
            person=who,
            first_seen_at=NOW,
            resolved_at=NOW,
            resolved_how="hand",
        )
        for name, who in people.items()
        for company in [places["qinghe" if name == "mo" else "beiyuan" if name in ("lin", "hua", "ke") else "park"]]
    )
    everybody: dict[str, Any] = {**places, **people}
    return Cast(**everybody, identities=dict(zip(people, identities, strict=True)))


def _places() -> dict[str, Organization]:
    made: dict[str, Organization] = {}
    for short, kind, name, within in PLACES:
        company = next((at for at in ("beiyuan", "qinghe") if at == within or within == "purchasing"), None)
        slug = "linjiang" if kind == Kind.PARK else short if kind == Kind.COMPANY else f"{company}-{short}"
        made[short] = place(
            kind=kind,
            name=name,
            slug=slug,
            parent=made[within] if within else None,
            company=made[company] if company else None,
        )
    return made


@pytest.fixture
def cast(db: None) -> Cast:
    """Linjiang Park with everybody in it."""
    return build_cast()
