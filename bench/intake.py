"""Intake by HTTP: batches of 500 as fast as they go, then single events at 200 a second; on SQLite and PostgreSQL.

The server is a process of its own with durable settings, the sender another; both share the machine's cores with the
database. A single event's time is measured from the moment it was due, so a stall is not hidden. Exits non-zero if a
figure is missed.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import Server, inside, intake_key, running  # noqa: E402
from tools.postgresql import private_server  # noqa: E402

BATCH = 500
BATCH_SECONDS = 10
SENDERS = 4
SINGLE_RATE = 200
SINGLE_SECONDS = 15
WANTED_PER_SECOND = 10_000
WANTED_P95_MS = 20
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}


def main(names: list[str]) -> int:
    """Measures the databases named (default: both)."""
    missed = []
    for name in names or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-intake-")))
            url = leaving.enter_context(private_server(settings=DURABLE)) if name == "postgresql" else ""
            server = leaving.enter_context(
                running(data=folder, database_url=url, settings={"UPTAKE_INTAKE_RATE": "1000000"})
            )
            missed += measure(name, server, intake_key(data=folder, database_url=url), url)
    for figure in missed:
        print(f"missed: {figure}")
    return 1 if missed else 0


def measure(name: str, server: Server, key: str, url: str) -> list[str]:
    """Prints the figures of one server; gives those that were missed."""
    time.sleep(1)
    print(f"{name}: idle server {server.memory_mb():.0f} MB")
    _load(server, key, "batches", 2)
    before = server.cpu_seconds()
    batches = _load(server, key, "batches", BATCH_SECONDS)
    cpu = (server.cpu_seconds() - before) / batches["events"] * 1e6
    print(
        f"{name}: batches of {BATCH}: {batches['per_second']:,.0f} events/s durable, "
        f"p95 {batches['p95_ms']:.0f} ms a batch, {cpu:.0f} µs of server CPU an event, "
        f"sender {batches['sender_cpu']:.0%} of a core"
    )
    before = server.cpu_seconds()
    singles = _load(server, key, "singles", SINGLE_SECONDS)
    share = (server.cpu_seconds() - before) / SINGLE_SECONDS
    print(
        f"{name}: single events at {singles['per_second']:.0f}/s: p50 {singles['p50_ms']:.1f} ms, "
        f"p95 {singles['p95_ms']:.1f} ms, p99 {singles['p99_ms']:.1f} ms, server {share:.0%} of a core; "
        f"then {server.memory_mb():.0f} MB"
    )
    stored = inside(
        "from uptake.events.models import Event; print(Event.objects.count())", data=server.data, database_url=url
    )
    sent = _sent[key]
    missed = []
    if stored != sent:
        missed.append(f"{name}: {sent} events acknowledged, {stored} stored")
    if batches["per_second"] < WANTED_PER_SECOND:
        missed.append(f"{name}: {batches['per_second']:,.0f} events/s in batches, wanted {WANTED_PER_SECOND:,}")
    if singles["p95_ms"] > WANTED_P95_MS:
        missed.append(f"{name}: p95 {singles['p95_ms']:.1f} ms for single events, wanted {WANTED_P95_MS}")
    return missed


_sent: dict[str, int] = {}


def _load(server: Server, key: str, kind: str, seconds: float) -> dict[str, Any]:
    """Runs the sender in a process of its own; gives what it measured."""
    told = subprocess.run(
        [sys.executable, __file__, "send", kind, str(server.port), key, str(seconds)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, Any] = json.loads(told.stdout)
    _sent[key] = _sent.get(key, 0) + figures["events"]
    return figures


class Line:
    """One kept-open HTTP connection."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.head = (
            f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )

    async def open(self) -> Line:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def post(self, body: bytes) -> tuple[int, bytes]:
        self.writer.write(f"{self.head}{len(body)}\r\n\r\n".encode() + body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        return int(head[9:12]), await self.reader.readexactly(length)


def _event(number: int, tag: str, now: datetime) -> dict[str, Any]:
    return {
        "event": f"order.step_{number % 12}",
        "key": f"{tag}-{number}",
        "at": (now - timedelta(seconds=number % 86400)).isoformat(),
        "person": f"clerk-{number * 7 % 500}",
        "object": f"SO-{number // 5}",
        "facts": {"amount": number % 10000 + 0.5, "lines": number % 9, "channel": "web", "urgent": number % 3 == 0},
    }


async def send_batches(port: int, key: str, seconds: float) -> dict[str, Any]:
    """Four senders, each with one batch on its way at a time."""
    tag, now = f"b{time.time_ns()}", datetime.now(UTC)
    took: list[float] = []
    numbers = iter(range(0, 10**9, BATCH))
    begun = time.monotonic()

    async def sender() -> None:
        line = await Line(port, key).open()
        while time.monotonic() - begun < seconds:
            first = next(numbers)
            body = json.dumps({"events": [_event(first + i, tag, now) for i in range(BATCH)]}).encode()
            at = time.monotonic()
            status, answer = await line.post(body)
            took.append(time.monotonic() - at)
            assert status == 200, answer[:300]
            assert json.loads(answer)["counts"]["new"] == BATCH, answer[:300]

    cpu = time.process_time()
    await asyncio.gather(*[sender() for _ in range(SENDERS)])
    whole = time.monotonic() - begun
    return _figures(took, len(took) * BATCH, whole, time.process_time() - cpu)


async def send_singles(port: int, key: str, seconds: float) -> dict[str, Any]:
    """Single events on a fixed timetable, over as many connections as it needs."""
    tag, now = f"s{time.time_ns()}", datetime.now(UTC)
    took: list[float] = []
    idle = deque([await Line(port, key).open() for _ in range(20)])
    begun = time.monotonic() + 0.1
    cpu = time.process_time()

    async def one(number: int, due: float) -> None:
        line = idle.popleft() if idle else await Line(port, key).open()
        status, answer = await line.post(json.dumps(_event(number, tag, now)).encode())
        took.append(time.monotonic() - due)
        idle.append(line)
        assert status == 200, answer[:300]

    tasks = []
    for number in range(int(seconds * SINGLE_RATE)):
        due = begun + number / SINGLE_RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    return _figures(took, len(took), time.monotonic() - begun, time.process_time() - cpu)


def _figures(took: list[float], events: int, whole: float, cpu: float) -> dict[str, Any]:
    hundredths = statistics.quantiles(took, n=100)
    return {
        "events": events,
        "per_second": events / whole,
        "p50_ms": hundredths[49] * 1000,
        "p95_ms": hundredths[94] * 1000,
        "p99_ms": hundredths[98] * 1000,
        "sender_cpu": cpu / whole,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        send = {"batches": send_batches, "singles": send_singles}[sys.argv[2]]
        print(json.dumps(asyncio.run(send(int(sys.argv[3]), sys.argv[4], float(sys.argv[5])))))
    else:
        sys.exit(main(sys.argv[1:]))
