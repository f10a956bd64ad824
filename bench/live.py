"""From POST to toast: single events at 200 a second, 500 pages listening (or many), on SQLite and on PostgreSQL.

    python bench/live.py [sqlite] [postgresql] [--listeners 500] [--rate 200] [--seconds 10]
    python bench/live.py sqlite --listeners 10000        # how many one process holds, and what each costs

Every event earns a point, so every event is one message to one person. Measured from the moment an event was due to be
sent until its message is read from the stream of that person's page; senders and listeners are one process, the
server with its jobs another. Every person must hear of every award, once. With more than 1,000 pages the toast may take
1.5 s and the server's process 600 MB. Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import Server, inside, running  # noqa: E402
from tools.postgresql import private_server  # noqa: E402

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
SETTINGS = {"UPTAKE_JOBS": "inside", "UPTAKE_INTAKE_RATE": "1000000"}
WANTED_P95_MS = 1000
MANY = 1000
"""More pages than these are many: other figures are wanted then."""
MANY_P95_MS, MANY_MB = 1500, 600
OPENING_AT_ONCE = 40
OPENING_SECONDS = 400
PATIENCE_SECONDS = 15
WARM_SECONDS = 2


def main() -> int:
    """Measures the databases named (default: both)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("databases", nargs="*", choices=["sqlite", "postgresql", []], default=[])
    parser.add_argument("--listeners", type=int, default=500, help="pages that listen, one for each person")
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    _allow_sockets(options.listeners)
    missed = []
    for name in options.databases or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-live-")))
            url = leaving.enter_context(private_server(settings=DURABLE)) if name == "postgresql" else ""
            server = leaving.enter_context(running(data=folder, database_url=url, settings=SETTINGS))
            world = folder / "world.json"
            made = inside(WORLD.replace("LISTENERS", str(options.listeners)), data=folder, database_url=url)
            world.write_text(json.dumps({**made, "port": server.port}))
            missed += measure(name, server, world, options)
    for figure in missed:
        print(f"missed: {figure}")
    return 1 if missed else 0


