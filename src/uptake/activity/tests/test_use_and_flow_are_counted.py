"""How people came to use something, and whether data came in at all, agree with counting by hand."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.activity.summaries.flow import flow
from uptake.activity.summaries.use import use
from uptake.activity.tests.test_pages_read_summaries import MACHINE, Row, common, counted, day, events, log_of


@common
@given(events, st.integers(0, 27), st.sampled_from([None, ["order.processed"]]), st.sampled_from([None, ["o"], ["x"]]))
def test_use_is_that_of_each_person_in_each_company(
    tmp_path: Path, rows: list[Row], last: int, core: list[str] | None, sources: list[str] | None
) -> None:
    found = use(log_of(tmp_path, rows), last=day(last), companies=[1, 2], core=core, sources=sources, weeks=2).rows()

    mine = [row for row in counted(rows, 0, last) if row[2] in (1, 2) and (sources is None or row[3][:1] in sources)]
    by_hand: list[tuple[Any, ...]] = []
    for person, company in sorted({(row[0], row[2]) for row in mine}):
        own = [row for row in mine if (row[0], row[2]) == (person, company)]
        days = sorted({row[1] for row in own})
        of_value = [row[1] for row in own if core is None or row[3] in core]
        gaps = [after - before for before, after in pairwise(days)]
        weeks = len({(last - one) // 7 for one in days} & {0, 1})
        by_hand.append((
            person, company, day(days[0]), day(days[-1]), day(min(of_value)) if of_value else None, len(days),
            median(gaps) if gaps else None, weeks,
        ))  # fmt: skip
    assert [(o.person, o.company, o.first, o.last, o.value, o.days, o.gap, o.weeks) for o in found] == by_hand


@common
@given(events, st.integers(0, 13), st.integers(0, 14))
def test_everything_that_came_in_is_data(tmp_path: Path, rows: list[Row], low: int, length: int) -> None:
    found = flow(log_of(tmp_path, rows), first=day(low), last=day(low + length))

    by_hand: dict[tuple[str, int], dict[date, int]] = {}
    for row in rows:
        if low <= row[1] <= low + length:
            per_day = by_hand.setdefault((row[3][:1], row[2]), {})
            per_day[day(row[1])] = per_day.get(day(row[1]), 0) + 1
    assert found == by_hand


@pytest.mark.parametrize("person", [0, MACHINE, 1])
def test_a_heartbeat_is_data_and_no_use(tmp_path: Path, person: int) -> None:
    log = log_of(tmp_path, [(person, 3, 1, "heartbeat", 0)])

    assert flow(log, first=day(0), last=day(9)) == {("h", 1): {day(3): 1}}
    assert use(log, last=day(9)).rows() == []
