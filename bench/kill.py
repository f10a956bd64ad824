"""kill -9 of the server at random moments under load: what it acknowledged is there once, and every award once.

    python bench/kill.py [sqlite] [postgresql] [--kills 20] [--seed N]

Several senders post small batches to a real server with its jobs inside; one without an answer sends again. After the
last kill the server catches up, and then: every acknowledged event is in the record once; the awards are those of
counting by hand (3 points for each event, at most ten a day for one person); every transfer is of one award; the
ledger verifies. Exits non-zero if anything of this does not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

from tests.server import Server, inside  # noqa: E402
from tools.postgresql import private_server  # noqa: E402

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
SETTINGS = {"UPTAKE_JOBS": "inside", "UPTAKE_INTAKE_RATE": "1000000", "UPTAKE_LOG_LEVEL": "CRITICAL"}
SENDERS = 4
BATCH = 10
PEOPLE = 40
POINTS, TIMES_A_DAY = 3, 10
CATCH_UP_SECONDS = 120


def main() -> int:
    """Tries the databases named (default: both)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("databases", nargs="*", choices=["sqlite", "postgresql", []], default=[])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the moments of the kills")
    options = parser.parse_args()
    failed = []
    for name in options.databases or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-kill-")))
            url = leaving.enter_context(private_server(settings=DURABLE)) if name == "postgresql" else ""
            failed += [f"{name}: {what}" for what in attempt(name, folder, url, options.kills, options.seed)]
    for what in failed:
        print(f"missed: {what}")
    return 1 if failed else 0


def attempt(name: str, folder: Path, url: str, kills: int, seed: int) -> list[str]:
    """Kills one server again and again; gives what does not hold."""
    server = Server(data=folder, database_url=url, settings=SETTINGS)
    load = Load(server)
    dice = random.Random(seed)
    begun = time.monotonic()
    try:
        server.start()
        load.key = inside(WORLD, data=folder, database_url=url)
        load.start()
        for _kill in range(kills):
            load.await_answers(20)
            time.sleep(dice.random() * 0.5)
            server.kill()
            server.start()
        load.await_answers(20)
        load.stop()
        waited = catch_up(folder, url)
    finally:
        load.stopping.set()
        server.stop()
    found = inside(FOUND, data=folder, database_url=url)
    verified = subprocess.run(
        [sys.executable, "-m", "uptake.config.command", "ledger", "verify", "--json"],
        cwd=HERE,
        env=server.environment,
        capture_output=True,
        text=True,
    )
    print(
        f"{name}: {kills} kills (seed {seed}) in {time.monotonic() - begun:.0f} s: {len(load.acknowledged):,} events "
        f"acknowledged, {len(found['events']):,} stored, {load.repeated} batches sent again, "
        f"{sum(found['awards'].values()):,} points in {found['paid']:,} paid awards, {found['transfers']:,} transfers; "
        f"caught up within {waited:.0f} s; ledger {'holds' if verified.returncode == 0 else 'DOES NOT HOLD'}",
        flush=True,
    )
    return judge(load, found, verified)


def judge(load: Load, found: dict[str, Any], verified: subprocess.CompletedProcess[str]) -> list[str]:
    """What of the promises is broken."""
    failed = []
    stored = Counter(key for key, _, _ in found["events"])
    lost = set(load.acknowledged) - set(stored)
    if lost:
        failed.append(f"{len(lost)} acknowledged events are gone, such as {sorted(lost)[:3]}")
    if doubled := [key for key, count in stored.items() if count > 1]:
        failed.append(f"{len(doubled)} events are there twice, such as {doubled[:3]}")
    if strange := set(stored) - load.sent:
        failed.append(f"{len(strange)} events were never sent")
    by_hand = {
        person: POINTS * sum(min(TIMES_A_DAY, count) for count in days.values())
        for person, days in _days(found["events"]).items()
    }
    if by_hand != found["awards"]:
        other = [person for person in by_hand if by_hand[person] != found["awards"].get(person)]
        failed.append(f"awards of {len(other)} people differ from counting by hand, such as {other[:3]}")
    if by_hand != found["balances"]:
        failed.append("balances differ from counting by hand")
    if found["judged"] != len(stored):
        failed.append(f"{found['judged']:,} awards for {len(stored):,} events, wanted one each")
    if found["posted"] != found["transfers"]:  # an earlier event may take from the cap of a later one: more than paid
        failed.append(f"awards name {found['posted']:,} transfers, the ledger has {found['transfers']:,}")
    if verified.returncode:
        failed.append(f"ledger verify: {verified.stdout[-300:]} {verified.stderr[-300:]}")
    return failed


def _days(events: list[list[str]]) -> dict[str, Counter[str]]:
    days: dict[str, Counter[str]] = {}
    for _, person, day in events:
        days.setdefault(person, Counter())[day] += 1
    return days


