"""Redemption under contention: fifty clients at one reward with ten in stock, on PostgreSQL; how long each waits.

`python bench/redeem.py`. Each client is a process of its own with a connection of its own, as a server's workers are;
they start together. What is promised: one person with points for one of ten mugs asks fifty times, the 95th percentile
is at most 100 ms. Beside it, without a promise: fifty people with points ask for the ten mugs, ten of them in a line.
Exits non-zero if a count is not exactly right, the ledger does not verify, anything but the refusal is raised, or the
promise is not kept.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "120"}
CLIENTS = 50
STOCK = 10
PRICE = 100
ROUNDS = 5
WANTED_MS = 100.0
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def main(words: list[str]) -> int:
    """Measures in a process whose settings are its own."""
    if words == ["--inside"]:
        return inside()
    from tools.postgresql import private_server

    with private_server(settings=DURABLE) as url, tempfile.TemporaryDirectory(prefix="uptake-redeem-") as folder:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("UPTAKE_")},
            "UPTAKE_DATA": folder,
            "UPTAKE_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "uptake.config.settings",
        }
        return subprocess.run([sys.executable, __file__, "--inside"], env=environment, check=False).returncode


def inside() -> int:
    """Makes the world, plays the rounds, prints the figures."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    shop = Shop()
    pooled: Any = connection
    failed: list[str] = []
    free = shop.reward(price=0, stock=None)
    for what, people, wanted, most in (
        ("one person with points for one", 1, {"done": 1, "not_enough_points": CLIENTS - 1}, WANTED_MS),
        ("fifty people, ten in stock", CLIENTS, {"done": STOCK, "out_of_stock": CLIENTS - STOCK}, None),
    ):
        waits: list[float] = []
        for _round in range(ROUNDS):
            reward, owners = shop.reward(), shop.people(people)
            connection.close()
            pooled.close_pool()
            told, spent = together(free, [(reward, owners[n % people], f"{reward}/{n}") for n in range(CLIENTS)])
            waits += spent
            if told != wanted:
                failed.append(f"{what}: {dict(told)}, wanted {wanted}")
        waits.sort()
        p50, p95 = (1000 * waits[int(len(waits) * part)] for part in (0.5, 0.95))
        ok = most is None or p95 <= most
        verdict = "" if most is None else f", wanted at most {most:g}: {'ok' if ok else 'missed'}"
        print(
            f"postgresql: {CLIENTS} clients at once, {what}, {ROUNDS} rounds: "
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms{verdict}",
            flush=True,
        )
        failed += [] if ok else [f"{what}: p95 {p95:.0f} ms"]
    failed += shop.problems()
    for one in failed:
        print(f"missed: {one}")
    return 1 if failed else 0


def together(free: int, asked: list[tuple[int, int, str]]) -> tuple[Counter[str], list[float]]:
    """Everybody asks at the same moment; what came of it, and how long each waited (seconds).

    Nobody leaves before all have been answered: a server's workers stay, and what it costs to end a process is nothing
    that anyone who asks for a reward waits for. For the same reason the collector leaves alone what is there, as it
    does in a server.
    """
    gc.collect()
    gc.freeze()
    start, done, leave = [os.pipe() for _ in range(3)]
    children = []
    for reward, person, key in asked:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(start[1])
            os.close(leave[1])
            _client(free, reward, person, key, start[0], done[1], writing, leave[0])
        os.close(writing)
        children.append((pid, reading))
    os.close(start[0])
    for _ in asked:
        os.read(done[0], 1)  # connected and ready
    os.close(start[1])  # all of them read the end of it
    told: Counter[str] = Counter()
    waits = []
    for _pid, reading in children:
        with os.fdopen(reading) as answer:
            fate, seconds = answer.readline().split()
        told[fate] += 1
        waits.append(float(seconds))
    os.close(leave[1])
    for pid, _reading in children:
        os.waitpid(pid, 0)
    for end in (*done, leave[0]):
        os.close(end)
    return told, waits


def _client(free: int, reward: int, person: int, key: str, start: int, ready: int, answer: int, leave: int) -> None:
    """One client: asks for what costs nothing, as a connection of a running server long has; says it is ready, waits
    for the start, asks once, tells what became of it."""
    from uptake.directory.scope import Viewer
    from uptake.programme.rewards.models import Reward
    from uptake.programme.rewards.redeem import redeem
    from uptake.programme.rewards.refusals import Refusal

    fate, begun = "died", 0.0
    try:
        row = Reward.objects.select_related("company").get(pk=reward)
        viewer = Viewer(None, person, "", (), date.max, (row.company.path,))
        redeem(reward=Reward.objects.select_related("company").get(pk=free), by=viewer, key=f"free/{key}", now=NOW)
        os.write(ready, b".")
        os.read(start, 1)
        begun = time.perf_counter()
        redeem(reward=row, by=viewer, key=key, now=NOW)
        fate = "done"
    except Refusal as refused:
        fate = refused.code
    except Exception as error:
        fate = type(error).__name__
        traceback.print_exc()
    finally:
        took = time.perf_counter() - begun if begun else 0.0
        os.write(answer, f"{fate} {took}\n".encode())
        os.write(ready, b"" if begun else b".")
        os.read(leave, 1)
        os._exit(0)


class Shop:
    """A company that offers mugs."""

    def __init__(self) -> None:
        from uptake.directory.models import Organization
        from uptake.directory.scope import EVERYTHING
        from uptake.programme.publish import publish

        company = Organization.objects.create(kind="company", name="Shop", slug="shop", timezone="UTC", created_at=NOW)
        company.path, company.company = f"/{company.pk}/", company
        company.save()
        self.company = company
        publish(rulebook={"rules": []}, organization=company, in_force_date=date(2026, 1, 1), by=EVERYTHING, now=NOW)

    def reward(self, price: int = PRICE, stock: int | None = STOCK) -> int:
        from uptake.directory.scope import EVERYTHING
        from uptake.programme.rewards.offer import Offer, offer

        mug = Offer(kind="goods", name_en="Mug", price=price, stock=stock)
        made = offer(company=self.company, offer=mug, by=EVERYTHING, now=NOW)
        key: int = made.pk
        return key

    def people(self, count: int) -> list[int]:
        """New people with points for one mug each."""
        from uptake.directory.models import Membership, Person
        from uptake.ledger.grant import Grant, grant

        found: list[int] = []
        grants: list[Any] = []
        for _ in range(count):
            person = Person.objects.create(name="Somebody", created_at=NOW)
            Membership.objects.create(person=person, organization=self.company, from_date=date(2026, 1, 1))
            found.append(person.pk)
            grants.append(
                Grant(
                    book=self.company.pk,
                    key=f"earned/{person.pk}",
                    lot=f"earned/{person.pk}",
                    owner=str(person.pk),
                    points=PRICE,
                    cause="event/1",
                    happened_at=NOW,
                    available_from=NOW,
                )
            )
        grant(grants, now=NOW)
        return found

    def problems(self) -> list[str]:
        from uptake.ledger.verify import verify
        from uptake.programme.rewards.verify import problems_of

        return [str(one) for one in (*verify().problems, *problems_of(self.company.pk))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
