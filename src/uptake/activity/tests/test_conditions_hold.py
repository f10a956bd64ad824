"""What each operator says of each kind of value, wherever the value stands: in a column of its own, or in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from uptake.activity import ActivityLog, ask
from uptake.activity.columns import Property
from uptake.activity.incoming import Dictionary, Incoming, encode
from uptake.activity.log import TableSnapshot
from uptake.activity.periods import microseconds
from uptake.activity.question import QuestionRefused

VALUES: list[Any] = [None, "", "Chrome", "chrome mobile", "10", 10, 9.5, 0, True, False, ["Chrome", 3]]
AT = microseconds(datetime(2026, 3, 2, tzinfo=UTC))


def log(kind: str | None) -> ActivityLog:
    """One person per value of VALUES; the property has a column of the kind, or none."""
    incoming = Incoming()
    for number, value in enumerate(VALUES):
        for name, one in (
            ("event_id", number), ("person", number + 1), ("happened_at", AT), ("business_day", 20514), ("company", 1),
            ("department", 0), ("event", "open"), ("source", ""), ("object", ""),
            ("properties", {} if value is None else {"p": value}),
        ):  # fmt: skip
            getattr(incoming, name).append(one)
    dictionaries: dict[str, Dictionary] = {}
    declared = {"p": Property("p", kind)} if kind else {}
    rows, properties = encode(incoming, dictionaries, declared)
    people = [str(number) for number in range(len(VALUES))]
    return ActivityLog(None, TableSnapshot([rows], dictionaries, properties, people))


@pytest.mark.parametrize("kind", [None, "text", "number", "boolean"])
@pytest.mark.parametrize(
    ("op", "value", "holds"),
    [
        ("is_set", None, ["", "Chrome", "chrome mobile", "10", 10, 9.5, 0, True, False, ["Chrome", 3]]),
        ("is_not_set", None, [None]),
        ("eq", "Chrome", ["Chrome", ["Chrome", 3]]),
        ("eq", 10, ["10", 10]),
        ("eq", "10", ["10", 10]),
        ("eq", True, [True]),
        ("eq", "false", [False]),
        ("eq", 0, [0]),
        ("eq", ["Chrome", 9.5], ["Chrome", 9.5, ["Chrome", 3]]),
        ("ne", "Chrome", [None, "", "chrome mobile", "10", 10, 9.5, 0, True, False]),
        ("ne", 10, [None, "", "Chrome", "chrome mobile", 9.5, 0, True, False, ["Chrome", 3]]),
        ("contains", "chrome", ["Chrome", "chrome mobile", ["Chrome", 3]]),
        ("not_contains", "chrome", [None, "", "10", 10, 9.5, 0, True, False]),
        ("gt", 9.5, ["10", 10]),
        ("gte", 9.5, ["10", 10, 9.5]),
        ("lt", 10, [9.5, 0]),
        ("lte", 0, [0]),
        ("gt", "B", ["Chrome", "chrome mobile"]),
    ],
)
def test_operator(kind: str | None, op: str, value: Any, holds: list[Any]) -> None:
    condition = {"property": "p", "op": op} | ({} if value is None else {"value": value})

    answer = ask(log(kind), {"analysis": "pv_uv", "event_sel": {"event": "open", "where": [condition]}, "by": "p"})

    assert answer["total_uv"] == len(holds)
    labels = {"" if one is None else _label(one) for one in holds}
    assert set(answer["by_value"]) == labels


def _label(value: Any) -> str:
    if isinstance(value, list):
        return '["Chrome",3]'
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_zero_and_false_are_values_of_a_breakdown_and_nothing_is_one_too() -> None:
    answer = ask(log(None), {"analysis": "pv_uv", "event_sel": {}, "by": {"property": "p"}})

    assert {"0", "false", ""} <= set(answer["by_value"])
    assert answer["by_value"][""]["total_uv"] == 2, "nothing and the empty text read alike"


def test_a_question_can_be_narrowed_to_sources() -> None:
    table = pa.table(
        {
            "person": ["a", "b", "c"],
            "event": ["opened"] * 3,
            "source": ["erp", "bi", "erp"],
            "happened_at": pa.array([0, 1, 2], pa.timestamp("us")),
        }
    )
    log = ActivityLog.from_arrow(table)
    question = {"analysis": "pv_uv", "event_sel": {}, "from": "1970-01-01", "to": "1970-01-01"}

    assert ask(log, {**question, "sources": ["erp"]})["total_uv"] == 2
    assert ask(log, {**question, "sources": ["erp", "bi"]})["total_uv"] == 3
    assert ask(log, {**question, "sources": ["crm"]})["total_uv"] == 0
    with pytest.raises(QuestionRefused, match="sources"):
        ask(log, {**question, "sources": "erp"})
