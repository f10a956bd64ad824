"""Considering: events a second from the record to the ledger, with ten rules, on SQLite and on PostgreSQL.

`python bench/points.py [sqlite] [postgresql]`; UPTAKE_BENCH_EVENTS sets how many events (20,000). Recording them is not
measured. CPU is that of the considering process; the database's own is beside it. Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
EVENTS = int(os.environ.get("UPTAKE_BENCH_EVENTS", "20000"))
PEOPLE = 800
COMPANIES = 24
WANTED_PER_SECOND = {"postgresql": 5_000}
WANTED_CPU_MS = 2.0
WANTED_BACK_TEST_SECONDS = 60.0
MILLION = 1_000_000
HISTORIES = (10, 100, 1000)
"""Days of history people have, with ten events each, before it is measured what more of them cost."""
A_DAY = 10
LOOKING_BACK = 3
"""People with such a history."""
NEW = 60
"""Events of each of them that are measured together."""
ALL = "everything.done"
BEGIN = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
NAMES = tuple(
    f"{what}.{done}" for what in ("order", "stock", "report", "invoice", "check") for done in ("begun", "done")
)


def main(names: list[str]) -> int:
    """Measures the databases named (default: both), each in a process of its own."""
    if names[:1] == ["--inside"]:
        return inside(names[1])
    from tools.postgresql import private_server

    failed = 0
    for name in names or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-points-"))
            url = leaving.enter_context(private_server(settings=DURABLE)) if name == "postgresql" else ""
            environment = {
                **{key: value for key, value in os.environ.items() if not key.startswith("UPTAKE_")},
                "UPTAKE_DATA": folder,
                "UPTAKE_DATABASE_URL": url,
                "UPTAKE_BENCH_EVENTS": str(EVENTS),
                "DJANGO_SETTINGS_MODULE": "uptake.config.settings",
            }
            failed |= subprocess.run(
                [sys.executable, __file__, "--inside", name], env=environment, check=False
            ).returncode
    return failed


def inside(name: str) -> int:
    """Makes the world, records the events, considers them and prints the figures."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    connections = _world()
    now = _record(connections, EVENTS, BEGIN, NAMES)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    per_second, cpu_ms = _consider(f"{name}: one rule for each name", now)
    replayed = _back_test(name, now)
    later = _record(connections, max(EVENTS // 10, 100), BEGIN + timedelta(days=3), (ALL,))
    _, ten_ms = _consider(f"{name}: ten rules for one name", later)
    now = later
    back = [_looking_back(name, days) for days in HISTORIES]
    one = _one_by_one(now)
    print(f"{name}: one event at a time: {1000 * one:.1f} ms from call to commit")
    wanted = WANTED_PER_SECOND.get(name)
    kept = [
        wanted is None
        or _judged(f"{name}: {per_second:,.0f} events/s, wanted at least {wanted:,}", per_second >= wanted),
        _judged(
            f"{name}: {ten_ms:.2f} ms of CPU an event with ten rules, wanted at most {WANTED_CPU_MS:g}",
            max(cpu_ms, ten_ms) <= WANTED_CPU_MS,
        ),
        _judged(
            f"{name}: {max(back):.2f} ms of CPU an event with levels, a streak and reversals, whatever the history, "
            f"wanted at most {WANTED_CPU_MS:g}",
            max(back) <= WANTED_CPU_MS,
        ),
        _judged(
            f"{name}: a back-test of a million events, two rulebooks of ten rules, takes {replayed:.0f} s on two "
            f"cores, wanted at most {WANTED_BACK_TEST_SECONDS:g}",
            replayed <= WANTED_BACK_TEST_SECONDS,
        ),
    ]
    return 0 if all(kept) else 1


def _judged(what: str, ok: bool) -> bool:
    print(f"{what}: {'ok' if ok else 'missed'}", flush=True)
    return ok


def _consider(what: str, now: datetime) -> tuple[float, float]:
    """Considers all that waits and prints the figures; (events a second, milliseconds of CPU an event)."""
    from uptake.programme.consider import consider_new_events
    from uptake.programme.models import Award

    before, served = Award.objects.count(), _served()
    began, cpu = time.perf_counter(), time.process_time()
    considered = batches = 0
    while done := consider_new_events(now=now):
        considered += done
        batches += 1
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    per_second, cpu_ms = considered / seconds, 1000 * cpu / considered
    print(
        f"{what}: {considered:,} events in {batches} batches, {Award.objects.count() - before:,} awards: "
        f"{per_second:,.0f} events/s, {cpu_ms:.3f} ms of CPU an event"
        f" and {1000 * (_served() - served) / considered:.3f} ms of the database's",
        flush=True,
    )
    return per_second, cpu_ms


def _back_test(name: str, now: datetime) -> float:
    """Replays all events by the rulebook in force and by another one; gives the seconds a million of them would take.

    People are replayed in portions of the same size however many there are, so the time grows with the events. Alone it
    is told what an event costs, shared between two processes what beginning them costs; on two cores a million takes
    the latter once and the former for half of them.
    """
    from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

    from uptake.directory.models import Organization
    from uptake.programme.backtest import crew, read
    from uptake.programme.backtest.back_test import back_test
    from uptake.programme.rulebook_reading import parse_rulebook

    plain = _rulebook()
    plain["rules"][1]["points"] = 3

    def told(worth: int) -> dict[str, Any]:
        crew.WORTH = worth
        return back_test(
            organization=Organization.objects.get(slug="park"),
            rulebook=parse_rulebook(plain),
            until=(now + timedelta(days=1)).date(),
            days=30,
        )

    served, cpu, began = _served(), time.process_time(), time.perf_counter()
    alone = told(worth=sys.maxsize)
    cpu, served, seconds = time.process_time() - cpu, _served() - served, time.perf_counter() - began
    events = int(alone["events"])
    an_event = (cpu + served) / events
    print(
        f"{name}: back-test of {events:,} events by one process: {seconds:.1f} s, {MILLION * cpu / events:.1f} us of "
        f"CPU an event and {MILLION * served / events:.1f} of the database's, "
        f"{getrusage(RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB",
        flush=True,
    )
    if len(os.sched_getaffinity(0)) < crew.MOST:
        return an_event * MILLION
    read.AT_ONCE = events // 8 + 1  # few as they are, there is something to share
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    shared = told(worth=0)
    after, seconds = getrusage(RUSAGE_CHILDREN), time.perf_counter() - began
    helped = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{name}: the same by two: {seconds:.1f} s, {helped:.1f} s of CPU, {after.ru_maxrss / 1024:,.0f} MB each, "
        f"{'the same report' if shared == alone else 'ANOTHER REPORT'}",
        flush=True,
    )
    return max(helped - cpu, 0.0) / crew.MOST + an_event * MILLION / crew.MOST


def _served() -> float:
    """Seconds of CPU the process that serves our PostgreSQL connection has taken; 0 with SQLite, which is inside."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        told = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _world() -> list[Any]:
    """A park of companies with people and their identities, and one rulebook of ten rules; gives the connections."""
    from uptake.directory.models import Identity, Kind, Membership, Organization, Person
    from uptake.directory.scope import EVERYTHING
    from uptake.events.models import Connection
    from uptake.programme.publish import publish

    park = Organization.objects.create(kind=Kind.PARK, name="Park", slug="park", timezone="UTC", created_at=BEGIN)
    park.path = f"/{park.pk}/"
    park.save()
    connections = []
    for number in range(COMPANIES):
        company = Organization.objects.create(
            kind=Kind.COMPANY, name=f"Company {number}", slug=f"c{number}", parent=park, created_at=BEGIN
        )
        company.path, company.company = f"{park.path}{company.pk}/", company
        company.save()
        slug = f"erp-{number}"
        connections.append(
            Connection.objects.create(slug=slug, kind="api", name=slug, organization=company, created_at=BEGIN)
        )
        for employee in range(PEOPLE // COMPANIES):
            person = Person.objects.create(name=f"P {number} {employee}", created_at=BEGIN)
            Membership.objects.create(person=person, organization=company, role="clerk", from_date=date(2020, 1, 1))
            Identity.objects.create(
                source=slug, external_id=str(employee), company=company, person=person, first_seen_at=BEGIN
            )
    publish(rulebook=_rulebook(), organization=park, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=BEGIN)
    return connections


def _looking_back(name: str, days: int) -> float:
    """Milliseconds of CPU an event where there are levels, a streak and reversals, after so many days of history."""
    from uptake.directory.models import Identity, Kind, Membership, Organization, Person
    from uptake.directory.scope import EVERYTHING
    from uptake.events.happening import Happening
    from uptake.events.models import Connection
    from uptake.events.record import record
    from uptake.programme.consider import consider_new_events
    from uptake.programme.publish import publish

    slug = f"back-{days}"
    begin = BEGIN + timedelta(days=10)
    company = Organization.objects.create(
        kind=Kind.COMPANY, name=slug, slug=slug, parent=Organization.objects.get(slug="park"), created_at=BEGIN
    )
    company.path, company.company = f"{company.parent.path}{company.pk}/", company  # type: ignore[union-attr]
    company.save()
    connection = Connection.objects.create(slug=slug, kind="api", name=slug, organization=company, created_at=BEGIN)
    for number in range(LOOKING_BACK):
        person = Person.objects.create(name=f"{slug} {number}", created_at=BEGIN)
        Membership.objects.create(person=person, organization=company, role="clerk", from_date=date(2020, 1, 1))
        Identity.objects.create(
            source=slug, external_id=str(number), company=company, person=person, first_seen_at=BEGIN
        )
    plain = _rulebook()
    plain["rules"][9] |= {"streak": {"every": "day", "length": 5, "freezes_per_month": 1}, "points": 10}
    plain["levels"] = [{"name": f"level {number}", "at": 500 * 4**number} for number in range(6)]
    plain["reversals"] = [{"event": "order.cancelled", "undoes": [ALL]}]
    publish(rulebook=plain, organization=company, in_force_date=date(2026, 6, 2), by=EVERYTHING, now=BEGIN)

    def told(day: int, many: int) -> datetime:
        at = begin + timedelta(days=day)
        said = [
            Happening(
                event=ALL,
                key=f"{person} {day} {number}",
                at=at + timedelta(minutes=number),
                person=str(person),
                object=f"order {person} {day} {number}",
                facts={"lines": 1 + number % 40, "kind": "sale"},
            )
            for number in range(many)
            for person in range(LOOKING_BACK)
        ]
        said.append(
            Happening(
                "order.cancelled", f"cancel {day}", at + timedelta(hours=2), "0", f"order 0 {day} {many // 2}", {}
            )
        )
        record(said, connection=connection, now=at + timedelta(hours=3))
        return at + timedelta(hours=3)

    for day in range(days):
        now = told(day, A_DAY)
        if day % 5 == 4 or day == days - 1:
            while consider_new_events(now=now):
                pass
    later = told(days, NEW)
    what = f"{name}: levels, a streak and reversals after {days * A_DAY:,} events each"
    return _consider(what, later)[1]


def _rulebook() -> dict[str, Any]:
    """Ten rules for ten names, fixed and per unit, with conditions and caps; all ten name `everything.done` too."""
    rules: list[dict[str, Any]] = []
    for number, name in enumerate(NAMES):
        rule: dict[str, Any] = {"rule": f"rule {number}", "version": 1, "from": "2026-01-01", "on": [name, ALL]}
        if number % 2:
            rule |= {"points": 2, "cap": [{"times": 5, "every": "day"}]}
        else:
            rule |= {
                "points": {"per": "lines", "each": 3},
                "when": [{"fact": "kind", "op": "ne", "value": "test"}, {"person": "role", "value": "clerk"}],
                "cap": [{"points": 60, "every": "day"}],
            }
        rules.append(rule)
    return {"programme": {}, "rules": rules}


def _record(connections: list[Any], events: int, begin: datetime, names: tuple[str, ...]) -> datetime:
    """Records events, a little out of order, over two days; gives the instant after the last."""
    from uptake.events.happening import Happening
    from uptake.events.record import record

    chance = random.Random(7)
    step = timedelta(days=2) / events
    waiting: dict[int, list[Any]] = {number: [] for number in range(COMPANIES)}
    now = begin
    for number in range(events):
        now = begin + step * number
        place = number % COMPANIES
        waiting[place].append(
            Happening(
                event=chance.choice(names),
                key=f"{begin:%d}-{number}",
                at=now - timedelta(seconds=chance.randint(0, 120)),
                person=str(chance.randrange(PEOPLE // COMPANIES)),
                object=f"order {number}",
                facts={"lines": chance.randint(1, 40), "kind": "sale"},
            )
        )
        if len(waiting[place]) >= 100:
            record(waiting[place], connection=connections[place], now=now)
            waiting[place] = []
    for place, rest in waiting.items():
        record(rest, connection=connections[place], now=now)
    return now + timedelta(minutes=1)


def _one_by_one(now: datetime) -> float:
    """The median seconds of considering a single new event."""
    from uptake.events.happening import Happening
    from uptake.events.models import Connection
    from uptake.events.record import record
    from uptake.programme.consider import consider_new_events

    taken = []
    connection = Connection.objects.get(slug="erp-0")
    for number in range(50):
        facts = {"lines": 3, "kind": "sale"}
        one = Happening(event="stock.moved", key=f"single {number}", at=now, person=str(number % 30), facts=facts)
        record([one], connection=connection, now=now)
        began = time.perf_counter()
        consider_new_events(now=now)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
