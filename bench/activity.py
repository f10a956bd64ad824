"""Times the activity engine: each fold over many events, and the reads behind a page at 1 M events, 300 companies.

    python bench/activity.py [--events 2000000] [--people 20000] [--companies 300] [--days 120] [--folder DIR]

Prints the median of several runs; the first run, which decodes the columns from disk, stands apart.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from time import perf_counter, process_time
from typing import Any

import numpy as np

from uptake.activity import ActivityLog, ask
from uptake.activity.incoming import Incoming
from uptake.activity.periods import day_number
from uptake.activity.store import Store
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.last_activity import last_activity
from uptake.activity.summaries.people import people
from uptake.activity.summaries.places import places
from uptake.activity.summaries.top import top
from uptake.activity.warm import warm

FIRST = date(2026, 1, 1)
NAMES = ["$pageview", "login", *(f"step.{number}" for number in range(40))]
CHUNK = 200_000


def make(folder: str, events: int, persons: int, companies: int, days: int) -> ActivityLog:
    """A log of made-up events: people of uneven zeal, each in one company and department, in working hours."""
    chance = np.random.default_rng(7)
    zeal = chance.pareto(1.5, persons) + 0.1
    company = chance.integers(1, companies + 1, persons)
    department = 1000 + company * 5 + chance.integers(0, 5, persons)
    with Store(folder).writing() as writer:
        writer.declare({"module": "text", "amount": "number"})
        for start in range(0, events, CHUNK):
            count = min(CHUNK, events - start)
            who = chance.choice(persons, count, p=zeal / zeal.sum())
            day = chance.integers(0, days, count)
            at = (day_number(FIRST) + day) * 86_400_000_000 + chance.integers(1, 10 * 3600, count) * 1_000_000
            amounts = chance.integers(1, 1000, count).tolist()
            writer.add(
                Incoming(
                    event_id=list(range(start, start + count)),
                    person=(who + 1).tolist(),
                    happened_at=at.tolist(),
                    business_day=(day_number(FIRST) + day).tolist(),
                    company=company[who].tolist(),
                    department=department[who].tolist(),
                    event=[NAMES[one] for one in (chance.random(count) ** 2 * len(NAMES)).astype(int).tolist()],
                    source=["erp"] * count,
                    object=[""] * count,
                    properties=[{"module": f"m{amount % 7}", "amount": amount} for amount in amounts],
                )
            )
        writer.compact()
        writer.publish()
    return ActivityLog.open(folder, memory_bytes=2**31)


def timed(name: str, deed: Callable[[], Any], runs: int) -> None:
    """Prints the first run, the median and the slowest of the others, and the processor time of one."""
    began = perf_counter()
    deed()
    cold = perf_counter() - began
    walls, works = [], []
    for _ in range(runs):
        began, worked = perf_counter(), process_time()
        deed()
        walls.append((perf_counter() - began) * 1000)
        works.append((process_time() - worked) * 1000)
    walls.sort()
    print(
        f"{name:<44} first {cold * 1000:8.1f} ms   median {statistics.median(walls):7.1f} ms   "
        f"p95 {walls[int(len(walls) * 0.95)]:7.1f} ms   cpu {statistics.median(works):7.1f} ms"
    )


def main() -> None:
    """Makes the logs and measures them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--companies", type=int, default=300)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--page-events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    began = perf_counter()
    warm()
    print(f"compiling or loading the folds: {perf_counter() - began:.1f} s")
    last = FIRST + timedelta(days=options.days - 1)
    between = {"from": FIRST.isoformat(), "to": last.isoformat(), "timezone": "Asia/Shanghai"}
    with tempfile.TemporaryDirectory() as folder:
        began = perf_counter()
        log = make(folder, options.events, options.people, options.companies, options.days)
        size = sum(os.path.getsize(os.path.join(at, file)) for at, _, files in os.walk(folder) for file in files)
        print(f"\n{options.events:,} events of {options.people:,} people, {options.days} days: written in "
              f"{perf_counter() - began:.1f} s, {size / 2**20:.0f} MB")  # fmt: skip
        for name, more in (
            ("pv_uv by day", {"analysis": "pv_uv", "event_sel": {}}),
            ("pv_uv by week, one name", {"analysis": "pv_uv", "interval": "week"}),
            ("pv_uv by hour", {"analysis": "pv_uv", "event_sel": {}, "interval": "hour"}),
            ("pv_uv by day, by event name", {"analysis": "pv_uv", "event_sel": {}, "by": "event"}),
            ("pv_uv by day, amount > 500", {
                "analysis": "pv_uv", "event_sel": {"where": [{"property": "amount", "op": "gt", "value": 500}]}}),
            ("active_users", {"analysis": "active_users"}),
            ("active_users by company", {"analysis": "active_users", "by": "company"}),
        ):  # fmt: skip
            question = {**between, **more}
            timed(name, lambda question=question: ask(log, question), options.runs)  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as folder:
        log = make(folder, options.page_events, options.people, options.companies, options.days)
        first = last - timedelta(days=29)
        print(
            f"\nreads of pages, {options.page_events:,} events of {options.people:,} people, "
            f"{options.companies} companies, 30 days"
        )
        everywhere = range(1, options.companies + 1)
        timed("daily, all companies", lambda: daily(log, first=first, last=last, companies=everywhere), options.runs)
        timed("daily, one company", lambda: daily(log, first=first, last=last, companies=[7]), options.runs)
        timed("companies, with the period before",
              lambda: places(log, first=first, last=last, companies=everywhere), options.runs)  # fmt: skip
        timed("departments of a company", lambda: places(log, first=first, last=last, within=7), options.runs)
        timed("people of a company", lambda: people(log, first=first, last=last, companies=[7]), options.runs)
        timed("one person", lambda: people(log, first=first, last=last, persons=[77]), options.runs)
        timed("top event names", lambda: top(log, of="event", first=first, last=last), options.runs)
        timed("top event names of a company",
              lambda: top(log, of="event", first=first, last=last, companies=[7]), options.runs)  # fmt: skip
        timed("last activity of everybody", lambda: last_activity(log), options.runs)


if __name__ == "__main__":
    main()
