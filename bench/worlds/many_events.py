"""A park of EVENTS, COMPANIES and PEOPLE, put into an installation in bulk; told as JSON. Run by bench/pages.py."""

import json
import random
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model

from uptake.directory.models import Identity, Membership, Organization, Person, RoleAssignment, User
from uptake.directory.scope import EVERYTHING
from uptake.events.keys import make_key
from uptake.events.models import Connection, Event, EventType, Quarantine
from uptake.events.read import Position, move_bookmark
from uptake.insight.feed.refresh import refresh
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.publish import READER, publish

DAYS = 120
DEPARTMENTS = 4
NOW = datetime.now(UTC)
CHANCE = random.Random(7)
CATEGORIES = ("access", "orders", "stock", "purchasing", "quality", "finance", "planning", "reports")
NAMES = ["$pageview", *(f"{CATEGORIES[n % 8]}.step_{n}" for n in range(39))]
IN_QUARANTINE, UNRESOLVED = 300, 2000


def place(kind: str, name: str, slug: str, parent: Organization | None, company: Organization | None) -> Organization:
    made = Organization.objects.create(
        kind=kind, name=name, slug=slug, parent=parent, company=company, timezone="UTC", created_at=NOW
    )
    made.path = f"{parent.path if parent else '/'}{made.pk}/"
    if kind == "company":
        made.company = made
    made.save()
    return made


def organizations(companies: int) -> tuple[Organization, list[Organization], list[list[Organization]]]:
    park = place("park", "Park", "park", None, None)
    firms, inner = [], []
    for number in range(companies):
        firm = place("company", f"Company {number:03}", f"c{number}", park, None)
        firms.append(firm)
        inner.append([place("department", f"Unit {n}", f"c{number}-{n}", firm, firm) for n in range(DEPARTMENTS)])
        slug = f"erp-{number}"
        Connection.objects.create(
            slug=slug, kind="api", name=slug, organization=firm, created_at=NOW, last_event_at=NOW
        )
    return park, firms, inner


