"""What is counted by visits, a row for each person, day and place, is what the rows themselves give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask, visits
from uptake.activity.incoming import Incoming
from uptake.activity.periods import day_number
from uptake.activity.store import Store

BEGIN = datetime(2026, 3, 26, 12, tzinfo=UTC)
"""The clock of Amsterdam changes three days later."""
Row = tuple[int, int, str, int, int]
rows = st.lists(
    st.tuples(
        st.sampled_from([-3, 0, 1, 2, 3, 9]), st.integers(0, 24 * 12), st.sampled_from(["open", "save", "heartbeat"]),
        st.sampled_from([0, 1, 2]), st.sampled_from([0, 11, 12]),
    ),
    max_size=25,
)  # fmt: skip
questions = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(["UTC", "Europe/Amsterdam", "Asia/Shanghai"]),
        "interval": st.sampled_from(["day", "week", "month"]),
    },
    optional={
        "scope": st.sampled_from([[1], [2, 11], [7]]),
        "by": st.sampled_from(["company", "department"]),
        "limit": st.just(1),
        "not_persons": st.just([2]),
        "only_persons": st.just([1, 2, -3]),
    },
)
KINDS: tuple[dict[str, Any], ...] = (
    {"analysis": "pv_uv", "event_sel": {}},
    {"analysis": "active_users"},
    {"analysis": "lifecycle"},
    {"analysis": "stickiness"},
    {"analysis": "retention", "intervals": 4},
    {"analysis": "retention", "intervals": 4, "mode": "first_time", "cumulative": True},
    {"analysis": "retention", "intervals": 3, "mode": "first_in_range", "ranges": [[1, 1], [1, 2]]},
    {"analysis": "retention", "intervals": 2, "min_return_count": 2},
)


def log_of(folder: Path, made: list[Row]) -> ActivityLog:
    incoming = Incoming()
    for number, (person, hour, name, company, department) in enumerate(made):
        at = BEGIN + timedelta(hours=hour)
        for column, value in (
            ("event_id", number), ("person", person), ("happened_at", round(at.timestamp()) * 1_000_000),
            ("business_day", day_number(at.date())), ("company", company), ("department", department),
            ("event", name), ("source", "erp"), ("object", ""), ("properties", {}),
        ):  # fmt: skip
            getattr(incoming, column).append(value)
    with Store(folder).writing(buckets=2) as writer:
        writer.clear()
        writer.leave_out(not_activity=["heartbeat"], machines=[9])
        writer.add(incoming)
        writer.publish()
    return ActivityLog.open(folder)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(str(one) for one in kind.values()))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=rows, question=questions)
def test_visits_give_what_the_rows_give(
    kind: dict[str, Any], made: list[Row], question: dict[str, Any], tmp_path: Path
) -> None:
    log = log_of(tmp_path, made)
    asked = {
        "from": "2026-03-27",
        **({"to": "2026-04-05"} if kind["analysis"] != "retention" else {}),
        **kind,
        **question,
    }

    found = ask(log, asked)

    with pytest.MonkeyPatch.context() as only_rows:
        only_rows.setattr(visits, "visits_of", lambda *_: None)
        expected = ask(log_of(tmp_path, made), asked)
    assert found == expected


def test_a_day_is_a_day_of_the_zone_that_is_asked_for(tmp_path: Path) -> None:
    log = log_of(tmp_path, [(1, 3, "open", 1, 0), (1, 5, "open", 1, 0), (1, 13, "save", 1, 0)])
    question = {"analysis": "pv_uv", "event_sel": {}, "from": "2026-03-26", "to": "2026-03-27"}

    assert [ask(log, {**question, "timezone": zone})["pv"] for zone in ("UTC", "Asia/Shanghai")] == [[2, 1], [1, 2]]


def test_what_came_later_is_counted(tmp_path: Path) -> None:
    log = log_of(tmp_path, [(1, 3, "open", 1, 0)])
    question = {"analysis": "pv_uv", "event_sel": {}, "from": "2026-03-26", "to": "2026-03-27"}
    before = ask(log, question)["uv"]

    with Store(tmp_path).writing() as writer:
        later = Incoming([7], [2], [round(BEGIN.timestamp()) * 1_000_000], [0], [1], [0], ["save"], [""], [""], [{}])
        writer.add(later)
        writer.publish()

    assert (before, ask(log, question)["uv"]) == ([1, 0], [2, 0])


def test_what_is_remembered_counts_in_the_budget(tmp_path: Path) -> None:
    log = log_of(tmp_path, [(person, hour, "open", 1, 0) for person in (1, 2, 3) for hour in range(40)])
    assert log._memory is not None
    question = {"analysis": "pv_uv", "event_sel": {}, "from": "2026-03-26", "to": "2026-03-27"}
    ask(log, question)

    held = log._memory.held.values()
    assert log._memory.size == sum(one.size for one in held)
    assert all(one.made for one in held)
    columns = sum(column.nbytes for one in held for column in one.columns.values())
    made = sum(array.nbytes for one in held for several in one.made.values() for array in several)
    taken = sum(one.taken.nbytes for one in held if one.taken is not None)
    assert made > 0
    assert log._memory.size == columns + made + taken


def test_parts_of_days_are_counted_by_rows() -> None:
    at = [BEGIN, BEGIN + timedelta(hours=1)]
    table = pa.table(
        {"person": ["p", "p"], "event": ["open", "open"], "happened_at": pa.array(at, pa.timestamp("us", "UTC"))}
    )
    log = ActivityLog.from_arrow(table)

    answer = ask(log, {"analysis": "pv_uv", "event_sel": {}, "from": "2026-03-26", "to": "2026-03-26T12:30:00Z"})

    assert answer["pv"] == [1]
