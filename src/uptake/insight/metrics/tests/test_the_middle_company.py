"""The park's median tells of no single company: five are needed, and each with five people behind the figure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.insight.metrics.peers import MEASURES, Figures, middle


@pytest.mark.parametrize(
    ("companies", "medians"),
    [
        ([[0.2], [0.4], [0.6], [0.8], [1.0]], [0.6]),
        ([[0.2], [0.4], [0.6], [0.8]], [None]),
        ([[0.2], [0.4], [0.6], [0.8], [None]], [None]),
        ([[0.1, 0.5]] * 5 + [[0.9]], [0.1, 0.5]),
        ([], None),
    ],
)
def test_five_companies_make_a_median(companies: list[list[float | None]], medians: list[float | None] | None) -> None:
    assert middle([{"shares": one} for one in companies]).get("shares") == medians


@given(st.lists(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=3, max_size=3), max_size=9))
def test_a_median_never_rests_on_fewer_than_five_companies(companies: list[list[float | None]]) -> None:
    told = middle([{"shares": one} for one in companies]).get("shares", [])

    for at, value in enumerate(told):
        assert (value is not None) == (sum(one[at] is not None for one in companies) >= 5)


@pytest.mark.parametrize(
    ("analysis", "answer", "staff", "figures"),
    [
        ("pv_uv", {"uv": [2, 4], "pv": [10, 5]}, 10, {"people": [0.2, 0.4], "events": [1.0, 0.5]}),
        ("pv_uv", {"uv": [2], "pv": [10]}, 4, {"people": [None], "events": [None]}),
        ("funnel", {"counts": [10, 5, 1]}, 99, {"shares": [1.0, 0.5, 0.1]}),
        ("funnel", {"counts": [4, 2]}, 99, {"shares": [None, None]}),
        ("retention", {"matrix": [[3, 1], [5]], "weighted_average": [1.0, 0.4]}, 9, {"average": [1.0, 0.4]}),
        ("retention", {"matrix": [[3, 1], [4]], "weighted_average": [1.0, 0.4]}, 9, {}),
        (
            "lifecycle",
            {"new": [5, 0], "returning": [0, 3], "resurrecting": [0, 2], "dormant": [0, 2]},
            9,
            {"dormant": [None, 0.4], "new": [1.0, 0.0]},
        ),
        ("stickiness", {"by_active_intervals": [6, 0, 2]}, 9, {"shares": [0.75, 0.0, 0.25]}),
    ],
)
def test_what_is_compared_is_per_head_or_a_share_of_five_people_and_more(
    analysis: str, answer: dict[str, Any], staff: int, figures: Figures
) -> None:
    assert MEASURES[analysis](answer, staff) == figures


def test_active_people_are_compared_per_head_and_as_the_share_of_a_month() -> None:
    answer = {
        "dau": [2], "wau_rolling_7": [4], "mau_rolling_30": [8], "calendar_weeks": [["2026-05-04", 5]],
        "calendar_months": [["2026-05-01", 10]],
    }  # fmt: skip

    assert MEASURES["active_users"](answer, 10) == {
        "day": [0.2], "week": [0.4], "month": [0.8], "calendar_weeks": [0.5], "calendar_months": [1.0], "ratio": [0.25],
    }  # fmt: skip
