"""Where there are too many names for an array of all edges, paths say the same as where there are few."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pyarrow as pa
import pytest

from uptake.activity import ActivityLog

pytestmark = pytest.mark.once
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize("names", [5, 400])
def test_every_edge_and_step_is_counted(names: int) -> None:
    walks = {f"person {who}": [who * 7 * step % names for step in range(1, 5)] for who in range(1, 60)}
    rows = [
        (who, f"event {name}", START + timedelta(minutes=minute))
        for who, walk in walks.items()
        for minute, name in enumerate(walk)
    ]
    columns = dict(zip(("person", "event", "happened_at"), map(list, zip(*rows, strict=True)), strict=True))

    found = ActivityLog.from_arrow(pa.table(columns)).paths(edge_limit=10_000)

    edges: Counter[tuple[str, str]] = Counter()
    for walk in walks.values():
        nodes = [f"event {name}" for place, name in enumerate(walk) if place == 0 or walk[place - 1] != name]
        steps = [f"{place}_{name}" for place, name in enumerate(nodes, start=1)]
        edges.update(pairwise(steps))
    assert {(first, then): count for first, then, count, _seconds in found.edges} == edges
    order = [(-count, int(first[0]), first[2:], then[2:]) for first, then, count, _seconds in found.edges]
    assert order == sorted(order)
