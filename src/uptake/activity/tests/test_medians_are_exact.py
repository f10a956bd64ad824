"""The median found by bins is that of the sorted numbers, in however many parts they lie."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.activity.columns import Array
from uptake.activity.middle import DIGIT, bin_of, digits_of, medians

pytestmark = pytest.mark.once
MOST = 86_400_000_000
lengths = st.one_of(st.integers(0, 3), st.integers(0, 5_000_000), st.integers(0, MOST), st.just(MOST))


def binned(own: list[list[int]], most: int) -> Array:
    digits = digits_of(most)
    counts = np.zeros((len(own), digits << DIGIT), np.int64)
    for value, numbers in enumerate(own):
        for number in numbers:
            counts[value, bin_of(number, digits)] += 1
    return counts


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.tuples(lengths, st.integers(0, 2)), max_size=9), min_size=1, max_size=4))
def test_of_each_value(parts: list[list[tuple[int, int]]]) -> None:
    own = [[number for part in parts for number, value in part if value == wanted] for wanted in range(3)]
    arrays = [
        (np.array([number for number, _ in part], np.int64), np.array([value for _, value in part], np.int32))
        for part in parts
    ]

    found = medians(arrays, binned(own, MOST))

    assert found == [median(numbers) if numbers else None for numbers in own]


@settings(max_examples=100, deadline=None)
@given(st.lists(lengths, max_size=12), st.sampled_from([MOST, 2**50]))
def test_of_all_as_one(numbers: list[int], most: int) -> None:
    found = medians([(np.array(numbers, np.int64), np.zeros(0, np.int32))], binned([numbers], most))

    assert found == [median(numbers) if numbers else None]


@pytest.mark.parametrize("most", [1, 2, 2047, 2048])
def test_of_small_numbers(most: int) -> None:
    numbers = [0, most, most, 1]

    found = medians([(np.array(numbers, np.int64), np.zeros(0, np.int32))], binned([numbers], most))

    assert found == [median(numbers)]
