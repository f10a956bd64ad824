"""Criteria hold of whom they say, and a question narrowed to a segment is the question of these people alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, QuestionRefused, ask
from uptake.activity.analyses import ANALYSES, actors_behind
from uptake.activity.tests import oracle_criteria, oracle_retention
from uptake.activity.tests.oracle import Act
from uptake.activity.tests.test_folds_agree_with_the_oracle import BEGIN, NAMES, acts, log_of, zones

spans = st.integers(1, 25)
events = st.sampled_from(NAMES)
two_spans = st.tuples(spans, spans).filter(lambda two: two[0] != two[1]).map(sorted)
leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["performed", "not_performed"]), "event": events},
        optional={
            "days": spans, "count": st.integers(1, 3), "op": st.sampled_from(["gte", "lte", "eq"]),
            "negated": st.booleans(),
        },
    ),
    st.fixed_dictionaries({"kind": st.just("first_time"), "event": events, "days": spans}),
    st.tuples(st.sampled_from(["started", "stopped", "restarted"]), events, two_spans).map(
        lambda one: {"kind": one[0], "event": one[1], "recent_days": one[2][0], "days": one[2][1]}
    ),
    st.tuples(events, st.integers(1, 9), st.integers(1, 5), st.integers(1, 5), st.integers(1, 2)).map(
        lambda one: {
            "kind": "regularly", "event": one[0], "period_days": one[1], "total_periods": max(one[2:4]),
            "min_periods": min(one[2:4]), "count": one[4],
        }
    ),
    st.sampled_from(["AP", "GL"]).map(
        lambda value: {"kind": "property", "property": "module", "op": "eq", "value": value}
    ),
)  # fmt: skip
groups = st.recursive(
    leaves,
    lambda inner: st.fixed_dictionaries(
        {"match": st.sampled_from(["all", "any"]), "criteria": st.lists(inner, min_size=1, max_size=3)},
        optional={"negated": st.booleans()},
    ),
    max_leaves=4,
)
instants = st.integers(0, 44 * 24 * 2).map(lambda halves: BEGIN + timedelta(minutes=30 * halves))
days = st.integers(0, 45).map(lambda number: date(2026, 3, 19) + timedelta(days=number))


@settings(max_examples=200, deadline=None)
@given(acts(), groups, st.one_of(instants, days), zones, st.integers(1, 4))
def test_who_belongs(told: list[Act], group: dict[str, Any], as_of: datetime | date, zone: str, buckets: int) -> None:
    told = _settled(told)

    found = ask(
        log_of(told, buckets),
        {
            "analysis": "cohort", "timezone": zone, "as_of": as_of.isoformat(), "criteria": [group],
            "known_people": ["a", "nobody yet"],
        },
    )["people"]  # fmt: skip

    people: dict[str, list[Act]] = {"a": [], "nobody yet": [], **oracle_retention.people_of(told)}
    assert found == sorted(name for name, own in people.items() if oracle_criteria.belongs(own, group, as_of, zone))


def _settled(told: list[Act]) -> list[Act]:
    """Without a second module of a person at one instant: which of them is the newest is nobody's to say."""
    seen: dict[tuple[str | None, datetime], str] = {}
    kept = []
    for act in told:
        module = dict(act.properties).get("module")
        if module is None or seen.setdefault((act.person, act.at), module) == module:
            kept.append(act)
    return kept


MORE: dict[str, dict[str, Any]] = {
    "funnel": {"steps": ["open", "order.processed"]},
    "funnel_trends": {"steps": ["open", "order.processed"]},
    "time_to_convert": {"steps": ["open", "order.processed"]},
    "cohort": {"criteria": [{"kind": "performed", "event": "open"}]},
    "adoption": {"seats": [{"company": "", "user": "a"}, {"company": "", "user": "b"}]},
    "silence": {"silent_days": 3},
}


@settings(max_examples=12, deadline=None)
@given(acts(), groups, instants, st.integers(1, 3))
def test_a_segment_narrows_every_analysis_to_its_people(
    told: list[Act], group: dict[str, Any], as_of: datetime, buckets: int
) -> None:
    told = _settled(told)
    log = log_of(told, buckets)
    segment = {"criteria": [group], "as_of": as_of.isoformat()}

    members = ask(log, {"analysis": "cohort", **segment})["people"]

    for analysis in ANALYSES:
        usual = {"from": "2026-03-19", "to": "2026-05-05", "event_sel": {}, "interval": "week"}
        question: dict[str, Any] = {key: value for key, value in usual.items() if key in analysis.keys}
        question |= {"analysis": analysis.name, **MORE.get(analysis.name, {})}
        if "segment" not in analysis.keys:
            continue
        narrowed = ask(log, question | {"segment": segment})
        named = ask(log, question | {"only_persons": members})
        for answer in (narrowed, named):
            answer.pop("counted", None)
        assert narrowed == named, analysis.name


def company_log() -> ActivityLog:
    """Lin and Hua of Beiyuan (1), Mo of Qinghe (2), Wei of both: Beiyuan fell silent, Qinghe began."""
    rows = [
        ("lin", "opened", 1, 1), ("hua", "opened", 3, 1), ("wei", "opened", 4, 1),
        ("mo", "opened", 28, 2), ("wei", "opened", 29, 2), ("mo", "signed", 29, 2),
    ]  # fmt: skip
    return ActivityLog.from_arrow(
        pa.table({
            "person": [row[0] for row in rows], "event": [row[1] for row in rows],
            "happened_at": [datetime(2026, 3, row[2], 9, tzinfo=UTC) for row in rows],
            "company": pa.array([row[3] for row in rows], pa.int32()),
        }),
        buckets=3,
    )  # fmt: skip


