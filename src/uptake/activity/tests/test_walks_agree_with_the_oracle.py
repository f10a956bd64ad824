"""Paths, transitions, sessions, silence and trends give what a plain reading of the definitions gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask
from uptake.activity.analyses import actors_behind
from uptake.activity.cases import same
from uptake.activity.question import QuestionRefused
from uptake.activity.tests import oracle_paths as oracle
from uptake.activity.tests.oracle import Act

BEGIN = datetime(2026, 3, 27, 22, tzinfo=UTC)
"""Amsterdam moves its clock on the second night."""
NAMES = ("a", "b", "c", "$pageview")
PEOPLE = ("p", "q", "r", None)
ZONES = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Amsterdam"])
GAPS = st.sampled_from([600, 1799, 1800, 1801, 7200])


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Short histories with many equal instants and many gaps of exactly half an hour and a day, out of order."""
    jumps = [0, 0, 1, 599, 600, 1800, 1800, 1801, 7200, 86_400, 200_000]
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(PEOPLE), st.sampled_from(NAMES), st.sampled_from(jumps), st.sampled_from(["", "x", "y"])
            ),
            max_size=30,
        )
    )
    clock = dict.fromkeys(PEOPLE, BEGIN)
    found = []
    for who, name, jump, value in drawn:
        clock[who] += timedelta(seconds=jump)
        found.append(Act(who, name, clock[who], (("m", value),) if value else ()))
    order = draw(st.permutations(range(len(found)))) if draw(st.booleans()) else range(len(found))
    return [found[number] for number in order]


def log_of(events: list[Act], parts: int = 1) -> ActivityLog:
    return ActivityLog.from_arrow(
        pa.table(
            {
                "person": pa.array([act.person for act in events], pa.string()),
                "event": pa.array([act.event for act in events], pa.string()),
                "happened_at": pa.array([act.at for act in events], pa.timestamp("us", tz="UTC")),
                "m": pa.array([dict(act.properties).get("m") for act in events], pa.string()),
            }
        ),
        buckets=parts,
    )


def agrees(expected: dict[str, Any], answer: dict[str, Any]) -> None:
    got = {key: answer.get(key) for key in expected}
    assert same(expected, got), f"{expected} is not {got}"


nodes = st.sampled_from([None, None, "a", "b", "nowhere"])


