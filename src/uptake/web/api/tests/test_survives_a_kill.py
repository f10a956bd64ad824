"""A real server is killed under load at moments it does not choose: what it acknowledged is there, exactly once."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.server import Server, fresh_database, inside, intake_key

KILLS = 2
SENDERS = 4


def test_every_acknowledged_event_is_there_once(tmp_path: Path) -> None:
    url = os.environ.get("UPTAKE_DATABASE_URL", "")
    url = fresh_database(url) if url else ""
    server = Server(data=tmp_path, database_url=url)
    acknowledged: list[str] = []
    sent: list[str] = []
    stopping = threading.Event()
    try:
        server.start()
        key = intake_key(data=tmp_path, database_url=url)
        senders = [
            threading.Thread(target=_send, args=(server.url, key, number, sent, acknowledged, stopping))
            for number in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        dice = random.Random()
        for _kill in range(KILLS):
            before = len(acknowledged)
            until = time.monotonic() + 30
            while len(acknowledged) < before + 20 and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(dice.random() / 10)
            server.kill()
            server.start()
        stopping.set()
        for sender in senders:
            sender.join()
    finally:
        stopping.set()
        server.stop()
    stored = inside(STORED, data=tmp_path, database_url=url)
    assert len(acknowledged) > 20 * KILLS
    assert len(stored) == len(set(stored)), "each at most once"
    assert set(acknowledged) <= set(stored), "what was acknowledged is there"
    assert set(stored) <= set(sent)


STORED = "import json; from uptake.events.models import Event; print(json.dumps([e.key for e in Event.objects.all()]))"


def _send(url: str, key: str, number: int, sent: list[str], acknowledged: list[str], stopping: threading.Event) -> None:
    """Sends batches one after the other; one without an answer is sent again, as a good sender does."""
    turn = 0
    while not stopping.is_set():
        rows = [_event(f"{number}-{turn}-{n}") for n in range(5)]
        sent.extend(row["key"] for row in rows)
        for _again in range(2):
            request = urllib.request.Request(
                f"{url}/api/v1/events",
                data=json.dumps(rows).encode(),
                headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    fates = json.loads(answer.read())["fates"]
            except (OSError, ValueError):
                time.sleep(0.05)
            else:
                assert {fate["fate"] for fate in fates} <= {"new", "replayed"}, fates
                acknowledged.extend(fate["key"] for fate in fates)
                break
        turn += 1


def _event(key: str) -> dict[str, Any]:
    return {
        "event": "order.processed",
        "key": key,
        "at": "2026-05-13T02:00:00Z",
        "person": f"p{hash(key) % 20}",
        "history_only": True,
    }
