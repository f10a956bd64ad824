"""A question with an unknown key, a wrong type or an impossible range is refused by the key, and what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from uptake.activity import QuestionRefused, ask
from uptake.activity.cases import log_of, run

EVENTS = [
    {"user": "lin", "event": "open", "timestamp": "2026-03-02T02:00:00Z", "properties": {"module": "AP"}},
    {"user": "mo", "event": "open", "timestamp": "2026-03-03T02:00:00Z", "properties": {}},
]
GOOD = {"analysis": "pv_uv", "event_sel": {"event": "open"}, "from": "2026-03-01", "to": "2026-03-04"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"analysis": "pageviews"}, "analysis"),
        ({"analysis": None}, "analysis"),
        ({"analysis": "skew"}, "analysis"),
        ({"evnt_sel": {}}, "evnt_sel"),
        ({"interval": "fortnight"}, "interval"),
        ({"interval": 7}, "interval"),
        ({"week_start": "tuesday"}, "week_start"),
        ({"timezone": "Shanghai"}, "timezone"),
        ({"timezone": 8}, "timezone"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": 20260301}, "from"),
        ({"from": "2026-03-05"}, "to"),
        ({"from": "1026-03-05"}, "from"),
        ({"from": "1950-01-01", "interval": "hour"}, "to"),
        ({"event_sel": 5}, "event_sel"),
        ({"event_sel": {"event": 5}}, "event_sel.event"),
        ({"event_sel": {"event": []}}, "event_sel.event"),
        ({"event_sel": {"events": "open"}}, "event_sel.events"),
        ({"event_sel": {"where": {}}}, "event_sel.where"),
        ({"event_sel": {"where": [{"property": "module", "op": "is", "value": "AP"}]}}, "event_sel.where[0].op"),
        ({"event_sel": {"where": [{"op": "eq", "value": "AP"}]}}, "event_sel.where[0].property"),
        ({"event_sel": {"where": [{"property": "module", "op": "eq"}]}}, "event_sel.where[0].value"),
        ({"filters": [{"property": "n", "op": "gt", "value": [1]}]}, "filters[0].value"),
        ({"filters": [{"property": "n", "op": "gt", "value": None}]}, "filters[0].value"),
        ({"filters": {}}, "filters"),
        ({"only_persons": "lin"}, "only_persons"),
        ({"not_persons": [["lin"]]}, "not_persons"),
        ({"by": 5}, "by"),
        ({"by": {"name": "module"}}, "by"),
        ({"limit": 0}, "limit"),
        ({"limit": True}, "limit"),
        ({"compare": "last year"}, "compare"),
        ({"compare": {"from": "2026-02-01"}}, "compare"),
        ({"compare": {"from": "2026-02-02", "to": "2026-02-01"}}, "compare.to"),
        ({"count_by": "session"}, "count_by"),
        ({"scope": "beiyuan"}, "scope"),
        ({"scope": []}, "scope"),
    ],
)
def test_refused(change: dict[str, Any], key: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        ask(log_of(EVENTS, {}), GOOD | change)

    assert refused.value.key == key
    assert str(refused.value).startswith(f"{key}: expected ")


def test_a_kind_about_messages_is_refused_by_its_name() -> None:
    with pytest.raises(QuestionRefused, match="'skew', which is about messages and asks no log"):
        ask(log_of(EVENTS, {}), {"analysis": "skew"})


@pytest.mark.parametrize("question", [None, [], "pv_uv"])
def test_what_is_no_object_is_refused(question: Any) -> None:
    with pytest.raises(QuestionRefused, match="question: expected an object"):
        ask(log_of(EVENTS, {}), question)


def test_without_a_range_the_question_is_about_the_whole_record() -> None:
    answer = ask(log_of(EVENTS, {}), {"analysis": "pv_uv", "event_sel": {"event": "open"}})

    assert (answer["starts"], answer["pv"]) == (["2026-03-02", "2026-03-03"], [1, 1])


def test_a_time_of_day_is_an_end_too() -> None:
    answer = ask(log_of(EVENTS, {}), GOOD | {"from": "2026-03-02T02:00:01Z"})

    assert (answer["total_pv"], answer["starts"][0]) == (1, "2026-03-02")


def test_of_no_events_there_is_an_empty_answer() -> None:
    empty = log_of([], {})

    assert ask(empty, {"analysis": "pv_uv"})["pv"] == []
    assert ask(empty, {"analysis": "active_users"})["dau"] == []
    assert ask(empty, {**GOOD, "analysis": "active_users"})["dau_over_mau"] == [None] * 4


def test_a_case_that_must_be_refused_passes_only_if_it_is() -> None:
    case = {"analysis": "pv_uv", "events": EVENTS, "expected": {"error": True}}

    assert run(case | {"query": {"interval": "fortnight"}}) == []
    assert run(case | {"query": {"interval": "day"}}) == ["error: expected a refusal, got an answer"]


def test_a_case_names_the_key_that_differs() -> None:
    case = {"analysis": "pv_uv", "events": EVENTS, "query": {**GOOD}, "expected": {"total_pv": 3, "total_uv": 2}}
    del case["query"]["analysis"]  # type: ignore[attr-defined]

    assert run(case) == ["total_pv: expected 3, got 2"]


def test_identifiers_of_one_person_count_once() -> None:
    case = {
        "analysis": "pv_uv", "events": EVENTS, "persons": {"lin": ["lin", "mo"]},
        "query": {"event_sel": {"event": "open"}, "only_persons": ["mo"]}, "expected": {"total_pv": 2, "total_uv": 1},
    }  # fmt: skip

    assert run(case) == []
