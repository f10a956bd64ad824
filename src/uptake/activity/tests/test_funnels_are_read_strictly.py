"""What a funnel cannot be is refused by the name of the key; what stands behind its numbers can be opened."""

from __future__ import annotations

from typing import Any

import pytest

from uptake.activity import ActivityLog, QuestionRefused, ask
from uptake.activity.analyses import actors_behind
from uptake.activity.cases import log_of

DAY = "2026-03-02"
FUNNEL: dict[str, Any] = {"analysis": "funnel", "steps": ["a", "b"], "from": DAY, "to": "2026-03-04"}
TRENDS = FUNNEL | {"analysis": "funnel_trends"}
TIMES = FUNNEL | {"analysis": "time_to_convert"}


@pytest.fixture
def log() -> ActivityLog:
    """ann gets from a to b in a minute, bob in an hour, cat stops, and dan begins on the day after."""
    rows = [
        ("ann", "a", "09:00"), ("ann", "b", "09:01"), ("bob", "a", "09:00"), ("bob", "b", "10:00"),
        ("cat", "a", "09:00"),
    ]  # fmt: skip
    events = [
        {"user": who, "event": name, "timestamp": f"{DAY}T{at}:00Z", "properties": {"site": "N"}}
        for who, name, at in rows
    ]
    events.append({"user": "dan", "event": "a", "timestamp": "2026-03-03T09:00:00Z", "properties": {"site": "S"}})
    return log_of(events, {})


