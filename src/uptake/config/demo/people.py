"""Fills the directory with the demo park: places, people, memberships, roles and logins, through the doors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction

from uptake.config.demo.names import PARK, Words
from uptake.config.demo.park import DemoPark, department_name
from uptake.directory.calendar import fill
from uptake.directory.enrol import enrol
from uptake.directory.enrol_many import enrol_many
from uptake.directory.grant_role import give_role
from uptake.directory.models import Kind, Organization, Person, Role
from uptake.directory.open_login import open_login
from uptake.directory.organize import make_organization
from uptake.directory.roster import Row
from uptake.directory.scope import EVERYTHING

PASSWORD = "linjiang-demo-1"  # noqa: S105  the demo's, printed and shown on purpose


@dataclass(frozen=True)
class DemoLogin:
    """A log-in of the demo, as the sign-in page lists it."""

    username: str
    password: str
    name: str
    role_en: str
    role_zh: str
    organization: str


@dataclass(frozen=True)
class Part:
    """Somebody one can sign in as: who they are, what they do and where."""

    username: str
    name: Words
    title: Words
    role: Role | None
    place: str
    """Slug of the park or a company."""
    staff_number: str = ""
    """Of the demo person who plays it; empty: one of the park's own staff."""


PARTS: tuple[Part, ...] = (
    Part("ren", Words("Ren Hao", "任浩"), Words("Park operator", "园区运营"), Role.OPERATOR, "linjiang"),
    Part("lin", Words("Lin Jie", "林洁"), Words("Clerk", "业务员"), None, "beiyuan", "B001"),
    Part("zhou", Words("Zhou Min", "周敏"), Words("Storekeeper", "仓管员"), None, "beiyuan", "B003"),
    Part("hua", Words("Hua Guoqing", "华国庆"), Words("Company manager", "企业经理"), Role.MANAGER, "beiyuan", "B002"),
    Part("wei", Words("Wei Ning", "魏宁"), Words("Coach", "顾问"), Role.COACH, "beiyuan"),
    Part("mo", Words("Mo Yan", "莫妍"), Words("Company manager", "企业经理"), Role.MANAGER, "qinghe", "Q001"),
    Part("ke", Words("Ke Ming", "柯明"), Words("Committee member", "委员会成员"), Role.COMMITTEE, "beiyuan"),
    Part("shu", Words("Shu Wen", "舒文"), Words("Auditor", "审计"), Role.AUDITOR, "linjiang"),
    Part("admin", Words("An Ling", "安凌"), Words("Administrator", "平台管理员"), Role.ADMINISTRATOR, "linjiang"),
)


@dataclass(frozen=True)
class Filled:
    """What the rest of the demo needs of the filled directory."""

    park: Organization
    companies: dict[str, Organization]
    logins: tuple[DemoLogin, ...]


def make_park_place(*, language: str, years: Iterable[int], now: datetime, day_start: time) -> Organization:
    """The park with its calendar."""
    park = make_organization(
        kind=Kind.PARK,
        name=PARK.in_(language),
        slug="linjiang",
        parent=None,
        timezone="Asia/Shanghai",
        day_start=day_start,
        by=EVERYTHING,
        now=now,
    )
    for year in sorted(set(years)):
        fill(organization=park, country="CN", year=year, by=EVERYTHING, now=now)
    return park


@transaction.atomic
def fill_directory(*, plan: DemoPark, park: Organization, now: datetime) -> Filled:
    """Companies, departments and everybody in them, with the roles and logins of `PARTS`."""
    companies: dict[str, Organization] = {}
    for company in plan.companies:
        companies[company.slug] = make_organization(
            kind=Kind.COMPANY,
            name=company.name,
            slug=company.slug,
            parent=park,
            trade=company.trade,
            by=EVERYTHING,
            now=now,
        )
    departments: set[tuple[str, str]] = set()
    rows: dict[str, list[Row]] = {company.slug: [] for company in plan.companies}
    for one in plan.people:
        department = department_name(one.department, plan.language)
        if (one.company, one.department) not in departments:
            make_organization(
                kind=Kind.DEPARTMENT,
                name=department,
                slug=f"{one.company}-{one.department}",
                parent=companies[one.company],
                by=EVERYTHING,
                now=now,
            )
            departments.add((one.company, one.department))
        email = f"{one.login}@{one.company}.example"
        rows[one.company].append(Row(0, one.name, one.staff_number, email, department, one.job, one.started))
    for slug, place in companies.items():
        enrol_many(rows[slug], company=place, from_date=plan.first_day, by=EVERYTHING, now=now)
    numbers = [part.staff_number for part in PARTS if part.staff_number]
    people = {one.staff_number: one for one in Person.objects.filter(staff_number__in=numbers)}
    encoded = make_password(PASSWORD)
    logins = tuple(_play(part, plan, park, companies, people, encoded, now) for part in PARTS)
    return Filled(park, companies, logins)


def _play(
    part: Part,
    plan: DemoPark,
    park: Organization,
    companies: dict[str, Organization],
    people: dict[str, Person],
    encoded: str,
    now: datetime,
) -> DemoLogin:
    place = companies.get(part.place, park)
    started: date = plan.first_day - timedelta(days=400)
    person = people.get(part.staff_number) or enrol(
        name=part.name.in_(plan.language),
        organization=place if part.role is Role.COMMITTEE else park,
        from_date=started,
        email=f"{part.username}@linjiang.example",
        work=part.title.in_(plan.language),
        by=EVERYTHING,
        now=now,
    )
    if part.role is not None:
        give_role(person=person, role=part.role, organization=place, from_date=started, by=EVERYTHING, now=now)
    open_login(person=person, username=part.username, encoded=encoded, by=EVERYTHING, now=now)
    return DemoLogin(part.username, PASSWORD, person.name, part.title.en, part.title.zh, place.name)