def test_companies_belong_as_well() -> None:
    log = company_log()
    stopped = [{"kind": "stopped", "event": "opened", "days": 31, "recent_days": 7}]
    question = {"analysis": "cohort", "as_of": "2026-03-31", "criteria": stopped}

    assert ask(log, question | {"count_by": "company"})["people"] == ["1"]
    assert ask(log, question)["people"] == ["hua", "lin"]  # Wei opened it in the other company
    narrowed = {"analysis": "pv_uv", "event_sel": {}, "segment": {"of": "company", "criteria": stopped}}
    assert ask(log, narrowed)["total_uv"] == 3


def test_a_segment_is_told_from_what_the_viewer_may_see() -> None:
    log = company_log()
    question = {"analysis": "cohort", "criteria": [{"kind": "performed", "event": "opened", "op": "eq", "count": 1}]}

    assert ask(log, question)["people"] == ["hua", "lin", "mo"]
    assert ask(log, question, companies=[1])["people"] == ["hua", "lin", "wei"]
    assert ask(log, question | {"scope": [2]})["people"] == ["mo", "wei"]
    hidden = {"analysis": "pv_uv", "event_sel": {}, "segment": {"criteria": [{"kind": "performed", "event": "signed"}]}}
    assert ask(log, hidden)["total_uv"] == 1
    assert ask(log, hidden, companies=[1])["total_uv"] == 0


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ({"kind": "in", "value": 2}, ["mo", "wei"]),
        ({"kind": "in", "place": "company", "value": [1, 3]}, ["hua", "lin"]),
        ({"kind": "in", "value": 1, "negated": True}, ["mo", "wei"]),
        ({"kind": "people", "people": ["lin", "mo", "unheard of"]}, ["lin", "mo"]),
        ({"kind": "performed", "event": None, "where": [{"property": "x", "op": "is_set"}]}, []),
        ({"kind": "property", "property": "x", "op": "is_not_set"}, ["hua", "lin", "mo", "wei"]),
        ({"kind": "started", "event": "opened", "recent_days": 7}, ["mo"]),
        ({"kind": "performed", "event": ["signed", "closed"]}, ["mo"]),
    ],
)
def test_places_and_lists(criterion: dict[str, Any], expected: list[str]) -> None:
    question = {"analysis": "cohort", "as_of": "2026-03-31", "criteria": [criterion]}

    answer = ask(company_log(), question)

    assert answer["people"] == expected
    assert len(actors_behind(company_log(), question, {})) == len(expected)


def test_without_a_date_a_segment_is_told_as_of_the_end_of_the_range() -> None:
    log = company_log()
    question = {
        "analysis": "pv_uv", "event_sel": {}, "from": "2026-03-01",
        "segment": {"criteria": [{"kind": "performed", "event": "opened", "days": 7}]},
    }  # fmt: skip

    assert ask(log, question | {"to": "2026-03-07"})["total_uv"] == 3
    assert ask(log, question)["total_uv"] == 2  # of the last seven days before the last event: Mo and Wei


@pytest.mark.parametrize(
    ("segment", "key"),
    [
        ({}, "segment.criteria"),
        ({"criteria": []}, "segment.criteria"),
        ({"criteria": "all"}, "segment.criteria"),
        ({"criteria": [{"kind": "performed", "event": "x"}], "match": "some"}, "segment.match"),
        ({"criteria": [{"kind": "performed", "event": "x"}], "of": "team"}, "segment.of"),
        ({"criteria": [{"kind": "performed", "event": "x"}], "since": 3}, "segment.since"),
        ({"criteria": [{"kind": "did"}]}, "segment.criteria[0].kind"),
        ({"criteria": [{"kind": "performed", "event": 3}]}, "segment.criteria[0].event"),
        ({"criteria": [{"kind": "performed", "event": "x", "day": 3}]}, "segment.criteria[0].day"),
        ({"criteria": [{"kind": "performed", "event": "x", "days": 0}]}, "segment.criteria[0].days"),
        ({"criteria": [{"kind": "performed", "event": "x", "count": 0}]}, "segment.criteria[0].count"),
        ({"criteria": [{"kind": "performed", "event": "x", "op": "about"}]}, "segment.criteria[0].op"),
        ({"criteria": [{"kind": "stopped", "event": "x", "days": 7}]}, "segment.criteria[0].recent_days"),
        (
            {"criteria": [{"kind": "stopped", "event": "x", "days": 7, "recent_days": 7}]},
            "segment.criteria[0].recent_days",
        ),
        ({"criteria": [{"kind": "regularly", "event": "x", "days": 7}]}, "segment.criteria[0].total_periods"),
        ({"criteria": [{"kind": "property", "op": "eq", "value": 1}]}, "segment.criteria[0].property"),
        ({"criteria": [{"kind": "in", "place": "park", "value": 1}]}, "segment.criteria[0].place"),
        ({"criteria": [{"kind": "people", "people": "lin"}]}, "segment.criteria[0].people"),
        ({"criteria": [{"criteria": [{"kind": "did"}]}]}, "segment.criteria[0].criteria[0].kind"),
        ({"criteria": [{"criteria": [], "of": "company"}]}, "segment.criteria[0].of"),
        ("everybody", "segment"),
    ],
)
def test_refused(segment: Any, key: str) -> None:
    with pytest.raises(QuestionRefused) as refused:
        ask(company_log(), {"analysis": "pv_uv", "segment": segment})

    assert refused.value.key == key
