"""Retention, lifecycle and stickiness give what a plain reading of the definitions gives."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ask
from uptake.activity.analyses import actors_behind
from uptake.activity.tests import oracle_retention as oracle
from uptake.activity.tests.oracle import Act
from uptake.activity.tests.test_folds_agree_with_the_oracle import acts, dates, log_of, week_starts, zones

intervals = st.sampled_from(["hour", "day", "day", "week", "week", "month", "quarter"])
sparse = acts()


def module(act: Act) -> str:
    return str(dict(act.properties).get("module", ""))


@settings(max_examples=200, deadline=None)
@given(sparse, dates, zones, week_starts, intervals, st.integers(1, 9),
       st.sampled_from(["recurring", "first_time", "first_ever", "first_in_range"]), st.integers(1, 2),
       st.sampled_from(["plain", "cumulative", "ranges"]), st.booleans(), st.booleans(), st.integers(1, 4))  # fmt: skip
def test_retention(
    events: list[Act], first: date, zone: str, week_start: str, interval: str, count: int, mode: str, least: int,
    columns: str, conditions: bool, breakdown: bool, buckets: int,
) -> None:  # fmt: skip
    where = [{"property": "module", "op": "ne", "value": "GL"}] if conditions else []
    question: dict[str, Any] = {
        "analysis": "retention", "timezone": zone, "week_start": week_start, "interval": interval, "mode": mode,
        "from": first.isoformat(), "intervals": count, "start_event": {"event": "open", "where": where},
        "return_event": {"event": ["open", "$pageview"]}, "min_return_count": least,
        "cumulative": columns == "cumulative",
    }  # fmt: skip
    ranges = [(1, 2), (3, 5)] if columns == "ranges" else None
    if ranges is not None:
        question["ranges"] = [list(one) for one in ranges]
    if breakdown:
        question["breakdown"] = "module"

    answer = ask(log_of(events, buckets), question)

    labels = oracle.intervals_after(first, count, interval, week_start)
    parts = oracle.retention(
        events, labels, zone=zone, interval=interval, week_start=week_start, mode=mode, least=least,
        starts=lambda act: act.event == "open" and not (conditions and module(act) == "GL"),
        named=lambda act: act.event == "open", returns=lambda act: act.event in ("open", "$pageview"),
        cumulative=columns == "cumulative", ranges=ranges, value=module,
    )  # fmt: skip
    assert answer["starts"] == labels
    assert answer["matrix"] == _sum(parts, [[0] * len(row) for row in answer["matrix"]])
    if breakdown:
        assert {text: one["matrix"] for text, one in answer["by_value"].items()} == parts


def _sum(parts: dict[str, list[list[int]]], nothing: list[list[int]]) -> list[list[int]]:
    total = nothing
    for part in parts.values():
        total = [[a + b for a, b in zip(one, other, strict=True)] for one, other in zip(total, part, strict=True)]
    return total


@settings(max_examples=60, deadline=None)
@given(sparse, dates, zones, st.integers(1, 6), st.integers(1, 4), st.booleans())
def test_the_people_behind_a_cell_are_as_many_as_it_says(
    events: list[Act], first: date, zone: str, count: int, buckets: int, breakdown: bool
) -> None:
    question = {
        "analysis": "retention", "timezone": zone, "interval": "week", "from": first.isoformat(), "intervals": count,
        "start_event": {"event": None}, "breakdown": {"property": "module", "limit": 2} if breakdown else None,
    }  # fmt: skip
    log = log_of(events, buckets)

    answer = ask(log, question)

    for row, cells in enumerate(answer["matrix"]):
        for column, people in enumerate(cells):
            assert len(actors_behind(log, question, {"row": row, "column": column})) == people
            for value, one in answer.get("by_value", {}).items():
                found = actors_behind(log, question, {"row": row, "column": column, "value": value})
                assert len(found) == one["matrix"][row][column]
    for column in range(len(answer["matrix"][0])):
        rows = range(len(answer["matrix"]) - column)
        each = [set(actors_behind(log, question, {"row": row, "column": column})) for row in rows]
        assert set(actors_behind(log, question, {"column": column})) == set().union(*each)
    cohort = ask(log, question | {"cohort_index": 0})["cohort"]
    assert len(cohort) == answer["matrix"][0][0]
    assert [sum(k in one for one in cohort.values()) for k in range(count)] == answer["matrix"][0]


def local_times(events: list[Act], zone: str) -> dict[str, list[datetime]]:
    return {
        person: [act.local(zone) for act in own if act.event == "open"]
        for person, own in oracle.people_of(events).items()
    }


@settings(max_examples=150, deadline=None)
@given(sparse, dates, st.integers(0, 40), zones, week_starts, intervals, st.integers(1, 4))
def test_lifecycle(
    events: list[Act], first: date, length: int, zone: str, week_start: str, interval: str, buckets: int
) -> None:
    last = first + timedelta(days=min(length, 3) if interval == "hour" else length)
    question = {
        "analysis": "lifecycle", "timezone": zone, "week_start": week_start, "interval": interval,
        "from": first.isoformat(), "to": last.isoformat(), "event_sel": "open",
    }  # fmt: skip
    log = log_of(events, buckets)

    answer = ask(log, question)

    expected = oracle.lifecycle(local_times(events, zone), first, last, interval=interval, week_start=week_start)
    assert {key: answer[key] for key in expected} == expected
    active = [
        sum(answer[state][i] for state in ("new", "returning", "resurrecting")) for i in range(len(answer["new"]))
    ]
    for i in range(1, len(active)):  # the balance: who is active now was before, but for those who came and went
        came, went = answer["new"][i] + answer["resurrecting"][i], answer["dormant"][i]
        assert active[i] == active[i - 1] - went + came
    for state in ("new", "returning", "resurrecting", "dormant"):
        for start, people in list(zip(answer["starts"], answer[state], strict=True))[:5]:
            assert len(actors_behind(log, question, {"start": start, "state": state})) == people


@settings(max_examples=150, deadline=None)
@given(sparse, dates, st.integers(0, 40), zones, week_starts, intervals, st.integers(1, 4),
       st.sampled_from([None, "gte", "lte", "eq"]), st.integers(1, 3), st.integers(1, 4))  # fmt: skip
def test_stickiness(
    events: list[Act], first: date, length: int, zone: str, week_start: str, interval: str, together: int,
    op: str | None, least: int, buckets: int,
) -> None:  # fmt: skip
    last = first + timedelta(days=min(length, 2) if interval == "hour" else length)
    question: dict[str, Any] = {
        "analysis": "stickiness", "timezone": zone, "week_start": week_start, "interval": interval,
        "from": first.isoformat(), "to": last.isoformat(), "event_sel": "open", "interval_count": together,
    }  # fmt: skip
    if op is not None:
        question["criteria"] = {"op": op, "value": least}
    log = log_of(events, buckets)

    answer = ask(log, question)

    enough = {
        None: lambda n: n >= 1, "gte": lambda n: n >= least, "lte": lambda n: n <= least, "eq": lambda n: n == least,
    }[op]  # fmt: skip
    bars = oracle.stickiness(
        local_times(events, zone), first, last,
        interval=interval, week_start=week_start, together=together, enough=enough,
    )  # fmt: skip
    assert answer["by_active_intervals"] == bars
    for k, people in list(enumerate(bars, start=1))[:6]:
        assert len(actors_behind(log, question, {"intervals": k})) == people


@settings(max_examples=60, deadline=None)
@given(sparse, dates, st.integers(3, 30), zones, st.sampled_from(["lifecycle", "stickiness"]), st.integers(1, 4))
def test_each_value_of_a_breakdown_is_the_same_question_of_its_events(
    events: list[Act], first: date, length: int, zone: str, analysis: str, buckets: int
) -> None:
    question = {
        "analysis": analysis, "timezone": zone, "interval": "day", "event_sel": "open",
        "from": first.isoformat(), "to": (first + timedelta(days=length)).isoformat(),
    }  # fmt: skip

    answer = ask(log_of(events, buckets), question | {"by": "module"})

    for value, one in answer["by_value"].items():
        alone = ask(log_of([act for act in events if module(act) == value], buckets), question)
        assert one == {key: alone[key] for key in one}


@settings(max_examples=40, deadline=None)
@given(sparse, dates, zones, st.integers(1, 4))
def test_other_things_than_people_come_back_alike(events: list[Act], first: date, zone: str, buckets: int) -> None:
    question = {
        "analysis": "retention", "timezone": zone, "interval": "day", "from": first.isoformat(), "intervals": 6,
        "start_event": {"event": None},
    }  # fmt: skip

    counted = ask(log_of(events, buckets), question | {"count_by": {"property": "module"}})

    modules = [Act(module(act) or None, act.event, act.at) for act in events if act.person is not None]
    assert counted["matrix"] == ask(log_of(modules, 1), question)["matrix"]
