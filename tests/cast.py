"""The people and places of the stories: Linjiang Park, its companies Beiyuan and Qinghe, and those who work there.

Mo of Qinghe must see nothing of Beiyuan, and nobody of Beiyuan anything of Qinghe; `QINGHE_MARKS` and `BEIYUAN_MARKS`
are the words by which a leak is known. A test asks for the fixture `cast` and signs people in with `cast.sign_in`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

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


def build_cast() -> Cast:
    """The whole cast in the database of the test."""
    park = place(kind=Kind.PARK, name="Linjiang Park", slug="linjiang")
    beiyuan = place(kind=Kind.COMPANY, name="Beiyuan Precision", slug="beiyuan", parent=park)
    purchasing = place(
        kind=Kind.DEPARTMENT, name="Purchasing", slug="beiyuan-purchasing", parent=beiyuan, company=beiyuan
    )
    receiving = place(kind=Kind.TEAM, name="Receiving", slug="beiyuan-receiving", parent=purchasing, company=beiyuan)
    finance = place(kind=Kind.DEPARTMENT, name="Finance", slug="beiyuan-finance", parent=beiyuan, company=beiyuan)
    qinghe = place(kind=Kind.COMPANY, name="Qinghe Textile", slug="qinghe", parent=park)
    dyeing = place(kind=Kind.DEPARTMENT, name="Dyeing", slug="qinghe-dyeing", parent=qinghe, company=qinghe)
    cast = Cast(
        park=park,
        beiyuan=beiyuan,
        purchasing=purchasing,
        receiving=receiving,
        finance=finance,
        qinghe=qinghe,
        dyeing=dyeing,
        lin=person(name="Lin Fang", at=purchasing, email="lin@beiyuan.example", staff_number="B001", work="clerk"),
        hua=person(name="Hua Jing", at=beiyuan, email="hua@beiyuan.example", staff_number="B002", work="manager"),
        ke=person(name="Ke Ming", at=finance, email="ke@beiyuan.example", staff_number="B003", work="accountant"),
        mo=person(name="Mo Yun", at=dyeing, email="mo@qinghe.example", staff_number="Q001", work="manager"),
        wei=person(name="Wei Qiang", at=park, email="wei@linjiang.example", staff_number="P001", work="coach"),
        ren=person(name="Ren Hao", at=park, email="ren@linjiang.example", staff_number="P002", work="operator"),
        shu=person(name="Shu Lan", at=park, email="shu@linjiang.example", staff_number="P003", work="auditor"),
        an=person(name="An Yi", at=park, email="an@linjiang.example", staff_number="P004", work="engineer"),
    )
    for who, role, at in (
        (cast.hua, Role.MANAGER, beiyuan),
        (cast.ke, Role.COMMITTEE, beiyuan),
        (cast.mo, Role.MANAGER, qinghe),
        (cast.wei, Role.COACH, beiyuan),
        (cast.ren, Role.OPERATOR, park),
        (cast.shu, Role.AUDITOR, park),
        (cast.an, Role.ADMINISTRATOR, park),
    ):
        give(who, role, at)
    for name, who in cast.people().items():
        login(who, name)
        company = qinghe if name == "mo" else beiyuan if name in ("lin", "hua", "ke") else park
        cast.identities[name] = Identity.objects.create(
            source="orders",
            external_id=f"{name}-at-{company.slug}",
            company=company,
            name=who.name,
            person=who,
            first_seen_at=NOW,
            resolved_at=NOW,
            resolved_how="hand",
        )
    return cast


@pytest.fixture
def cast(db: None) -> Cast:
    """Linjiang Park with everybody in it."""
    return build_cast()