def catch_up(folder: Path, url: str) -> float:
    """Waits until every event is considered; gives the seconds it took. RuntimeError if it takes too long."""
    begun = time.monotonic()
    while time.monotonic() - begun < CATCH_UP_SECONDS:
        if inside(WAITING, data=folder, database_url=url) == 0:
            return time.monotonic() - begun
        time.sleep(0.5)
    raise RuntimeError(f"events wait still, {CATCH_UP_SECONDS} s after the last was sent")


class Load:
    """Senders in threads, and what they were told."""

    def __init__(self, server: Server) -> None:
        self.server, self.key = server, ""
        self.sent: set[str] = set()
        self.acknowledged: list[str] = []
        self.repeated = 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(SENDERS)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def await_answers(self, batches: int) -> None:
        """Until so many more batches were acknowledged."""
        wanted, until = len(self.acknowledged) + batches * BATCH, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            if time.monotonic() > until:
                raise RuntimeError("the server answers nothing any more: " + self.server.log.read_text()[-2000:])
            time.sleep(0.005)

    def _send(self, sender: int) -> None:
        turn = 0
        while not self.stopping.is_set():
            rows = [_event(sender, turn * BATCH + number) for number in range(BATCH)]
            self.sent.update(row["key"] for row in rows)
            while not self._post(rows):
                self.repeated += 1
                if self.stopping.wait(0.05):
                    return
            turn += 1

    def _post(self, rows: list[dict[str, Any]]) -> bool:
        request = urllib.request.Request(
            f"{self.server.url}/api/v1/events",
            data=json.dumps(rows).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                fates = json.loads(answer.read())["fates"]
        except (OSError, ValueError):
            return False
        assert {fate["fate"] for fate in fates} <= {"new", "replayed"}, fates
        self.acknowledged.extend(fate["key"] for fate in fates)
        return True


def _event(sender: int, number: int) -> dict[str, Any]:
    """Some months ago, yet in time for its connection, in no order; a person has more on a date than the cap pays."""
    person = number * 7 % PEOPLE
    return {
        "event": "order.processed",
        "key": f"{sender}-{number}",
        "at": f"2026-05-{1 + number * 13 % 3:02}T{number * 5 % 24:02}:{number % 60:02}:00Z",
        "person": f"p{person}",
        "object": f"SO-{number}",
    }


WORLD = f"""
import json
from datetime import UTC, date, datetime
from uptake.directory.models import Identity, Membership, Organization, Person
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.keys import make_key
from uptake.programme.publish import publish
now = datetime.now(UTC)
company = Organization.objects.create(kind="company", name="Load", slug="load", timezone="UTC", created_at=now)
company.path, company.company = f"/{{company.pk}}/", company
company.save()
connection = connect(slug="load", kind="api", name="Load", organization=company, by=EVERYTHING, now=now)
connection.lateness_days = 3650
connection.save()
rule = {{"rule": "order", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": {POINTS},
         "cap": [{{"times": {TIMES_A_DAY}, "every": "day"}}]}}
book = {{"programme": {{"lateness_days": 365}}, "rules": [rule]}}
publish(rulebook=book, organization=company, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=now)
for number in range({PEOPLE}):
    person = Person.objects.create(name=f"p{{number}}", created_at=now)
    Membership.objects.create(person=person, organization=company, from_date=date(2026, 1, 1))
    Identity.objects.create(source="load", external_id=f"p{{number}}", company=company, person=person,
                            first_seen_at=now)
print(json.dumps(make_key(connection=connection, by=EVERYTHING, now=now)[1]))
"""

WAITING = """
from uptake.events.read import events_after, positions_of
from uptake.programme.publish import READER
print(events_after(positions_of(READER)[0], limit=1).count())
"""

FOUND = """
import json
from django.db.models import Count, Sum
from uptake.directory.models import Person
from uptake.events.models import Event
from uptake.ledger.models import Account, Transfer
from uptake.programme.models import Award
rows = Event.objects.order_by("id").values_list("key", "identity__external_id", "business_date")
by_person = Award.objects.values_list("person__name").annotate(Sum("points"))
people = {f"person/{key}/available": name for key, name in Person.objects.values_list("pk", "name")}
print(json.dumps({
    "events": [[key, person, str(day)] for key, person, day in rows],
    "awards": {name: points for name, points in by_person},
    "balances": {people[code]: balance for code, balance in Account.objects.values_list("code", "balance")
                 if code in people},
    "judged": Award.objects.count(),
    "paid": Award.objects.filter(points__gt=0).count(),
    "posted": Award.objects.aggregate(n=Sum("transfers"))["n"],
    "transfers": Transfer.objects.count(),
}))
"""


if __name__ == "__main__":
    sys.exit(main())
