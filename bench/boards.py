"""A board of many people: top 50, own rank and neighbours, on SQLite and on PostgreSQL.

`python bench/boards.py [sqlite] [postgresql] [--people N] [--reads N]` (100,000 people of one company whose 1,000,000
gains were put on the boards; 200 reads by people all over the board). Milliseconds as a page would wait, without
making the page; CPU is that of the asking process. Exits non-zero if the figure is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

WANTED_MS = 20
NOW = datetime(2026, 6, 15, 4, tzinfo=UTC)
PLENTY = {"shared_buffers": "256MB", "autovacuum": "on"}


def main(words: list[str]) -> int:
    """Measures the databases named (default: both), each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", default=[])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--gains", type=int, default=1_000_000)
    parser.add_argument("--reads", type=int, default=200)
    parser.add_argument("--inside", default="")
    asked = parser.parse_args(words)
    if asked.inside:
        return inside(asked.inside, asked.people, asked.gains, asked.reads)
    from tools.postgresql import private_server

    failed = 0
    for name in asked.databases or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-boards-"))
            url = leaving.enter_context(private_server(settings=PLENTY)) if name == "postgresql" else ""
            environment = {
                **{key: value for key, value in os.environ.items() if not key.startswith("UPTAKE_")},
                "UPTAKE_DATA": folder,
                "UPTAKE_DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "uptake.config.settings",
            }
            numbers = ["--people", str(asked.people), "--gains", str(asked.gains), "--reads", str(asked.reads)]
            run = [sys.executable, __file__, "--inside", name, *numbers]
            failed |= subprocess.run(run, env=environment, check=False).returncode
    return failed


def inside(name: str, people: int, gains: int, reads: int) -> int:
    """Fills the boards of one company and reads them."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from uptake.directory.models import Kind, Organization, Person
    from uptake.directory.viewer import Viewer
    from uptake.programme.merits.board import read_board
    from uptake.programme.merits.models import BAND, Band, Score
    from uptake.programme.merits.periods import EVER, MONTH, WEEK, start_of

    call_command("migrate", verbosity=0)
    company = Organization.objects.create(kind=Kind.COMPANY, name="Bench", slug="bench", created_at=NOW)
    company.path, company.company = f"/{company.pk}/", company
    company.save()
    Person.objects.bulk_create([Person(name=f"Person {nth}", created_at=NOW) for nth in range(people)], batch_size=5000)
    ids = list(Person.objects.values_list("pk", flat=True))
    chance = random.Random(7)
    points: dict[int, int] = dict.fromkeys(ids, 0)
    latest: dict[int, datetime] = {}
    for _ in range(gains):
        who = ids[int(chance.paretovariate(1.2)) % people] if chance.random() < 0.3 else chance.choice(ids)
        points[who] += chance.choice((1, 2, 5, 10))
        latest[who] = NOW - timedelta(seconds=chance.randrange(86400))
    for period in (WEEK, MONTH, EVER):
        Score.objects.bulk_create(
            [
                Score(
                    place=company,
                    period=period,
                    starts=start_of(period, NOW.date()),
                    person_id=who,
                    points=sum_,
                    shown=sum_,
                    latest_at=latest.get(who),
                    shown_at=latest.get(who),
                )
                for who, sum_ in points.items()
            ],
            batch_size=2000,
        )
    for period in (WEEK, MONTH, EVER):
        bands = Counter(sum_ // BAND for sum_ in points.values() if sum_ > 0)
        Band.objects.bulk_create(
            [
                Band(place=company, period=period, starts=start_of(period, NOW.date()), number=number, people=count)
                for number, count in bands.items()
            ]
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    waits: list[float] = []
    cpu = time.process_time()
    for nth in range(reads):
        who = ids[nth * people // reads]
        viewer = Viewer(None, who, "", (), NOW.date(), (company.path,))
        began = time.perf_counter()
        found = read_board(company, MONTH, start_of(MONTH, NOW.date()), viewer=viewer, now=NOW, top=50)
        waits.append(1000 * (time.perf_counter() - began))
        if nth % 20 == 0 and found.mine is not None:
            assert found.mine.rank == 1 + sum(one > points[who] for one in points.values())
    cpu = 1000 * (time.process_time() - cpu) / reads
    waits.sort()
    p50, p95 = waits[reads // 2], waits[int(reads * 0.95)]
    met = p95 <= WANTED_MS
    print(
        f"{name}: top 50, rank and neighbours among {people:,} people of {gains:,} gains: median {p50:.1f} ms, "
        f"p95 {p95:.1f} ms (wanted ≤ {WANTED_MS}: {'met' if met else 'MISSED'}), {cpu:.1f} ms of CPU a read"
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
