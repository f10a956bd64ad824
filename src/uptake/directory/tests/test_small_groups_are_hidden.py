"""Figures of fewer than five people cannot be read, nor worked out from the total."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import Cast
from uptake.directory.privacy import hide_small, may_see_group


@pytest.mark.parametrize(
    ("people", "shown", "total"),
    [
        ({"a": 10, "b": 20}, {"a": 10, "b": 20}, 30),
        ({"a": 3, "b": 9, "c": 20}, {"a": None, "b": None, "c": 20}, 32),
        ({"a": 3, "b": 4, "c": 20}, {"a": None, "b": None, "c": 20}, 27),
        ({"a": 1, "b": 2, "c": 20, "d": 30}, {"a": None, "b": None, "c": None, "d": 30}, 53),
        ({"a": 0, "b": 9}, {"a": 0, "b": 9}, 9),
        ({"a": 4}, {"a": None}, None),
        ({"a": 4, "b": 0}, {"a": None, "b": 0}, None),
        ({"a": 1, "b": 2}, {"a": None, "b": None}, None),
        ({"a": 5}, {"a": 5}, 5),
        ({}, {}, 0),
    ],
)
def test_a_small_group_takes_the_next_along(
    people: dict[str, int], shown: dict[str, int | None], total: int | None
) -> None:
    found = hide_small(people)

    assert found.counts == shown
    assert found.total == total


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 40), max_size=12))
def test_what_is_hidden_cannot_be_worked_out(people: dict[int, int]) -> None:
    found = hide_small(people)

    assert all(count is None or count == 0 or count >= 5 for count in found.counts.values())
    if found.hidden and found.total is not None:
        rest = found.total - sum(count for count in found.counts.values() if count is not None)
        assert len(found.hidden) >= 2
        assert rest >= 5


def test_those_who_see_people_see_small_groups(cast: Cast) -> None:
    assert may_see_group(cast.viewer(cast.wei), cast.beiyuan, 3)
    assert not may_see_group(cast.viewer(cast.hua), cast.beiyuan, 3)
    assert may_see_group(cast.viewer(cast.hua), cast.beiyuan, 5)
    assert may_see_group(cast.viewer(cast.hua), cast.beiyuan, 0)
    assert not may_see_group(cast.viewer(cast.mo), cast.beiyuan, 50)
