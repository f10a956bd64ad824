"""The folds give what a plain reading of the definitions gives: ties, empty people, moved clocks, week starts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask
from uptake.activity.tests import oracle
from uptake.activity.tests.oracle import Act

BEGIN = datetime(2026, 3, 20, tzinfo=UTC)
ZONES = ("UTC", "Asia/Shanghai", "Europe/Amsterdam", "America/New_York", "America/Santiago", "Australia/Lord_Howe")
NAMES = ("open", "$pageview", "order.processed")


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Events of a few people over six weeks (both hemispheres change their clocks in them), many at equal times."""
    hours = st.integers(0, 44 * 24)
    minutes = st.sampled_from([0, 0, 0, 1, 30, 59])
    return draw(
        st.lists(
            st.builds(
                lambda who, name, hour, minute, value: Act(
                    who, name, BEGIN + timedelta(hours=hour, minutes=minute), (("module", value),) if value else ()
                ),
                st.sampled_from(["a", "b", "c", None]),
                st.sampled_from(NAMES),
                hours,
                minutes,
                st.sampled_from(["", "", "AP", "GL", "HR"]),
            ),
            max_size=40,
        )
    )


def log_of(events: list[Act], buckets: int = 1) -> ActivityLog:
    return ActivityLog.from_arrow(
        pa.table(
            {
                "person": pa.array([act.person for act in events], pa.string()),
                "event": pa.array([act.event for act in events], pa.string()),
                "happened_at": pa.array([act.at for act in events], pa.timestamp("us", tz="UTC")),
                "module": pa.array([dict(act.properties).get("module") for act in events], pa.string()),
            }
        ),
        buckets=buckets,
    )


dates = st.integers(0, 45).map(lambda days: date(2026, 3, 19) + timedelta(days=days))
zones = st.sampled_from(ZONES)
week_starts = st.sampled_from(["monday", "sunday"])


@settings(max_examples=150, deadline=None)
@given(acts(), dates, st.integers(0, 40), zones, week_starts,
       st.sampled_from(["hour", "day", "week", "month", "quarter"]), st.integers(1, 5))  # fmt: skip
def test_events_and_people_per_interval(
    events: list[Act], first: date, length: int, zone: str, week_start: str, interval: str, buckets: int
) -> None:
    last = first + timedelta(days=min(length, 5) if interval == "hour" else length)
    question = _question("pv_uv", first, last, zone, week_start) | {"interval": interval}

    answer = ask(log_of(events, buckets), question)

    expected = oracle.pv_uv(events, first, last, zone=zone, interval=interval, week_start=week_start)
    assert {key: answer[key] for key in expected} == expected


@settings(max_examples=150, deadline=None)
@given(acts(), dates, st.integers(0, 35), zones, week_starts, st.integers(1, 5))
def test_active_people(events: list[Act], first: date, length: int, zone: str, week_start: str, buckets: int) -> None:
    last = first + timedelta(days=length)

    answer = ask(log_of(events, buckets), _question("active_users", first, last, zone, week_start))

    expected = oracle.active_users(events, first, last, zone=zone, week_start=week_start)
    assert {key: answer[key] for key in expected} == expected


@settings(max_examples=60, deadline=None)
@given(acts(), dates, st.integers(0, 20), zones, st.sampled_from(["event", "module"]),
       st.sampled_from(["pv_uv", "active_users"]), st.integers(1, 4), st.integers(1, 3))  # fmt: skip
def test_a_breakdown_is_the_question_asked_of_each_value_and_of_the_rest(
    events: list[Act], first: date, length: int, zone: str, by: str, analysis: str, limit: int, buckets: int
) -> None:
    last = first + timedelta(days=length)
    question = _question(analysis, first, last, zone, "monday") | {"by": by, "limit": limit}

    answer = ask(log_of(events, buckets), question)

    def value(act: Act) -> str:
        return act.event if by == "event" else dict(act.properties).get("module", "")

    shown = [text for text in answer["by_value"] if text != "__other__"]
    assert len(shown) <= limit
    for text, got in answer["by_value"].items():
        own = [act for act in events if (value(act) == text if text != "__other__" else value(act) not in shown)]
        compute = oracle.pv_uv if analysis == "pv_uv" else oracle.active_users
        expected = compute(own, first, last, zone=zone)
        assert {key: got[key] for key in expected if key in got} == {
            key: one for key, one in expected.items() if key in got
        }


@settings(max_examples=60, deadline=None)
@given(acts(), dates, st.integers(0, 20), zones, st.integers(1, 3))
def test_other_things_than_people_are_counted_alike(
    events: list[Act], first: date, length: int, zone: str, buckets: int
) -> None:
    last = first + timedelta(days=length)
    question = _question("pv_uv", first, last, zone, "monday") | {"count_by": {"property": "module"}}

    answer = ask(log_of(events, buckets), question)

    modules = [Act(dict(act.properties).get("module"), act.event, act.at) for act in events if act.person is not None]
    expected = oracle.pv_uv(modules, first, last, zone=zone)
    assert {key: answer[key] for key in expected} == expected


@settings(max_examples=60, deadline=None)
@given(acts(), dates, st.integers(0, 20), zones)
def test_the_period_before_is_the_same_question_of_as_many_days(
    events: list[Act], first: date, length: int, zone: str
) -> None:
    last = first + timedelta(days=length)
    question = _question("pv_uv", first, last, zone, "monday")

    answer = ask(log_of(events), question | {"compare": "previous"})

    before = (first - timedelta(days=length + 1), first - timedelta(days=1))
    expected = oracle.pv_uv(events, *before, zone=zone)
    assert {key: answer["compare"][key] for key in expected} == expected
    assert (answer["compare"]["from"], answer["compare"]["to"]) == tuple(day.isoformat() for day in before)


def _question(analysis: str, first: date, last: date, zone: str, week_start: str) -> dict[str, Any]:
    return {
        "analysis": analysis, "timezone": zone, "week_start": week_start, "event_sel": {"event": None},
        "from": first.isoformat(), "to": last.isoformat(),
    }  # fmt: skip
