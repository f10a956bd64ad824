"""Gini and Theil tell how evenly points are shared out."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.statistics.inequality import gini, theil

pytestmark = pytest.mark.once

TWENTY = [1, 3, 4, 5, 6, 8, 8, 9, 11, 12, 14, 17, 19, 21, 23, 27, 29, 32, 33, 38]
"""A published classroom example: twenty incomes in thousands, Gini 0.38625."""
VALUES = st.lists(st.integers(min_value=0, max_value=10_000), min_size=1, max_size=40).filter(any)


def test_gini_is_that_of_the_published_example() -> None:
    assert gini(TWENTY) == pytest.approx(0.38625)


def test_one_who_has_all_is_the_end_of_both_scales() -> None:
    assert gini([0, 0, 0, 9]) == pytest.approx(3 / 4)
    assert theil([0, 0, 0, 9]) == pytest.approx(log(4))


@pytest.mark.parametrize("values", [[], [0, 0]])
def test_nothing_shared_has_no_inequality(values: list[int]) -> None:
    assert gini(values) is None
    assert theil(values) is None


@given(VALUES)
def test_gini_is_the_mean_difference_of_two_drawn(values: list[int]) -> None:
    count, mean = len(values), sum(values) / len(values)
    expected = sum(abs(left - right) for left in values for right in values) / (2 * count * count * mean)

    assert gini(values) == pytest.approx(expected, abs=1e-9)


@given(VALUES, st.integers(min_value=1, max_value=50), st.integers(min_value=1, max_value=4))
def test_neither_depends_on_the_scale_or_on_copies(values: list[int], factor: int, copies: int) -> None:
    for index in (gini, theil):
        known = index(values)
        assert index([value * factor for value in values] * copies) == pytest.approx(known, abs=1e-9)


@given(VALUES)
def test_giving_from_the_richest_to_the_poorest_lessens_both(values: list[int]) -> None:
    low, high = min(values), max(values)
    if high - low < 2:
        return
    shared = sorted(values)
    shared[0], shared[-1] = shared[0] + 1, shared[-1] - 1

    for index in (gini, theil):
        was, now = index(values), index(shared)
        assert was is not None
        assert now is not None
        assert now < was
