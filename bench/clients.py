"""What event clients of other makers cost: a hundred published ones at once, and each format beside our own.

    python bench/clients.py [--clients 100] [--events 10000] [--rounds 3]

First a hundred clients (Segment's of Python) send together to one server: every event must be held once, and the rate
is by the server's CPU, as senders and server share the machine. Then each format's batch of 500 and the same events to
our own API, one by one: the ratio of the server's CPU. Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import Server, inside, intake_key, running  # noqa: E402

WANTED_PER_SECOND = 3000
WANTED_RATIO = 1.3
BATCH = 500
BATCHES = 12
SENDERS = 4
"""Processes that the clients live in: each client has a thread of its own."""

SEND = """
import sys
from segment.analytics.client import Client
url, key, first, last, each = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
clients = [Client(key, host=url + "/in/segment", upload_interval=0.2) for _number in range(first, last)]
for n in range(each):
    for number, client in enumerate(clients, first):
        client.track(f"u{number}", "bench.sent", {"n": number * each + n, "lines": 3, "on_time": True})
for client in clients:
    client.shutdown()
"""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--clients", type=int, default=100)
    words.add_argument("--events", type=int, default=10_000)
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    missed = []
    with tempfile.TemporaryDirectory(prefix="uptake-clients-") as folder:
        data = Path(folder)
        code = "from django.core.management import call_command; call_command('migrate', verbosity=0); print(1)"
        inside(code, data=data)
        with running(data=data, settings={"UPTAKE_INTAKE_RATE": "1000000"}) as server:
            key = intake_key(data=data)
            missed += together(server, key, given.clients, given.events)
            missed += formats(server, key, given.rounds)
    for figure in missed:
        print(f"missed: {figure}")
    return 1 if missed else 0


def together(server: Server, key: str, clients: int, events: int) -> list[str]:
    """Sends by many published clients at once; gives the figures that were missed."""
    each, share = events // clients, clients // SENDERS
    before, began = server.cpu_seconds(), time.perf_counter()
    senders = [
        subprocess.Popen([sys.executable, "-c", SEND, server.url, key, str(first), str(first + share), str(each)])
        for first in range(0, share * SENDERS, share)
    ]
    ended = [sender.wait() for sender in senders]
    seconds, cpu = time.perf_counter() - began, server.cpu_seconds() - before
    with sqlite3.connect(server.data / "uptake.sqlite3") as record:
        asked = (
            "SELECT count(*), count(DISTINCT json_extract(facts, '$.n')) FROM events_event WHERE name = 'bench.sent'"
        )
        held, different = record.execute(asked).fetchone()
    sent = each * share * SENDERS
    print(
        f"{share * SENDERS} clients, {sent:,} events: {held:,} held, {different:,} different, {seconds:.1f} s"
        f" with the senders; server {cpu:.2f} s of CPU: {sent / cpu:,.0f} events/s"
    )
    missed = [] if not any(ended) and held == different == sent else ["an event was lost or doubled"]
    return missed + ([] if sent / cpu >= WANTED_PER_SECOND else [f"{WANTED_PER_SECOND:,} events/s"])


def _facts(n: int) -> dict[str, Any]:
    return {"lines": n % 9, "on_time": True, "amount": 12.5, "module": "sales"}


def _native(key: str, at: str) -> tuple[str, bytes, dict[str, str]]:
    events = [
        {"event": "bench.format", "key": str(uuid.uuid4()), "at": at, "person": f"u{n % 50}", "facts": _facts(n)}
        for n in range(BATCH)
    ]
    return "/api/v1/events", json.dumps({"events": events}).encode(), {"Authorization": f"Bearer {key}"}


def _segment(key: str, at: str) -> tuple[str, bytes, dict[str, str]]:
    context = {"library": {"name": "analytics-python", "version": "2.4.0"}}
    batch = [
        {
            "type": "track",
            "event": "bench.format",
            "userId": f"u{n % 50}",
            "anonymousId": None,
            "messageId": str(uuid.uuid4()),
            "timestamp": at,
            "context": context,
            "integrations": {},
            "properties": _facts(n),
        }
        for n in range(BATCH)
    ]
    return "/in/segment/v1/batch", json.dumps({"batch": batch, "sentAt": at, "writeKey": key}).encode(), {}


def _posthog(key: str, at: str) -> tuple[str, bytes, dict[str, str]]:
    own = {"$lib": "posthog-python", "$lib_version": "7.91.1", "$geoip_disable": True}
    batch = [
        {
            "event": "bench.format",
            "distinct_id": f"u{n % 50}",
            "uuid": str(uuid.uuid4()),
            "timestamp": at,
            "properties": {**own, **_facts(n)},
        }
        for n in range(BATCH)
    ]
    return "/in/posthog/batch/", json.dumps({"api_key": key, "batch": batch, "sent_at": at}).encode(), {}


def _cloudevents(key: str, at: str) -> tuple[str, bytes, dict[str, str]]:
    batch = [
        {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "/erp",
            "type": "bench.format",
            "subject": f"u{n % 50}",
            "time": at,
            "data": _facts(n),
        }
        for n in range(BATCH)
    ]
    return "/in/cloudevents", json.dumps(batch).encode(), {"Authorization": f"Bearer {key}"}


def _sensors(key: str, _at: str) -> tuple[str, bytes, dict[str, str]]:
    now = int(time.time() * 1000)
    batch = [
        {
            "type": "track",
            "event": "bench.format",
            "login_id": f"u{n % 50}",
            "distinct_id": f"u{n % 50}",
            "_track_id": uuid.uuid4().int % 2**53,
            "time": now,
            "properties": {"$lib": "python", **_facts(n)},
        }
        for n in range(BATCH)
    ]
    import base64

    packed = base64.b64encode(json.dumps(batch).encode()).decode()
    return f"/in/sensors/sa?key={key}", urlencode({"data_list": packed}).encode(), {}


def _umami(key: str, _at: str) -> tuple[str, bytes, dict[str, str]]:
    batch = [
        {
            "type": "event",
            "payload": {"website": key, "id": f"u{n % 50}", "name": "bench.format", "url": "/a", "data": _facts(n)},
        }
        for n in range(BATCH)
    ]
    return "/in/umami/api/batch", json.dumps(batch).encode(), {}


FORMATS: dict[str, Callable[[str, str], tuple[str, bytes, dict[str, str]]]] = {
    "native": _native,
    "segment": _segment,
    "posthog": _posthog,
    "cloudevents": _cloudevents,
    "sensors": _sensors,
    "umami": _umami,
}


def formats(server: Server, key: str, rounds: int) -> list[str]:
    """The server's CPU for the same events in each format, in turns; gives the figures that were missed."""
    used: dict[str, list[float]] = {name: [] for name in FORMATS}
    for _round in range(rounds + 1):
        for name, make in FORMATS.items():
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            requests = [make(key, at) for _number in range(BATCHES)]
            before = server.cpu_seconds()
            for path, body, headers in requests:
                door = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                door.request("POST", path, body, {"Content-Type": "application/json", **headers})
                answer = door.getresponse()
                said = answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{name}: {answer.status} {said[:300]!r}")
                door.close()
            used[name].append(server.cpu_seconds() - before)
    own = statistics.median(used["native"][1:])
    missed = []
    for name, seconds in used.items():
        ratio = statistics.median(seconds[1:]) / own
        each = statistics.median(seconds[1:]) / BATCH / BATCHES * 1e6
        print(f"{name}: {each:.0f} µs of CPU an event, {ratio:.2f} × our own")
        if ratio > WANTED_RATIO:
            missed.append(f"{name} within {WANTED_RATIO} × our own")
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
