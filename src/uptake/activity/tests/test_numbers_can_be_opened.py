"""Behind each number of people stand as many people as it says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import QuestionRefused, ask
from uptake.activity.analyses import actors_behind
from uptake.activity.tests.oracle import Act
from uptake.activity.tests.test_folds_agree_with_the_oracle import BEGIN, acts, dates, log_of, zones


@settings(max_examples=15, deadline=None)
@given(acts(), dates, st.integers(0, 9), zones, st.sampled_from(["hour", "day", "week", "month"]), st.integers(1, 3))
def test_behind_events_and_people(
    events: list[Act], first: date, length: int, zone: str, interval: str, buckets: int
) -> None:
    last = first + timedelta(days=min(length, 1) if interval == "hour" else length)
    question: dict[str, Any] = {
        "analysis": "pv_uv", "event_sel": {}, "timezone": zone, "interval": interval, "by": "module", "limit": 2,
        "from": first.isoformat(), "to": last.isoformat(),
    }  # fmt: skip
    log = log_of(events, buckets)

    answer = ask(log, question)

    for place, start in enumerate(answer["starts"]):
        if answer["pv"][place]:
            assert len(actors_behind(log, question, {"start": start})) == answer["uv"][place]
            for value, one in answer["by_value"].items():
                assert len(actors_behind(log, question, {"start": start, "value": value})) == one["uv"][place]
    assert len(actors_behind(log, question, {})) == answer["total_uv"]


@settings(max_examples=12, deadline=None)
@given(acts(), dates, st.integers(0, 6), zones, st.integers(1, 3))
def test_behind_active_people(events: list[Act], first: date, length: int, zone: str, buckets: int) -> None:
    question: dict[str, Any] = {
        "analysis": "active_users", "timezone": zone,
        "from": first.isoformat(), "to": (first + timedelta(days=length)).isoformat(),
    }  # fmt: skip
    log = log_of(events, buckets)

    answer = ask(log, question)

    for place, day in enumerate(answer["days"]):
        for window, name in ((1, "dau"), (7, "wau_rolling_7"), (30, "mau_rolling_30")):
            assert len(actors_behind(log, question, {"day": day, "window": window})) == answer[name][place]


BASIC = [Act("a", "open", BEGIN), Act("b", "open", BEGIN + timedelta(days=3), (("module", "AP"),))]
SEATS = [{"company": "AP", "user": "a"}, {"company": "AP", "user": "b"}, {"company": "GL", "user": "c"}]


@settings(max_examples=12, deadline=None)
@given(acts(), dates, st.integers(0, 20), st.integers(1, 3))
def test_behind_seats(events: list[Act], first: date, length: int, buckets: int) -> None:
    question = {
        "analysis": "adoption", "event_sel": "open", "seats": SEATS,
        "from": first.isoformat(), "to": (first + timedelta(days=length)).isoformat(),
    }  # fmt: skip
    log = log_of([Act(act.person, act.event, act.at) for act in events], buckets)  # the company of no event is known

    answer = ask(log, question)

    for state in ("activated", "active", "dormant"):
        assert len(actors_behind(log, question, {"state": state})) == answer["park"][state]
        assert len(actors_behind(log, question, {"company": "AP", "state": state})) == answer["companies"]["AP"][state]
    assert answer["park"]["activated"] == answer["park"]["active"] + answer["park"]["dormant"]
    assert answer["park"]["seats"] == 3 == answer["park"]["activated"] + answer["park"]["never"]


PEOPLE = {"from": "2026-03-20", "to": "2026-03-27", "event_sel": {}}
WEEKS = {"analysis": "retention", "from": "2026-03-20", "intervals": 2, "interval": "week"}
LIFE = {"analysis": "lifecycle", **PEOPLE}


@pytest.mark.parametrize(
    ("question", "number", "key"),
    [
        ({"analysis": "pv_uv", **PEOPLE}, {"start": "2026-04-01"}, "start"),
        ({"analysis": "pv_uv", **PEOPLE}, {"day": "2026-03-20"}, "day"),
        ({"analysis": "pv_uv", **PEOPLE, "by": "module"}, {"value": "XX"}, "value"),
        ({"analysis": "pv_uv", **PEOPLE}, {"value": "AP"}, "value"),
        ({"analysis": "pv_uv", **PEOPLE, "count_by": {"property": "module"}}, {}, "count_by"),
        ({"analysis": "active_users", **PEOPLE}, {"day": "2026-03-20", "window": 14}, "window"),
        ({"analysis": "active_users", **PEOPLE}, {"day": "2026-04-20"}, "day"),
        (WEEKS, {"row": 2, "column": 0}, "row"),
        (WEEKS, {"row": 0, "column": 2}, "column"),
        (WEEKS, {"row": 0, "column": 0, "value": "AP"}, "value"),
        (WEEKS, {"cell": 0}, "cell"),
        (LIFE, {"start": "2026-03-20", "state": "asleep"}, "state"),
        (LIFE, {"start": "2026-03-01", "state": "new"}, "start"),
        ({"analysis": "stickiness", **PEOPLE}, {"intervals": 9}, "intervals"),
        ({"analysis": "adoption", "seats": []}, {"state": "asleep"}, "state"),
    ],
)
def test_a_number_that_is_not_there_is_refused(question: dict[str, Any], number: dict[str, Any], key: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        actors_behind(log_of(BASIC), question, number)

    assert refused.value.key == key