@settings(max_examples=200, deadline=None)
@given(acts(), GAPS, st.integers(2, 5), nodes, nodes, st.sampled_from([1, 2, 3, 50]), st.booleans(), st.integers(1, 3))
def test_paths(
    events: list[Act], gap: int, most: int, start: str | None, end: str | None, limit: int, people: bool, parts: int
) -> None:
    question = {
        "analysis": "paths", "session_gap_seconds": gap, "max_steps": most, "start": start, "end": end,
        "edge_limit": limit, "count": "people" if people else "walks",
    }  # fmt: skip

    answer = ask(log_of(events, parts), question)

    agrees(
        oracle.paths(
            events, gap=timedelta(seconds=gap), most=most, start=start, end=end, limit=limit, people=people
        ),
        answer,
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(acts(), GAPS, st.sampled_from(["m", "event"]), st.integers(1, 3))
def test_a_breakdown_of_paths_is_the_question_asked_of_each_value(
    events: list[Act], gap: int, by: str, parts: int
) -> None:
    log = log_of(events, parts)

    answer = ask(log, {"analysis": "paths", "session_gap_seconds": gap, "by": by})
    steps = ask(log, {"analysis": "transitions", "session_gap_seconds": gap, "by": by, "steps": 3})
    spent = ask(log, {"analysis": "sessions", "timeout_seconds": gap, "by": by})

    for value, got in answer["by_value"].items():
        own = [act for act in events if (act.event if by == "event" else dict(act.properties).get("m", "")) == value]
        length = timedelta(seconds=gap)
        agrees(oracle.paths(own, gap=length, most=5, start=None, end=None, limit=50, people=False), got)
        agrees(oracle.transitions(own, gap=length, collapse=False, people=False, steps=3), steps["by_value"][value])
        figures = oracle.sessions(own, length, timedelta(hours=24))
        agrees({key: figures[key] for key in ("sessions", "people", "average_seconds")}, spent["by_value"][value])


@settings(max_examples=150, deadline=None)
@given(acts(), st.one_of(st.none(), GAPS), st.booleans(), st.booleans(), st.integers(0, 4), st.integers(1, 3))
def test_transitions(events: list[Act], gap: int | None, collapse: bool, people: bool, steps: int, parts: int) -> None:
    question = {
        "analysis": "transitions", "session_gap_seconds": gap, "collapse": collapse, "steps": steps,
        "count": "people" if people else "times",
    }  # fmt: skip

    answer = ask(log_of(events, parts), question)

    length = None if gap is None else timedelta(seconds=gap)
    agrees(oracle.transitions(events, gap=length, collapse=collapse, people=people, steps=steps), answer)


@settings(max_examples=100, deadline=None)
@given(acts(), GAPS, st.integers(0, 4), st.integers(0, 3), ZONES)
def test_only_what_lies_in_the_range_counts(events: list[Act], gap: int, skipped: int, length: int, zone: str) -> None:
    first = date(2026, 3, 27) + timedelta(days=skipped)
    last = first + timedelta(days=length)
    asked = {"from": first.isoformat(), "to": last.isoformat(), "timezone": zone, "session_gap_seconds": gap}
    log = log_of(events)

    walked = ask(log, {"analysis": "paths", **asked})
    followed = ask(log, {"analysis": "transitions", **asked})

    inside = [act for act in events if first <= act.local(zone).date() <= last]
    within = timedelta(seconds=gap)
    agrees(oracle.paths(inside, gap=within, most=5, start=None, end=None, limit=50, people=False), walked)
    agrees(oracle.transitions(inside, gap=within, collapse=False, people=False, steps=0), followed)


@settings(max_examples=150, deadline=None)
@given(acts(), GAPS, st.sampled_from([1800, 86_400]), st.integers(1, 3))
def test_sessions(events: list[Act], timeout: int, longest: int, parts: int) -> None:
    question = {"analysis": "sessions", "timeout_seconds": timeout, "max_seconds": longest}

    answer = ask(log_of(events, parts), question)

    expected = oracle.sessions(events, timedelta(seconds=timeout), timedelta(seconds=longest))
    answer["durations"] = sorted(answer["durations"])
    agrees(expected | {"durations": sorted(expected["durations"])}, answer)
    assert sum(answer["per_interval"]["sessions"]) == expected["sessions"]


@settings(max_examples=100, deadline=None)
@given(acts(), GAPS, st.sets(st.sampled_from([1, 60, 600, 1800, 7200]), min_size=1), st.integers(1, 3))
def test_sessions_by_how_long_they_last(events: list[Act], timeout: int, edges: set[int], parts: int) -> None:
    bins = sorted(edges)
    log = log_of(events, parts)
    question = {"analysis": "sessions", "timeout_seconds": timeout, "duration_bins": bins}

    binned = ask(log, question).get("by_duration")

    if binned is not None:
        pairs = list(zip(binned["sessions"], binned["people"], strict=True))
        assert pairs == oracle.by_duration(events, timedelta(seconds=timeout), bins)
        for place, people in enumerate(binned["people"]):
            assert len(actors_behind(log, question, {"duration": place})) == people


@settings(max_examples=200, deadline=None)
@given(acts(), st.integers(0, 60), st.one_of(st.none(), st.sampled_from([0, 1, 2.5, 14])), ZONES, st.integers(1, 3),
       st.sets(st.sampled_from(["a", "c"])), st.sets(st.integers(0, 60)), st.integers(1, 3))  # fmt: skip
def test_silence(
    events: list[Act], later: int, days: float | None, zone: str, tail: int, ignored: set[str], off: set[int],
    parts: int,
) -> None:  # fmt: skip
    at = BEGIN + timedelta(days=later, hours=3)
    free = {date(2026, 3, 27) + timedelta(days=number) for number in off}
    question = {
        "analysis": "silence", "as_of": at.isoformat(), "silent_days": days, "timezone": zone, "tail": tail,
        "ignore_events": sorted(ignored), "calendar": {"days_off": sorted(day.isoformat() for day in free)},
        "least_people": 1,
    }  # fmt: skip
    log = log_of(events, parts)

    answer = ask(log, question)

    expected = oracle.silence(events, at=at, days=days, zone=zone, tail=tail, off=free, ignored=ignored)
    lift = expected.pop("lift")
    agrees(expected, answer)
    assert set(answer["silent"]) == set(expected["silent"])
    assert same(lift, {row["event"]: row["lift"] for row in answer["lift"]})
    assert log.snapshot().person_names(actors_behind(log, question, {})) == sorted(expected["silent"], key=_code(log))


def _code(log: ActivityLog) -> Any:
    return lambda name: int(log.snapshot().person_codes([name])[0])


@settings(max_examples=150, deadline=None)
@given(acts(), st.integers(0, 3), st.integers(0, 5), ZONES, st.sampled_from(["hour", "day", "week", "month"]),
       st.sampled_from(["monday", "sunday"]), st.integers(1, 3))  # fmt: skip
def test_trends(
    events: list[Act], skipped: int, length: int, zone: str, interval: str, week_start: str, parts: int
) -> None:
    first = date(2026, 3, 27) + timedelta(days=skipped)
    last = first + timedelta(days=length)
    series = [({"a"}, "events"), ({"a", "b"}, "people"), ({"b", "c"}, "sessions")]
    question = {
        "analysis": "trends", "from": first.isoformat(), "to": last.isoformat(), "timezone": zone,
        "interval": interval, "week_start": week_start, "cumulative": True,
        "series": [{"sel": {"event": sorted(names)}, "count": count} for names, count in series],
    }  # fmt: skip

    answer = ask(log_of(events, parts), question)

    for (names, count), got in zip(series, answer["series"], strict=True):
        expected = oracle.trend(
            events, names, count, first, last, zone=zone, interval=interval, week_start=week_start
        )  # fmt: skip
        agrees(expected, got)


@settings(max_examples=100, deadline=None)
@given(acts(), st.integers(1, 3))
def test_behind_every_number_of_people_stand_as_many(events: list[Act], parts: int) -> None:
    log = log_of(events, parts)
    by = {"by": "m"}
    walked = {"analysis": "paths", "count": "people", **by}
    answer = ask(log, walked)
    for value, one in answer["by_value"].items():
        for first, then, people, _ in one["edges"]:
            assert len(actors_behind(log, walked, {"from": first, "to": then, "value": value})) == people
    for first, then, people, _ in answer["edges"]:
        assert len(actors_behind(log, walked, {"from": first, "to": then})) == people
    for step in answer["steps"]:
        place, node = step["node"].split("_", 1)
        for name, more in (("reached", {}), ("dropped", {"dropped": True}), ("continued", {"dropped": False})):
            assert len(actors_behind(log, walked, {"step": int(place), "node": node, **more})) == step[name]

    followed = {"analysis": "transitions", "count": "people", "session_gap_seconds": 1800}
    for first, then, people in ask(log, followed)["edges"]:
        assert len(actors_behind(log, followed, {"from": first, "to": then})) == people

    drawn = {"analysis": "trends", "series": [{"sel": "a", "count": "people"}]}
    trends = ask(log, drawn)
    assert len(actors_behind(log, drawn, {"series": 0})) == trends["series"][0]["total"]
    for start, people in zip(trends["starts"], trends["series"][0]["values"], strict=True):
        assert len(actors_behind(log, drawn, {"series": 0, "start": start})) == people

    sat = ask(log, {"analysis": "sessions"})
    assert len(actors_behind(log, {"analysis": "sessions"}, {})) == sat["people"]
    for start, people in zip(sat["starts"], sat["per_interval"]["people"], strict=True):
        assert len(actors_behind(log, {"analysis": "sessions"}, {"start": start})) == people


@settings(max_examples=60, deadline=None)
@given(acts(), GAPS, st.integers(1, 3))
def test_names_from_a_property_and_other_actors_than_people(events: list[Act], gap: int, parts: int) -> None:
    log = log_of(events, parts)
    length = timedelta(seconds=gap)

    named = ask(log, {"analysis": "paths", "session_gap_seconds": gap, "items": [{"sel": {}, "property": "m"}]})
    objects = ask(log, {"analysis": "transitions", "session_gap_seconds": gap, "count_by": {"property": "m"}})

    renamed = [Act(act.person, dict(act.properties).get("m", act.event), act.at) for act in events]
    agrees(oracle.paths(renamed, gap=length, most=5, start=None, end=None, limit=50, people=False), named)
    owned = [Act(dict(act.properties).get("m"), act.event, act.at) for act in events if act.person is not None]
    agrees(oracle.transitions(owned, gap=length, collapse=False, people=False, steps=0), objects)


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ({"analysis": "paths", "max_steps": 1}, "max_steps"),
        ({"analysis": "sessions", "duration_bins": [60, 60]}, "duration_bins"),
        ({"analysis": "paths", "max_steps": 21}, "max_steps"),
        ({"analysis": "paths", "session_gap_seconds": 0}, "session_gap_seconds"),
        ({"analysis": "paths", "start": 3}, "start"),
        ({"analysis": "paths", "items": ["a", {"title": "b"}]}, "items[1].title"),
        ({"analysis": "paths", "groupings": [3]}, "groupings[0]"),
        ({"analysis": "paths", "count": "events"}, "count"),
        ({"analysis": "paths", "gap": "30m"}, "gap"),
        ({"analysis": "transitions", "steps": 51}, "steps"),
        ({"analysis": "transitions", "collapse": "no"}, "collapse"),
        ({"analysis": "sessions", "timeout_seconds": 0}, "timeout_seconds"),
        ({"analysis": "sessions", "page_views": "open"}, "page_views"),
        ({"analysis": "silence", "silent_days": -1}, "silent_days"),
        ({"analysis": "silence", "as_of": "soon"}, "as_of"),
        ({"analysis": "silence", "calendar": {"weekdays": [0]}}, "calendar.weekdays[0]"),
        ({"analysis": "silence", "compare": "previous"}, "compare"),
        ({"analysis": "trends", "series": [{"sel": "a", "count": "clicks"}]}, "series[0].count"),
        ({"analysis": "trends", "series": [{"event": "a"}]}, "series[0].event"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(question: dict[str, Any], key: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        ask(log_of([Act("p", "a", BEGIN)]), question)

    assert refused.value.key == key


def test_a_notebook_asks_in_its_own_words() -> None:
    log = log_of([Act("p", name, BEGIN + timedelta(minutes=20 * place)) for place, name in enumerate("abb")])

    assert log.paths(gap="30m").edges == (["1_a", "2_b", 1, 2400.0],)
    assert log.paths(gap="30m").to_arrow().column_names == ["from", "to", "count", "average_seconds"]
    assert log.transitions(gap="20m").walks == 3
    assert log.transitions().to_arrow().num_rows == 4
    assert log.sessions(gap="20m").durations == (2400.0,)
    assert log.sessions().to_arrow().num_rows == 1
    assert log.silent(days=14, on=date(2026, 4, 20)).to_arrow().to_pylist() == [
        {"person": "p", "since": "2026-03-27T22:40:00+00:00", "tail": ["a", "b"]}
    ]
    assert log.trends(["b"], every="month").to_arrow().to_pylist() == [
        {"series": "b", "start": "2026-03-01", "value": 2}
    ]
