"""Counts of 1 to 4 people are hidden, and what they could be reckoned from: by the shapes real answers have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity import ActivityLog, cases
from uptake.activity.analyses import ask
from uptake.insight.metrics.hiding import Path, Sum, counts_of, gives_away, hidden_counts
from uptake.insight.metrics.told import COUNTS, without_few

MONDAY = datetime(2026, 5, 4, 8, tzinfo=UTC)


def log_of(deeds: list[tuple[str, int, str]]) -> ActivityLog:
    """Of (person, days after that Monday, module)."""
    return cases.log_of(
        [
            {
                "user": who,
                "event": "posted",
                "timestamp": (MONDAY + timedelta(days=day)).isoformat(),
                "properties": {"module": module},
            }
            for who, day, module in deeds
        ],
        {},
    )


def asked(deeds: list[tuple[str, int, str]], analysis: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole answer, and what is told of it."""
    answer = ask(log_of(deeds), {"analysis": analysis, "from": "2026-05-04", "to": "2026-05-24", **more})
    return answer, without_few(analysis, answer)


def people(first: int, last: int, day: int, module: str = "a") -> list[tuple[str, int, str]]:
    return [(f"p{number}", day, module) for number in range(first, last)]


def test_a_cell_of_few_hides_the_average_it_is_part_of() -> None:
    deeds = people(0, 20, 0) + people(0, 17, 7) + people(0, 3, 14)

    answer, shown = asked(deeds, "retention", interval="week", cohort_index=0)

    assert answer["matrix"] == [[20, 17, 3], [17, 3], [3]]
    assert shown["matrix"] == [[20, 17, None], [17, None], [None]]
    assert set(shown["weighted_average"]) == {None}
    assert "cohort" not in shown


def test_what_a_value_leaves_over_is_hidden_too() -> None:
    deeds = people(0, 12, 0, "a") + people(12, 15, 0, "b") + people(15, 30, 0, "c")

    answer, shown = asked(deeds, "retention", interval="week", by="module")

    assert {value: one["matrix"][0][0] for value, one in answer["by_value"].items()} == {"a": 12, "b": 3, "c": 15}
    assert shown["matrix"][0][0] == 30
    assert {value: one["matrix"][0][0] for value, one in shown["by_value"].items()} == {"a": None, "b": None, "c": 15}
    assert set(shown["by_value"]["a"]["weighted_average"]) == {None}
    assert shown["by_value"]["c"]["weighted_average"] == answer["by_value"]["c"]["weighted_average"]


def test_the_dormant_cannot_be_reckoned_from_those_who_stay() -> None:
    deeds = people(0, 20, 0) + people(0, 17, 7) + people(20, 27, 7) + people(0, 27, 14)

    answer, shown = asked(deeds, "lifecycle", interval="week")

    states = ("new", "returning", "resurrecting", "dormant")
    assert [answer[state] for state in states] == [[20, 7, 0], [0, 17, 24], [0, 0, 3], [0, 3, 0]]
    assert [shown[state] for state in states] == [[None, 7, 0], [0, 17, 24], [0, 0, None], [0, None, 0]]
    assert shown["also_hidden"] == ["new/0"]


def test_the_compared_period_is_hidden_alike() -> None:
    deeds = people(0, 20, 0) + people(0, 3, -21)

    _, shown = asked(deeds, "lifecycle", interval="week", compare="previous")

    assert shown["dormant"] == [0, 20, 0]
    assert shown["resurrecting"] == [None, 0, 0]
    assert shown["compare"]["new"] == [None, 0, 0]


def test_days_of_few_are_hidden_from_sessions_with_one_more_so_that_the_sum_tells_nothing() -> None:
    deeds = people(0, 10, 0) + people(0, 3, 1) + people(0, 8, 2)

    answer, shown = asked(deeds, "sessions", duration_bins=[60])

    assert answer["each"]
    assert not {"each", "durations", "session_number_of_event"} & shown.keys()
    assert (shown["sessions"], shown["people"]) == (21, 10)
    assert shown["per_interval"]["people"][:3] == [10, None, 8]
    assert shown["per_interval"]["sessions"][:3] == [10, None, None]
    assert shown["per_interval"]["average_seconds"][:3] == [0.0, None, None]
    assert shown["by_duration"]["from_seconds"] == [0, 60]
    assert shown["by_duration"]["sessions"] == [21, 0]


def test_sessions_of_few_tell_nothing() -> None:
    _, shown = asked(people(0, 3, 0), "sessions")

    figures = {key: one for key, one in shown.items() if key not in ("counted", "starts", "per_interval")}
    assert set(figures.values()) == {None}


def test_bars_of_few_are_hidden() -> None:
    deeds = people(0, 9, 0) + people(0, 2, 1)

    answer, shown = asked(deeds, "stickiness")

    assert answer["by_active_intervals"][:3] == [7, 2, 0]
    assert shown["by_active_intervals"][:3] == [7, None, 0]


def test_nothing_more_is_hidden_where_people_have_several_values() -> None:
    deeds = people(0, 12, 0, "a") + people(0, 12, 0, "b") + people(0, 3, 0, "c")

    _, shown = asked(deeds, "pv_uv", by="module", event_sel={})

    assert {value: one["total_uv"] for value, one in shown["by_value"].items()} == {"a": 12, "b": 12, "c": None}


def test_how_many_are_in_a_small_segment_is_not_told() -> None:
    shown = without_few("stickiness", {"by_active_intervals": [0], "counted": {"segment_people": 3, "conditions": 0}})

    assert shown["counted"] == {"segment_people": None, "conditions": 0}


EVENTS: Mapping[str, dict[str, Any]] = {"pv_uv": {"event_sel": {}}}
Deeds = st.lists(st.tuples(st.sampled_from([f"p{n}" for n in range(14)]), st.integers(0, 20), st.sampled_from("ab")))


@pytest.mark.parametrize("analysis", ["retention", "lifecycle", "stickiness", "sessions", "pv_uv"])
@settings(max_examples=40, deadline=None)
@given(Deeds, st.sampled_from([None, "module"]))
def test_no_count_of_few_is_ever_told(analysis: str, deeds: list[tuple[str, int, str]], by: str | None) -> None:
    _, shown = asked(deeds, analysis, interval="week", by=by, compare="previous", **EVENTS.get(analysis, {}))

    told = dict(counts_of(shown, COUNTS[analysis]))
    assert not [path for path, count in told.items() if 0 < count < 5]


FIGURES: tuple[Path, ...] = (("all",), ("a",), ("b",), ("c",))


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_no_sum_leaves_one_possibility(parts: list[int]) -> None:
    counts: Mapping[Path, int] = dict(zip(FIGURES, [sum(parts), *parts], strict=True))
    whole = Sum(FIGURES[:1], FIGURES[1:])

    hidden = hidden_counts(counts, [whole], {})

    small = {path for path, count in counts.items() if 0 < count < 5}
    assert small <= hidden
    if not gives_away(whole, counts, small, hidden):
        for path in hidden:
            assert len(possible(path, counts, small, hidden)) > 1
    else:
        assert not [path for path in FIGURES if counts[path] and path not in hidden]


def possible(path: Path, counts: Mapping[Path, int], small: set[Path], hidden: set[Path]) -> set[int]:
    """By trying all: what a hidden figure may be, seen from outside."""
    choices = [
        [counts[one]] if one not in hidden else list(range(1, 5)) if one in small else list(range(5, 60))
        for one in FIGURES
    ]
    return {
        found[FIGURES.index(path)] for found in product(*choices) if found[0] == sum(found[1:])
    }  # fmt: skip
