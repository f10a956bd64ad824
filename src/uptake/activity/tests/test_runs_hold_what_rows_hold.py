"""Runs, from which pages are counted, hold exactly the rows that count: row by row, with bookkeeping, machine accounts,
nobody, and the people, places and dates that are asked for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.activity.log import Snapshot
from uptake.activity.periods import day_number
from uptake.activity.summaries.runs import SieveOfRuns, last_alive, runs_of
from uptake.activity.tests.test_pages_read_summaries import FIRST, MACHINE, NAMES, Row, events, log_of

pytestmark = pytest.mark.once
BASE = day_number(FIRST)
Seen = tuple[int, int, int, int, str]
"""person, day, company, department, event"""
days = st.tuples(st.integers(0, 27), st.integers(0, 27)).map(lambda two: (min(two), max(two)))
wanted = st.fixed_dictionaries(
    {},
    optional={
        "events": st.lists(st.sampled_from([*NAMES, "unheard of"]), unique=True),
        "companies": st.lists(st.sampled_from([0, 1, 2, 9]), unique=True),
        "departments": st.lists(st.sampled_from([0, 11, 12, 99]), unique=True),
        "only_persons": st.lists(st.sampled_from([-7, 0, 1, 2, MACHINE, 8]), unique=True),
    },
)
common = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def by_hand(rows: list[Row], spans: list[tuple[int, int]], asked: dict[str, Any]) -> list[Seen]:
    """The rows that count, sorted."""
    return sorted(
        (person, day, company, department, name)
        for person, day, company, name, department in rows
        if person not in (0, MACHINE)
        and (name in asked["events"] if "events" in asked else name != "heartbeat")
        and ("companies" not in asked or company in asked["companies"])
        and ("departments" not in asked or department in asked["departments"])
        and ("only_persons" not in asked or person in asked["only_persons"])
        and (not spans or any(first <= day <= last for first, last in spans))
    )


def sieve_of(snapshot: Snapshot, asked: dict[str, Any]) -> SieveOfRuns:
    only = asked.get("only_persons")
    return SieveOfRuns(snapshot, **(asked if only is None else asked | {"only_persons": np.array(only, np.int32)}))


@common
@given(events, st.lists(days, max_size=2), wanted)
def test_they_hold_the_rows_that_count(
    tmp_path: Path, rows: list[Row], spans: list[tuple[int, int]], asked: dict[str, Any]
) -> None:
    snapshot = log_of(tmp_path, rows).snapshot()
    sieve, names = sieve_of(snapshot, asked), snapshot.texts("event").to_pylist()

    seen: list[Seen] = []
    for bucket in range(snapshot.buckets):
        kept = sieve.of(bucket, *((BASE + first, BASE + last) for first, last in spans))
        codes, many = sieve.events(bucket), sieve.many(bucket, kept)
        alive = sieve.alive if len(sieve.alive) else np.ones(len(names) + 1, bool)
        latest = last_alive(kept.begin, kept.end, codes, alive)
        for run, (begin, end) in enumerate(zip(kept.begin.tolist(), kept.end.tolist(), strict=True)):
            of_run = (kept.person[run], kept.day[run] - BASE, kept.company[run], kept.department[run])
            held = [row for row in range(begin, end) if alive[codes[row]]]
            assert many[run] == len(held)
            assert not held or latest[run] == held[-1]
            seen += [(*map(int, of_run), names[codes[row]]) for row in held]

    assert sorted(seen) == by_hand(rows, spans, asked)


@common
@given(events)
def test_neighbours_of_one_run_are_alike_and_two_runs_differ(tmp_path: Path, rows: list[Row]) -> None:
    snapshot = log_of(tmp_path, rows).snapshot()

    total = 0
    for bucket in range(snapshot.buckets):
        begin, *of_runs = runs_of(snapshot, bucket)
        columns = snapshot.columns(bucket, ["person", "business_day", "company", "department"])
        spread = [np.repeat(one, np.diff(begin)) for one in of_runs]
        for told, column in zip(spread, columns.values(), strict=True):
            assert told.tolist() == column.tolist()
        described = list(zip(*(one.tolist() for one in of_runs), strict=True))
        assert all(one != after for one, after in pairwise(described))
        total += int(begin[-1])
    assert total == len(rows)
