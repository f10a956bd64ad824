"""Funnels give what trying every chain of events gives: ties, windows, exclusions, strict, any order, breakdowns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, ask
from uptake.activity.analyses import actors_behind
from uptake.activity.tests import oracle_funnel
from uptake.activity.tests.oracle import Act, bucket_of
from uptake.activity.tests.oracle_funnel import Run, Wanted

BEGIN = datetime(2026, 3, 28, 22, tzinfo=UTC)
"""A clock change of Amsterdam lies in the first hours."""
NAMES = ("a", "b", "c", "x", "z")
STEPS: tuple[dict[str, Any], ...] = (
    {"event": "a"},
    {"event": "b"},
    {"event": "c"},
    {"event": None},
    {"event": ["a", "b"]},
    {"event": ["b", "c"]},
    {"event": "b", "where": [{"property": "module", "op": "eq", "value": "AP"}]},
)
EXCLUDED: tuple[dict[str, Any], ...] = (
    {"event": "x"},
    {"event": ["x", "z"]},
    {"event": "x", "where": [{"property": "module", "op": "ne", "value": "AP"}]},
)
days = {"from": "2026-03-28", "to": "2026-04-03"}


def wants(selector: dict[str, Any]) -> Wanted:
    def wanted(act: Act) -> bool:
        names = selector["event"]
        if names is not None and act.event != names and act.event not in (names if isinstance(names, list) else ()):
            return False
        for condition in selector.get("where", ()):
            equal = dict(act.properties).get(condition["property"]) == condition["value"]
            if equal != (condition["op"] == "eq"):
                return False
        return True

    return wanted


@st.composite
def histories(draw: st.DrawFn, most: int = 9) -> list[Act]:
    """A few events of two people, close together in time, many at one instant."""
    one = st.builds(
        lambda who, name, at, module: Act(
            who, name, BEGIN + timedelta(minutes=at), (("module", module),) if module else ()
        ),
        st.sampled_from(["p", "q"]),
        st.sampled_from(NAMES),
        st.one_of(st.integers(0, 6), st.sampled_from([0, 10, 60, 61, 180, 1500, 3000])),
        st.sampled_from(["", "", "AP", "GL"]),
    )
    return draw(st.lists(one, max_size=most))


@st.composite
def funnels(draw: st.DrawFn, orders: tuple[str, ...] = ("ordered", "strict", "unordered")) -> dict[str, Any]:
    order = draw(st.sampled_from(orders))
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4))
    question: dict[str, Any] = {
        "analysis": "funnel", "steps": [dict(step) for step in steps], "order": order,
        "window_seconds": draw(st.sampled_from([60, 120, 300, 3600, 86_400])), **days,
    }  # fmt: skip
    last = len(steps) - 1
    if last and draw(st.booleans()):
        several = draw(st.lists(st.sampled_from(EXCLUDED), min_size=1, max_size=2))
        bounds = [
            (0, last) if order == "unordered" else draw(
                st.tuples(st.integers(0, last - 1), st.integers(1, last)).filter(lambda pair: pair[0] < pair[1])
            )
            for _ in several
        ]  # fmt: skip
        question["exclusions"] = [
            {**one, "after_step": after, "before_step": before}
            for one, (after, before) in zip(several, bounds, strict=True)
        ]
    if order == "strict" and draw(st.booleans()):
        question["ignore_events"] = ["z", "c"]
    return question


def plain(question: dict[str, Any]) -> oracle_funnel.Asked:
    return oracle_funnel.Asked(
        steps=[wants(step) for step in question["steps"]],
        window=question["window_seconds"],
        order=question["order"],
        exclusions=[(wants(x), x["after_step"], x["before_step"]) for x in question.get("exclusions", ())],
        ignored=lambda act: act.event in question.get("ignore_events", ()),
        optional=frozenset(k for k, step in enumerate(question["steps"]) if step.get("optional")),
    )


def log_of(acts: list[Act], buckets: int = 1) -> ActivityLog:
    return ActivityLog.from_arrow(
        pa.table(
            {
                "person": pa.array([act.person for act in acts], pa.string()),
                "event": pa.array([act.event for act in acts], pa.string()),
                "happened_at": pa.array([act.at for act in acts], pa.timestamp("us", tz="UTC")),
                "module": pa.array([dict(act.properties).get("module") for act in acts], pa.string()),
            }
        ),
        buckets=buckets,
    )


def people(acts: list[Act]) -> dict[str, list[Act]]:
    return {who: [act for act in acts if act.person == who] for who in sorted({str(act.person) for act in acts})}


def expected(runs: dict[str, Run | None], steps: int) -> dict[str, Any]:
    """The numbers of a funnel from the reported runs (without optional steps)."""
    there = {who: run for who, run in runs.items() if run is not None}
    at_step = [[who for who, run in there.items() if run.depth > k] for k in range(steps)]
    hops = [
        [_seconds(there[who], k - 1, k) for who in at_step[k]] if k else []
        for k in range(steps)
    ]  # fmt: skip
    return {
        "counts": [len(who) for who in at_step],
        "actors_by_step": at_step,
        "avg_seconds": [pytest.approx(sum(hop) / len(hop)) if hop else None for hop in hops],
        "median_seconds": [median(hop) if hop else None for hop in hops],
    }


def _seconds(run: Run, start: int, to: int) -> float:
    first, last = run.times[start], run.times[to]
    assert first is not None
    assert last is not None
    return (last - first).total_seconds()


def picked(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in ("counts", "actors_by_step", "avg_seconds", "median_seconds")}


@settings(max_examples=300, deadline=None)
@given(histories(), funnels(), st.integers(1, 3))
def test_every_kind_of_funnel(acts: list[Act], question: dict[str, Any], buckets: int) -> None:
    answer = ask(log_of(acts, buckets), question)

    runs = {who: oracle_funnel.reported(own, plain(question)) for who, own in people(acts).items()}
    assert picked(answer) == expected(runs, len(question["steps"]))


@settings(max_examples=300, deadline=None)
@given(histories(most=14), funnels(orders=("ordered",)))
def test_the_one_pass_and_the_general_way_agree(acts: list[Act], question: dict[str, Any]) -> None:
    question.pop("exclusions", None)
    log = log_of(acts)

    one_pass = ask(log, question)
    harmless = {"event": "never sent", "after_step": 0, "before_step": len(question["steps"]) - 1}
    general = ask(log, question | ({"exclusions": [harmless]} if len(question["steps"]) > 1 else {}))

    assert picked(one_pass) == picked(general)


@settings(max_examples=120, deadline=None)
@given(histories(most=8), funnels(orders=("ordered", "strict")), st.integers(1, 3))
def test_steps_that_may_be_skipped(acts: list[Act], question: dict[str, Any], optional: int) -> None:
    question["steps"] = [{"event": name} for name in ("a", "b", "c", "x")]
    question["steps"][min(optional, 3)]["optional"] = True
    question.pop("exclusions", None)

    answer = ask(log_of(acts), question)

    runs = {who: oracle_funnel.reported(own, plain(question)) for who, own in people(acts).items()}
    assert answer["actors_by_step"] == [
        [who for who, run in runs.items() if run is not None and run.times[k] is not None] for k in range(4)
    ]


@settings(max_examples=150, deadline=None)
@given(histories(), funnels(), st.sampled_from(["hour", "day"]), st.sampled_from(["UTC", "Europe/Amsterdam"]))
def test_conversion_over_time(acts: list[Act], question: dict[str, Any], interval: str, zone: str) -> None:
    if len(question["steps"]) == 1:
        question["steps"].append({"event": "b"})
    question |= {"analysis": "funnel_trends", "interval": interval, "timezone": zone}
    question.pop("exclusions", None) if question["order"] == "unordered" else None

    answer = ask(log_of(acts), question)

    def bucket(at: datetime) -> str:
        return bucket_of(at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), interval, "monday")

    runs = [oracle_funnel.by_bucket(own, plain(question), bucket) for own in people(acts).values()]
    for row in answer["buckets"]:
        own = [run[row["start"]] for run in runs if row["start"] in run]
        converted = sum(run.depth == len(question["steps"]) for run in own)
        assert (row["entered"], row["converted"]) == (len(own), converted)
        assert row["rate"] == (round(100 * converted / len(own), 2) if own else 0)
    assert {label for run in runs for label in run} <= {row["start"] for row in answer["buckets"]}


@settings(max_examples=120, deadline=None)
@given(histories(), funnels(), st.sampled_from(["first_touch", "last_touch", "all_events", "step"]), st.integers(1, 3))
def test_a_breakdown_is_the_funnel_of_those_with_the_value(
    acts: list[Act], question: dict[str, Any], attribution: str, buckets: int
) -> None:
    steps = [wants(step) for step in question["steps"]]
    last = len(steps) - 1
    if question["order"] == "unordered" and attribution == "step":
        attribution = "all_events"  # what step 0 is without an order, a case file says
    number = last
    question["breakdown"] = {
        "property": "module", "attribution": f"step:{number}" if attribution == "step" else attribution
    }  # fmt: skip

    answer = ask(log_of(acts, buckets), question)

    runs: dict[str, dict[str, Run | None]] = {}
    for who, own in people(acts).items():
        on_steps = sorted((act for act in own if any(step(act) for step in steps)), key=lambda act: act.at)
        values = [_module(act) for act in on_steps]
        if attribution.endswith("_touch"):
            there = [value for value in values if value] or [""]
            value = there[0] if attribution == "first_touch" else there[-1]
            runs.setdefault(value, {})[who] = oracle_funnel.reported(own, plain(question))
        elif attribution == "all_events":
            for value in set(values):
                of_value = [act for act in own if _module(act) == value]
                runs.setdefault(value, {})[who] = oracle_funnel.reported(of_value, plain(question))
        else:
            for value in {_module(act) for act in on_steps if steps[number](act)}:
                whole = plain(question)
                narrowed = replace(whole, steps=[*whole.steps[:-1], _both(steps[-1], value)])
                runs.setdefault(value, {})[who] = oracle_funnel.reported(own, narrowed)
    wanted = {value: expected(own, len(steps)) for value, own in runs.items()}
    assert {value: picked(one) for value, one in answer["by_value"].items()} == {
        value: one for value, one in wanted.items() if one["counts"][0]
    }


def _module(act: Act) -> str:
    return str(dict(act.properties).get("module", ""))


def _both(step: Wanted, value: str) -> Wanted:
    return lambda act: step(act) and _module(act) == value


@settings(max_examples=100, deadline=None)
@given(histories(most=16), funnels(), st.integers(1, 2))
def test_nobody_counts_twice_among_the_rest(acts: list[Act], question: dict[str, Any], limit: int) -> None:
    question["breakdown"] = {"property": "module", "attribution": "all_events", "limit": limit}

    answer = ask(log_of(acts), question)
    everything = ask(log_of(acts), question | {"breakdown": {**question["breakdown"], "limit": 100}})["by_value"]

    shown = [value for value in answer["by_value"] if value != "__other__"]
    assert len(shown) == min(limit, len(everything))
    rest = [one for value, one in everything.items() if value not in shown]
    if rest:
        assert answer["by_value"]["__other__"]["actors_by_step"] == [
            sorted({who for one in rest for who in one["actors_by_step"][k]}) for k in range(len(question["steps"]))
        ]


@settings(max_examples=100, deadline=None)
@given(histories(), funnels())
def test_every_number_is_a_list_of_people(acts: list[Act], question: dict[str, Any]) -> None:
    question["breakdown"] = {"property": "module", "attribution": "last_touch"}
    log = log_of(acts)

    answer = ask(log, question)

    reached = [actors_behind(log, question, {"step": k}) for k in range(len(question["steps"]))]
    assert [len(one) for one in reached] == answer["counts"]
    assert [log.snapshot().person_names(one) for one in reached] == answer["actors_by_step"]
    for k in range(1, len(reached)):
        dropped = actors_behind(log, question, {"step": k, "dropped": True})
        assert dropped == sorted(set(reached[k - 1]) - set(reached[k]))
    for value, one in answer["by_value"].items():
        assert len(actors_behind(log, question, {"step": 0, "value": value})) == one["counts"][0]


def test_an_entry_at_the_instant_of_arrival_is_the_latest() -> None:
    at = (("a", 0), ("b", 5), ("a", 5))
    acts = [Act("p", name, BEGIN + timedelta(minutes=minute), ()) for name, minute in at]

    answer = ask(log_of(acts), {"analysis": "funnel", "steps": ["a", "b"], "window_seconds": 3600, **days})

    assert (answer["counts"], answer["avg_seconds"][1]) == ([1, 1], 0.0)
