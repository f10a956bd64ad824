"""The ledger: grants a second in batches, and verifying what they left, on SQLite and on PostgreSQL.

`python bench/ledger.py [sqlite] [postgresql] [--transfers N] [--batch N]` (20,000 transfers in batches of 1,000).
The server is durable (fsync on). CPU is that of the granting process. Exits non-zero if a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(HERE), str(HERE / "src")]

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}
WANTED_PER_SECOND = {"postgresql": 5_000}
VERIFY_SECONDS_PER_MILLION = 60
PEOPLE = 800
BOOKS = 24
BEGIN = datetime(2026, 6, 1, tzinfo=UTC)


def main(words: list[str]) -> int:
    """Measures the databases named (default: both), each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", default=[])
    parser.add_argument("--transfers", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--inside", default="")
    asked = parser.parse_args(words)
    if asked.inside:
        return inside(asked.inside, asked.transfers, asked.batch)
    from tools.postgresql import private_server

    failed = 0
    for name in asked.databases or ["sqlite", "postgresql"]:
        with ExitStack() as leaving:
            folder = leaving.enter_context(tempfile.TemporaryDirectory(prefix="uptake-ledger-"))
            url = leaving.enter_context(private_server(settings=DURABLE)) if name == "postgresql" else ""
            environment = {
                **{key: value for key, value in os.environ.items() if not key.startswith("UPTAKE_")},
                "UPTAKE_DATA": folder,
                "UPTAKE_DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "uptake.config.settings",
            }
            numbers = ["--transfers", str(asked.transfers), "--batch", str(asked.batch)]
            run = [sys.executable, __file__, "--inside", name, *numbers]
            failed |= subprocess.run(run, env=environment, check=False).returncode
    return failed


def inside(name: str, transfers: int, batch: int) -> int:
    """Grants and verifies in this process's database."""
    import django

    django.setup()
    from django.core.management import call_command

    from uptake.ledger.grant import Grant, grant
    from uptake.ledger.verify import verify

    call_command("migrate", "ledger", verbosity=0)

    def a_grant(number: int) -> Grant:
        happened_at = BEGIN + timedelta(seconds=number)
        last = date(2026, 12, 31) if number % 3 else None
        return Grant(
            book=number % BOOKS + 1,
            key=f"award/{number}",
            lot=f"award/{number}",
            owner=str(number * 7919 % PEOPLE),
            points=number % 20 + 1,
            cause=f"event/{number}",
            reason="award",
            happened_at=happened_at,
            source="orders",
            event_key=f"order-{number}",
            rule_order=number % 10,
            available_from=happened_at,
            last_date=last,
            expires_at=datetime(2027, 1, 1, tzinfo=UTC) if last else None,
            explanation={"rule": "orders", "version": 3, "base": 12, "factors": [["launch", "1.5"]], "cap": None},
        )

    seconds = cpu = 0.0
    for start in range(0, transfers, batch):
        grants = [a_grant(number) for number in range(start, min(start + batch, transfers))]
        now = grants[-1].happened_at
        begun, busy = time.perf_counter(), time.process_time()
        grant(grants, now=now)
        seconds += time.perf_counter() - begun
        cpu += time.process_time() - busy
    per_second = transfers / seconds
    print(f"  {name}: {per_second:,.0f} grants/s in batches of {batch:,} ({1e6 * cpu / transfers:.0f} µs of CPU each)")

    begun = time.perf_counter()
    report = verify()
    took = time.perf_counter() - begun
    assert report.holds, report.problems[:3]
    assert report.transfers == transfers
    print(f"  {name}: {transfers:,} transfers in {BOOKS} books verified in {took:.1f} s")
    # Told for a million, whatever was measured: it grows in proportion.
    wanted, million = WANTED_PER_SECOND.get(name, 0), took * 1e6 / transfers
    print(f"  {name}: wanted at least {wanted:,} grants/s: {'ok' if per_second >= wanted else 'missed'}")
    kept = million <= VERIFY_SECONDS_PER_MILLION
    verdict = "ok" if kept else "missed"
    print(f"  {name}: {million:.0f} s for 1 M, wanted at most {VERIFY_SECONDS_PER_MILLION} s: {verdict}")
    return int(per_second < wanted or not kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