def named(log: ActivityLog, question: dict[str, Any], number: dict[str, Any]) -> list[str]:
    return log.snapshot().person_names(actors_behind(log, question, number))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"steps": None}, "steps"),
        ({"steps": []}, "steps"),
        ({"steps": ["a"] * 21}, "steps"),
        ({"steps": [1]}, "steps[0]"),
        ({"steps": ["a", {"event": "b", "scope": "first"}]}, "steps[1].scope"),
        ({"steps": ["a", {"event": "b", "when": 1}]}, "steps[1].when"),
        ({"steps": ["a", {"event": "b", "optional": 1}]}, "steps[1].optional"),
        ({"steps": [{"event": "a", "optional": True}, "b"]}, "steps[0].optional"),
        ({"steps": ["a", {"event": "b", "optional": True}], "order": "unordered"}, "steps[1].optional"),
        ({"steps": ["a", {"event": "b", "where": [{"property": "x", "op": "is"}]}]}, "steps[1].where[0].op"),
        ({"order": "loose"}, "order"),
        ({"window_seconds": 0}, "window_seconds"),
        ({"window_seconds": "7d"}, "window_seconds"),
        ({"window_seconds": True}, "window_seconds"),
        ({"exclusions": {}}, "exclusions"),
        ({"exclusions": [{"event": "x", "after_step": 1}]}, "exclusions[0].after_step"),
        ({"exclusions": [{"event": "x", "before_step": 0}]}, "exclusions[0].before_step"),
        ({"exclusions": [{"event": "x", "step": 0}]}, "exclusions[0].step"),
        ({"exclusions": [{"event": "b"}]}, "exclusions[0]"),
        ({"steps": ["a"], "exclusions": [{"event": "x"}]}, "exclusions[0]"),
        (
            {"steps": ["a", {"event": "b", "optional": True}, "c"], "exclusions": [{"event": "x", "before_step": 1}]},
            "exclusions[0]",
        ),
        ({"exclusions": [{"event": f"x{n}"} for n in range(29)]}, "exclusions"),
        ({"ignore_events": ["x"]}, "ignore_events"),
        ({"order": "strict", "ignore_events": [1]}, "ignore_events[0]"),
        ({"breakdown": "site"}, "breakdown"),
        ({"breakdown": {"attribution": "first_touch"}}, "breakdown.property"),
        ({"breakdown": {"property": "site", "attribution": "step"}}, "breakdown.attribution"),
        ({"breakdown": {"property": "site", "attribution": "step:2"}}, "breakdown.attribution"),
        ({"breakdown": {"property": "site", "limit": 0}}, "breakdown.limit"),
        ({"breakdown": {"property": "site", "top": 3}}, "breakdown.top"),
        ({"breakdown": {"property": "site"}, "by": "source"}, "by"),
        ({"event_sel": {"event": "a"}}, "event_sel"),
        ({"from_step": 0}, "from_step"),
    ],
)
def test_what_a_funnel_cannot_be(log: ActivityLog, wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        ask(log, FUNNEL | wrong)

    assert refused.value.key == key


@pytest.mark.parametrize(
    ("question", "key"),
    [
        (TRENDS | {"from_step": 1}, "from_step"),
        (TRENDS | {"to_step": 2}, "to_step"),
        (TRENDS | {"steps": ["a"]}, "steps"),
        (TIMES | {"bins": 0}, "bins"),
        (TIMES | {"bins": 2.5}, "bins"),
        (TRENDS | {"bins": 2}, "bins"),
    ],
)
def test_what_goes_from_step_to_step(log: ActivityLog, question: dict[str, Any], key: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        ask(log, question)

    assert refused.value.key == key


@pytest.mark.parametrize(
    ("question", "number", "people"),
    [
        (FUNNEL, {"step": 0}, ["ann", "bob", "cat", "dan"]),
        (FUNNEL, {"step": 1}, ["ann", "bob"]),
        (FUNNEL, {"step": 1, "dropped": True}, ["cat", "dan"]),
        (FUNNEL | {"by": {"property": "site"}}, {"step": 1, "dropped": True, "value": "N"}, ["cat"]),
        (FUNNEL | {"by": {"property": "site"}}, {"step": 0, "value": "W"}, []),
        (TRENDS, {"start": "2026-03-02"}, ["ann", "bob", "cat"]),
        (TRENDS, {"start": "2026-03-02", "converted": True}, ["ann", "bob"]),
        (TRENDS, {"start": "2026-03-03", "converted": False}, ["dan"]),
        (TRENDS | {"by": {"property": "site"}}, {"start": "2026-03-02", "value": "S"}, []),
        (TIMES, {"from_seconds": 60}, ["ann", "bob"]),
        (TIMES, {"from_seconds": 60, "to_seconds": 3600}, ["ann"]),
        (TIMES, {"from_seconds": 61}, ["bob"]),
    ],
)
def test_who_is_behind_a_number(
    log: ActivityLog, question: dict[str, Any], number: dict[str, Any], people: list[str]
) -> None:
    assert named(log, question, number) == people


@pytest.mark.parametrize(
    ("question", "number", "key"),
    [
        (FUNNEL, {"step": 2}, "step"),
        (FUNNEL, {"step": 0, "dropped": True}, "step"),
        (FUNNEL, {"row": 0}, "row"),
        (FUNNEL, {"step": 0, "value": "N"}, "value"),
        (FUNNEL | {"count_by": {"property": "site"}}, {"step": 0}, "count_by"),
        (TRENDS, {"start": "2026-03-09"}, "start"),
        (TRENDS, {"start": "2026-03-02", "converted": 1}, "converted"),
        (TIMES, {"from_seconds": "a minute"}, "from_seconds"),
    ],
)
def test_what_is_no_number_of_the_answer(
    log: ActivityLog, question: dict[str, Any], number: dict[str, Any], key: str
) -> None:
    with pytest.raises(QuestionRefused) as refused:
        actors_behind(log, question, number)

    assert refused.value.key == key


def test_a_funnel_says_what_it_counted_and_is_compared(log: ActivityLog) -> None:
    answer = ask(log, FUNNEL | {"from": "2026-03-03", "to": "2026-03-03", "compare": "previous"})

    assert answer["counts"] == [1, 0]
    assert answer["from_start"] == [1.0, 0.0]
    assert answer["counted"]["order"] == "ordered"
    assert answer["counted"]["window_seconds"] == 14 * 86_400
    assert (answer["compare"]["from"], answer["compare"]["to"]) == (DAY, DAY)
    assert answer["compare"]["counts"] == [3, 2]
    assert answer["compare"]["actors_by_step"] == [["ann", "bob", "cat"], ["ann", "bob"]]


@pytest.mark.parametrize("analysis", ["funnel", "funnel_trends", "time_to_convert"])
@pytest.mark.parametrize("more", [{}, {"by": {"property": "site"}}, {"compare": "previous"}])
def test_a_log_without_events_answers_nothing(analysis: str, more: dict[str, Any]) -> None:
    question = {"analysis": analysis, "steps": ["a", "b"], **more}

    answer = ask(log_of([], {}), question)

    assert answer.get("counts", [0, 0]) == [0, 0]
    assert answer.get("by_value", {}) == {}


def test_the_library_asks_by_names(log: ActivityLog) -> None:
    answer = log.funnel(["a", "b"], within="30m", by="site")

    assert answer.counts == (4, 1)
    table = answer.to_arrow()
    assert table.column_names == ["value", "step", "people", "average_seconds", "median_seconds"]
    assert table["people"].to_pylist() == [3, 1, 1, 0]


@pytest.mark.parametrize(
    ("question", "columns"),
    [
        (FUNNEL, ["step", "people", "average_seconds", "median_seconds"]),
        (TRENDS, ["start", "entered", "converted", "rate", "unfinished"]),
        (TIMES, ["from_seconds", "people"]),
    ],
)
def test_answers_are_tables(log: ActivityLog, question: dict[str, Any], columns: list[str]) -> None:
    from uptake.activity.analyses import answer_to

    assert answer_to(log, question).to_arrow().column_names == columns
    assert answer_to(log, question | {"by": {"property": "site"}}).to_arrow().column_names == ["value", *columns]