def population(count: int, firms: list[Organization], inner: list[list[Organization]]) -> list[tuple[int, int]]:
    """People with memberships and identities; gives (identity id, number of the company) of each."""
    people = Person.objects.bulk_create(
        [Person(name=f"Person {n}", staff_number=str(n), created_at=NOW) for n in range(count)], batch_size=2000
    )
    Membership.objects.bulk_create(
        [
            Membership(
                person=one,
                organization=inner[n % len(firms)][n // len(firms) % DEPARTMENTS],
                role="clerk",
                from_date=date(2020, 1, 1),
            )
            for n, one in enumerate(people)
        ],
        batch_size=2000,
    )
    identities = [
        Identity(
            source=f"erp-{n % len(firms)}",
            external_id=str(n),
            company=firms[n % len(firms)],
            person=one,
            first_seen_at=NOW,
        )
        for n, one in enumerate(people)
    ]
    nobody = [
        Identity(source=f"erp-{n % len(firms)}", external_id=f"?{n}", company=firms[n % len(firms)], first_seen_at=NOW)
        for n in range(UNRESOLVED)
    ]
    made = Identity.objects.bulk_create([*identities, *nobody], batch_size=2000)
    return [(one.pk, n % len(firms)) for n, one in enumerate(made[: len(people)])]


def occurrences(count: int, people: list[tuple[int, int]], firms: list[Organization]) -> Any:
    """Rows of events in the order of time, of people of uneven zeal, mostly in working hours of working days."""
    zeal = [CHANCE.paretovariate(1.5) for _ in people]
    first = (NOW - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    weights = [0.15 if (first + timedelta(days=day)).weekday() > 4 else 1.0 for day in range(DAYS)]
    days = sorted(CHANCE.choices(range(DAYS), weights, k=count))
    who = CHANCE.choices(people, zeal, k=count)
    for number, (day, (identity, firm)) in enumerate(zip(days, who, strict=True)):
        at = first + timedelta(days=day, seconds=CHANCE.randrange(8 * 3600, 18 * 3600))
        name = NAMES[int(CHANCE.random() ** 2 * len(NAMES))]
        yield [
            number + 1, f"erp-{firm}", str(number), 1, "0" * 64, name, identity, firms[firm].pk, at, at, at.date(),
            "2025b", f"SO-{number // 5}", f'{{"lines": {number % 9}}}', False,
        ]  # fmt: skip


EVENT = (
    *("id", "source", "key", "revision", "fingerprint", "name", "identity_id", "company_id", "happened_at"),
    *("received_at", "business_date", "tzdb", "object", "facts", "history_only"),
)
AWARD = (
    *("id", "event_id", "rule", "version", "rulebook_id", "person_id", "company_id", "date", "happened_at", "points"),
    *("reasons", "explanation", "transfers", "considered_at"),
)


def insert_rows(model: type[Model], columns: tuple[str, ...], rows: list[list[Any]]) -> None:
    """Plain rows: COPY on PostgreSQL, one prepared statement on SQLite; instants are UTC, facts are JSON already."""
    table, names = model._meta.db_table, ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        plain = [[str(one.replace(tzinfo=None)) if type(one) is datetime else one for one in row] for row in rows]
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", plain)


def fill(events: int, companies: int, count: int) -> None:
    with transaction.atomic():
        park, firms, inner = organizations(companies)
        people = population(count, firms, inner)
        EventType.objects.bulk_create(
            [EventType(name=name, category=name.partition(".")[0] if "." in name else "pages", created_at=NOW)
             for name in NAMES]
        )  # fmt: skip
        rule = {"rule": "order", "version": 1, "from": "2026-01-01", "on": NAMES[1], "points": 3}
        book = {"programme": {}, "rules": [rule]}
        publish(rulebook=book, organization=park, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=NOW)
    persons = dict(Identity.objects.values_list("pk", "person_id"))
    version = RulebookVersion.objects.get().pk
    rows = occurrences(events, people, firms)
    while piece := list(islice(rows, 50_000)):
        with transaction.atomic():
            insert_rows(Event, EVENT, piece)
            awards = [
                [
                    row[0], row[0], "order", 1, version, persons[row[6]], row[7], row[10], row[8], 3,
                    "[]", "{}", 1, NOW,
                ]
                for row in piece[::5]
            ]  # fmt: skip
            insert_rows(Award, AWARD, awards)
    waiting = range(1, events, max(1, events // IN_QUARANTINE))
    Quarantine.objects.bulk_create([Quarantine(event_id=key, reason="late", created_at=NOW) for key in waiting])
    ren = Person.objects.create(name="Ren", created_at=NOW)
    user = User.objects.create(username="ren", person=ren, language="en")
    Membership.objects.create(person=ren, organization=firms[0], from_date=date(2020, 1, 1))
    RoleAssignment.objects.create(
        person=ren, role="operator", organization=park, from_date=date(2020, 1, 1), given_at=NOW
    )
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Event, Award]):
            cursor.execute(statement)  # rows came with numbers of their own
        cursor.execute("ANALYZE")
    while refresh(now=NOW):
        pass
    last = Event.objects.order_by("-txid", "-pk").values_list("txid", "pk")[0]
    move_bookmark(READER, now=NOW, events=Position(*last))  # the awards are there: nothing is left to consider


def told() -> dict[str, Any]:
    """What the measuring side needs to know."""
    from django.contrib.sessions.models import Session

    someone = Event.objects.filter(company__slug="c7").order_by("id").values_list("identity__person_id", flat=True)
    return {
        "events": Event.objects.count(),
        "companies": Organization.objects.filter(kind="company").count(),
        "people": Person.objects.count(),
        "awards": Award.objects.count(),
        "cookie": f"{settings.SESSION_COOKIE_NAME}={Session.objects.get().session_key}",
        "key": make_key(connection=Connection.objects.get(slug="erp-7"), by=EVERYTHING, now=NOW)[1],
        "event": NAMES[1],
        "pages": {
            "overview": "/overview/",
            "activity, park": "/activity/park/",
            "activity, company": "/activity/c7/",
            "activity, department": "/activity/c7-1/",
            "activity, person": f"/activity/people/{someone[0]}/",
        },
    }


if not Organization.objects.exists():
    fill(EVENTS, COMPANIES, PEOPLE)  # type: ignore[name-defined]  # noqa: F821 - set by the caller
print(json.dumps(told()))
