"""A funnel can count what things were done to, such as orders; a step of a path can carry a name of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from uptake.activity import ActivityLog, QuestionRefused, ask
from uptake.activity.analyses import actors_behind

BEGIN = datetime(2026, 5, 1, 8, tzinfo=UTC)
DEEDS = (
    ("lin", "order.created", "BY-1"),
    ("lin", "order.created", "BY-2"),
    ("hua", "order.processed", "BY-1"),
    ("hua", "stock.counted", ""),
)
"""Lin enters two orders, Hua processes one of them."""


@pytest.fixture
def log() -> ActivityLog:
    return ActivityLog.from_arrow(
        pa.table(
            {
                "person": [who for who, _, _ in DEEDS],
                "event": [event for _, event, _ in DEEDS],
                "object": [thing for _, _, thing in DEEDS],
                "happened_at": pa.array(
                    [BEGIN + timedelta(minutes=number) for number in range(len(DEEDS))], pa.timestamp("us", tz="UTC")
                ),
            }
        )
    )


def test_orders_go_through_a_funnel_whoever_works_on_them(log: ActivityLog) -> None:
    question: dict[str, Any] = {"analysis": "funnel", "steps": ["order.created", "order.processed"]}

    people, orders = ask(log, question), ask(log, {**question, "count_by": "object"})

    assert people["counts"] == [1, 0]
    assert orders["counts"] == [2, 1]
    assert orders["actors_by_step"] == [["BY-1", "BY-2"], ["BY-1"]]


@pytest.mark.parametrize("analysis", ["pv_uv", "paths", "transitions"])
def test_answers_are_broken_down_by_object(log: ActivityLog, analysis: str) -> None:
    answer = ask(log, {"analysis": analysis, "by": "object"} | ({"event_sel": {}} if analysis == "pv_uv" else {}))

    assert set(answer["by_value"]) == {"BY-1", "BY-2", ""}


def test_steps_of_one_name_are_one_step(log: ActivityLog) -> None:
    orders = {"sel": {"event": ["order.created", "order.processed"]}, "name": "orders"}
    question = {"analysis": "paths", "items": [orders, {}]}

    answer = ask(log, question)

    assert answer["edges"] == [["1_orders", "2_stock.counted", 1, 60.0]]
    assert [(row["node"], row["reached"]) for row in answer["steps"] if row["step"] == 1] == [("1_orders", 2)]
    assert len(actors_behind(log, question, {"step": 1, "node": "orders"})) == 2


def test_a_step_has_one_name(log: ActivityLog) -> None:
    with pytest.raises(QuestionRefused, match="either name or property"):
        ask(log, {"analysis": "paths", "items": [{"name": "orders", "property": "module"}]})


def test_who_is_at_each_step_is_left_out_when_nobody_reads_it(log: ActivityLog) -> None:
    question = {
        "analysis": "funnel",
        "steps": ["order.created", "order.processed"],
        "by": "object",
        "compare": "previous",
    }

    whole, unnamed = ask(log, question), ask(log, question, named=False)

    assert unnamed["counts"] == whole["counts"]
    assert "actors_by_step" in whole["by_value"]["BY-1"]
    assert "actors_by_step" not in repr(unnamed)