def _allow_sockets(listeners: int) -> None:
    """A page is a socket here and one in the server, which inherits what we may open."""
    needed, (_soft, hard) = listeners + 1000, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        sys.exit(f"{listeners} pages need {needed} open files; this machine allows {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(needed, _soft), hard))


def measure(name: str, server: Server, world: Path, options: argparse.Namespace) -> list[str]:
    """Prints the figures of one server; gives those that were missed."""
    cpu, empty_mb = server.cpu_seconds(), server.memory_mb()
    begun = time.monotonic()
    told = subprocess.run(
        [sys.executable, __file__, "inside", str(world), str(options.rate), str(options.seconds)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    share = (server.cpu_seconds() - cpu) / (time.monotonic() - begun)
    found: dict[str, Any] = json.loads(told.stdout)
    many, used_mb = options.listeners > MANY, server.memory_mb()
    wanted_ms = MANY_P95_MS if many else WANTED_P95_MS
    print(
        f"{name}: {found['listeners']} listeners, {found['sent']:,} events at {found['rate']:.0f}/s: POST to toast "
        f"p50 {found['p50_ms']:.0f} ms, p95 {found['p95_ms']:.0f} ms (wanted {wanted_ms}), "
        f"p99 {found['p99_ms']:.0f} ms, slowest {found['max_ms']:.0f} ms; acknowledged p95 {found['ack_p95_ms']:.0f} ms"
    )
    print(
        f"{name}: lost {found['lost']}, doubled {found['doubled']}, to others {found['astray']}; "
        f"server {share:.0%} of a core, {used_mb:.0f} MB ({empty_mb:.0f} before, "
        f"{(used_mb - empty_mb) * 1024 / options.listeners:.0f} kB a page); "
        f"sender and listeners {found['cpu']:.0%} of a core; pages opened in {found['opened_s']:.0f} s"
    )
    missed = []
    if found["p95_ms"] > wanted_ms:
        missed.append(f"{name}: p95 {found['p95_ms']:.0f} ms, wanted {wanted_ms}")
    if many and used_mb > MANY_MB:
        missed.append(f"{name}: {used_mb:.0f} MB, wanted {MANY_MB}")
    if found["lost"] or found["doubled"] or found["astray"]:
        missed.append(f"{name}: {found['lost']} lost, {found['doubled']} doubled, {found['astray']} to others")
    return missed


class Run:
    """What was sent and what was heard. An event is known by the number of the award's fact, its object."""

    def __init__(self, world: dict[str, Any], rate: int, seconds: float) -> None:
        self.port, self.key, self.sessions = world["port"], world["key"], world["sessions"]
        self.rate, self.seconds = rate, seconds
        self.due: dict[str, tuple[float, int]] = {}
        self.heard: dict[str, list[tuple[float, int]]] = {}
        self.acknowledged: list[float] = []
        self.opened_seconds = 0.0
        self.gone = 0

    def hear(self, number: int, line: bytes, now: float) -> None:
        """A line of the stream of a page."""
        if line.startswith(b"data:") and b"order-" in line:
            for word in line.decode().split("order-")[1:]:
                digits = word[: next((i for i, c in enumerate(word) if not c.isdigit()), len(word))]
                self.heard.setdefault(digits, []).append((now, number))

    async def open_pages(self) -> list[asyncio.Transport]:
        """All pages, some at a time, each listening when it has had its first words."""
        loop, begun = asyncio.get_running_loop(), time.monotonic()
        pages: list[asyncio.Transport] = []
        numbers = iter(range(len(self.sessions)))

        async def some() -> None:
            for number in numbers:
                page = Page(self, number)
                transport, _page = await loop.create_connection(_given(page), "127.0.0.1", self.port)
                pages.append(transport)
                await page.listening

        async with asyncio.timeout(OPENING_SECONDS):
            await asyncio.gather(*(some() for _ in range(OPENING_AT_ONCE)))
        self.opened_seconds = time.monotonic() - begun
        return pages

    async def send(self, first: int, seconds: float) -> int:
        """Single events on a fixed timetable; gives the number of the next."""
        idle: deque[Any] = deque()
        tasks = []
        begun = time.monotonic() + 0.1

        async def one(number: int, due: float) -> None:
            line = idle.popleft() if idle else await asyncio.open_connection("127.0.0.1", self.port)
            who = number % len(self.sessions)
            body = json.dumps({
                "event": "order.processed", "key": f"k{number}", "at": datetime.now(UTC).isoformat(),
                "person": f"p{who}", "object": f"order-{number}",
            }).encode()  # fmt: skip
            self.due[str(number)] = (due, who)
            reader, writer = line
            writer.write(
                f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
            assert b" 200 " in head.split(b"\r\n")[0], head[:300]
            self.acknowledged.append(time.monotonic() - due)
            idle.append(line)

        for turn in range(int(seconds * self.rate)):
            due = begun + turn / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(asyncio.create_task(one(first + turn, due)))
        await asyncio.gather(*tasks)
        return first + len(tasks)

    async def whole(self) -> dict[str, Any]:
        """Open the pages, warm up, send, and wait for the last toast."""
        pages = await self.open_pages()
        await asyncio.sleep(1)
        warm = await self.send(0, WARM_SECONDS)
        begun, cpu = time.monotonic(), time.process_time()
        self.acknowledged.clear()
        after = await self.send(warm, self.seconds)
        took = time.monotonic() - begun
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self.heard) < len(self.due) and time.monotonic() < until:
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        assert not self.gone, f"{self.gone} pages were closed by the server"
        for page in pages:
            page.abort()
        return self._figures(range(warm, after), took, (time.process_time() - cpu) / (time.monotonic() - begun))

    def _figures(self, numbers: range, took: float, cpu: float) -> dict[str, Any]:
        delays = [self.heard[str(n)][0][0] - self.due[str(n)][0] for n in numbers if str(n) in self.heard]
        hundredths = statistics.quantiles(delays, n=100) if len(delays) > 1 else [float("inf")] * 99
        return {
            "listeners": len(self.sessions),
            "opened_s": self.opened_seconds,
            "sent": len(numbers),
            "rate": len(numbers) / took,
            "p50_ms": hundredths[49] * 1000,
            "p95_ms": hundredths[94] * 1000,
            "p99_ms": hundredths[98] * 1000,
            "max_ms": max(delays, default=0) * 1000,
            "ack_p95_ms": statistics.quantiles(self.acknowledged, n=100)[94] * 1000,
            "lost": sum(number not in self.heard for number in self.due),
            "doubled": sum(len(found) > 1 for found in self.heard.values()),
            "astray": sum(self.due[number][1] != who for number, found in self.heard.items() for _, who in found),
            "cpu": cpu,
        }


def _given(page: Page) -> Callable[[], Page]:
    """As asyncio wants to be given a protocol."""
    return lambda: page


class Page(asyncio.Protocol):
    """The stream of one open page: a raw socket, so that ten thousand cost the listener's process little."""

    def __init__(self, run: Run, number: int) -> None:
        self.run, self.number = run, number
        self.listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{self.run.port}\r\nAccept: text/event-stream\r\n"
            f"Cookie: {self.run.sessions[self.number]}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if not self.listening.done():
                if line.startswith(b"HTTP/1.1") and b" 200 " not in line:
                    self.listening.set_exception(AssertionError(line))
                elif line.startswith(b"event: hello"):
                    self.listening.set_result(None)
            self.run.hear(self.number, line, now)

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.gone += 1
        if not self.listening.done():
            self.listening.set_exception(AssertionError("closed before it listened"))


WORLD = """
import json
from datetime import UTC, date, datetime, timedelta
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.crypto import get_random_string
from uptake.directory.models import Identity, Membership, Organization, Person, User
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import make_key
from uptake.programme.publish import publish
now = datetime.now(UTC)
with transaction.atomic():
    company = Organization.objects.create(kind="company", name="Live", slug="live", timezone="UTC", created_at=now)
    company.path, company.company = f"/{company.pk}/", company
    company.save()
    connection = connect(slug="live", kind="api", name="Live", organization=company, by=EVERYTHING, now=now)
    key = make_key(connection=connection, by=EVERYTHING, now=now)[1]
    rule = {"rule": "order", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 1}
    book = {"programme": {}, "rules": [rule]}
    publish(rulebook=book, organization=company, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=now)
    numbers = range(LISTENERS)
    people = Person.objects.bulk_create([Person(name=f"Person {n}", created_at=now) for n in numbers])
    Membership.objects.bulk_create(
        [Membership(person=one, organization=company, from_date=date(2026, 1, 1)) for one in people]
    )
    Identity.objects.bulk_create(
        Identity(source="live", external_id=f"p{n}", company=company, person=people[n], first_seen_at=now)
        for n in numbers
    )
    users = User.objects.bulk_create([User(username=f"person{n}", person=people[n]) for n in numbers])
    store, rows = SessionStore(), []
    for user in users:
        told = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        key_of = get_random_string(32, VALID_KEY_CHARS)
        rows.append(Session(session_key=key_of, session_data=store.encode(told), expire_date=now + timedelta(days=1)))
    Session.objects.bulk_create(rows)
    sessions = [f"{settings.SESSION_COOKIE_NAME}={row.session_key}" for row in rows]
print(json.dumps({"key": key, "sessions": sessions}))
"""


if __name__ == "__main__":
    if sys.argv[1:2] == ["inside"]:
        print(json.dumps(asyncio.run(Run(json.loads(Path(sys.argv[2]).read_text()), int(sys.argv[3]),
                                         float(sys.argv[4])).whole())))  # fmt: skip
    else:
        sys.exit(main())
