"""What is asked by company is the same as what is asked by a property that says the company of every event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, log
from uptake.activity.analyses import ask

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
RANGE = {"from": "2026-03-02", "to": "2026-03-22", "timezone": "Asia/Shanghai", "limit": 2}
STEPS = {"steps": ["open", "save"], "window_seconds": 3 * 86400}
QUESTIONS: list[dict[str, Any]] = [
    {"analysis": "pv_uv", "event_sel": {}},
    {"analysis": "pv_uv", "event_sel": {"event": "save"}},
    {"analysis": "lifecycle", "interval": "week"},
    {"analysis": "lifecycle", "interval": "day", "event_sel": {"event": "open"}},
    {"analysis": "retention", "interval": "week", "to": None, "intervals": 3},
    {"analysis": "retention", "interval": "day", "to": None, "intervals": 4, "mode": "first_time", "cumulative": True},
    {"analysis": "retention", "interval": "day", "to": None, "intervals": 4, "min_return_count": 2},
    {"analysis": "stickiness", "interval": "week"},
    {"analysis": "funnel", **STEPS},
    {"analysis": "funnel", **STEPS, "order": "unordered"},
    {"analysis": "time_to_convert", **STEPS},
    {"analysis": "transitions"},
    {"analysis": "transitions", "session_gap_seconds": 7200, "edge_limit": 5},
    {"analysis": "transitions", "session_gap_seconds": 7200, "collapse": True},
    {"analysis": "paths"},
]
ROWS = st.lists(
    st.tuples(
        st.integers(1, 6), st.integers(0, 21 * 24 - 9), st.sampled_from(["open", "save", "close"]), st.integers(0, 3)
    ),
    max_size=60,
)


def log_of(rows: list[tuple[int, int, str, int]], faithful: int) -> ActivityLog:
    """People up to `faithful` have one company each; company and department of a row stand in properties too."""
    rows = [(who, hour, what, where if who > faithful else who % 4) for who, hour, what, where in rows]
    company = [where for _, _, _, where in rows]
    return ActivityLog.from_arrow(
        pa.table(
            {
                "person": pa.array([f"p{who}" for who, _, _, _ in rows], pa.string()),
                "event": pa.array([what for _, _, what, _ in rows], pa.string()),
                "happened_at": pa.array(
                    [BEGIN + timedelta(hours=hour) for _, hour, _, _ in rows], pa.timestamp("us", "UTC")
                ),
                "company": pa.array(company, pa.int32()),
                "department": pa.array([10 + where // 2 if where else 0 for where in company], pa.int32()),
                "firm": pa.array([str(where) if where else None for where in company], pa.string()),
            }
        ),
        timezone="Asia/Shanghai",
        buckets=5,
    )


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: f"{one['analysis']}-{len(one)}")
@settings(max_examples=25, deadline=None)
@given(rows=ROWS, faithful=st.integers(0, 6))
def test_a_company_counts_as_its_name_would(question: dict[str, Any], rows: Any, faithful: int) -> None:
    made = log_of(rows, faithful)
    asked = {**RANGE, **question}

    by_company, by_name = (ask(made, {**asked, "by": by}) for by in ("company", "firm"))

    assert by_company == by_name


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: f"{one['analysis']}-{len(one)}")
@settings(max_examples=25, deadline=None)
@given(rows=ROWS, faithful=st.integers(0, 6), scope=st.sets(st.sampled_from([1, 2, 3, 10, 11]), min_size=1))
@example(rows=[], faithful=0, scope={1})
def test_a_place_narrows_as_a_condition_would(
    question: dict[str, Any], rows: Any, faithful: int, scope: set[int]
) -> None:
    made = log_of(rows, faithful)
    firms = [str(one) for one in (1, 2, 3) if one in scope or 10 + one // 2 in scope]
    condition = {"property": "firm", "op": "eq", "value": firms or ["none"]}
    asked = {**RANGE, **question, "by": "company"}

    narrowed = ask(made, {**asked, "scope": sorted(scope)})
    filtered = ask(made, {**asked, "filters": [condition]})

    assert {**narrowed, "counted": None} == {**filtered, "counted": None}


def test_the_sums_of_several_workers_are_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [
        (who, (who * 7 + hour * 5) % 480, "open" if hour % 2 else "save", who % 4)
        for who in range(1, 40)
        for hour in range(9)
    ]
    made = log_of(chosen, 20)
    alone = [ask(made, {**RANGE, **question, "by": "company"}) for question in QUESTIONS]

    monkeypatch.setattr(log, "SMALL", 0)

    assert [ask(made, {**RANGE, **question, "by": "company"}) for question in QUESTIONS] == alone
