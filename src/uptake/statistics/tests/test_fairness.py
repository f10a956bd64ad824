"""Fairness over everybody eligible: exact intervals, exact decompositions, and triggers that fire only when sure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.statistics.fairness import measures, triggers
from uptake.statistics.fairness.triggers import Level
from uptake.statistics.inequality import theil

pytestmark = pytest.mark.once
GROUPS = st.lists(
    st.tuples(st.integers(0, 500), st.sampled_from("abc"), st.sampled_from("xy")), min_size=2, max_size=60
).filter(lambda rows: any(row[0] for row in rows))


@given(rows=GROUPS)
def test_the_parts_of_inequality_are_the_whole(rows: list[tuple[int, str, str]]) -> None:
    points = np.array([row[0] for row in rows], dtype=np.float64)

    within, between = measures.between_theil(points, [row[1] for row in rows])
    split = measures.two_way_theil(points, [row[1] for row in rows], [row[2] for row in rows])

    assert within + between == pytest.approx(theil([float(one) for one in points]))
    assert within >= -1e-9
    if split is not None:
        assert split.within + split.first + split.second == pytest.approx(1)


def test_what_only_opportunities_make_is_explained() -> None:
    """The night shift gets half the orders and handles them as everybody does."""
    groups = ["day"] * 40 + ["night"] * 40
    opportunities = np.repeat([[100.0], [50.0]], 40, axis=0)
    actions = opportunities * 0.6

    found, _ = measures.observed_over_expected(groups, opportunities, actions, [5])
    raw = {"day": 4 / 3, "night": 2 / 3}
    fired = triggers.of_expected(found, raw)

    assert [one.ratio.value for one in found] == pytest.approx([1, 1])
    assert {(one.group, one.level) for one in fired} == {("day", Level.EXPLAINED), ("night", Level.EXPLAINED)}


def test_what_equal_points_hide_alarms() -> None:
    """One group has twice the opportunities and earns the same."""
    groups = ["many"] * 30 + ["few"] * 30
    opportunities = np.repeat([[200.0], [100.0]], 30, axis=0)
    actions = np.full((60, 1), 60.0)

    found, _ = measures.observed_over_expected(groups, opportunities, actions, [1])
    fired = triggers.of_expected(found, {"many": 1.0, "few": 1.0})

    assert [(one.group, round(one.ratio.value, 2)) for one in found] == [("few", 1.5), ("many", 0.75)]
    assert {one.level for one in fired} == {Level.ALERT}


def test_an_exact_interval_of_few_counts_is_wide_and_fires_nothing() -> None:
    groups = ["a"] * 12 + ["b"] * 12
    actions = np.zeros((24, 1))
    actions[:3] = 1
    actions[12:19] = 1

    found, _ = measures.observed_over_expected(groups, np.ones((24, 1)), actions, [1])

    low = found[0].ratio
    assert (round(low.value, 3), round(low.low, 3), round(low.high, 3)) == (0.6, 0.124, 1.753)
    assert triggers.of_expected(found) == []


def test_points_come_in_lumps_and_widen_the_interval() -> None:
    groups = ["a"] * 50 + ["b"] * 50
    actions = np.ones((100, 1))

    one, _ = measures.observed_over_expected(groups, np.ones((100, 1)) * 2, actions, [1])
    ten, _ = measures.observed_over_expected(groups, np.ones((100, 1)) * 2, actions, [10])

    assert (one[0].ratio.low, one[0].ratio.high) == pytest.approx((ten[0].ratio.low, ten[0].ratio.high))


def test_exactly_four_fifths_passes() -> None:
    assert not measures.below_four_fifths((40, 100), (50, 100))
    assert measures.below_four_fifths((39, 100), (50, 100))


def test_reach_under_four_fifths_warns_and_alarms_when_it_persists() -> None:
    reached = {"day": (900, 1000), "night": (400, 1000), "tiny": (0, 5)}

    first = triggers.of_reach(reached)
    second = triggers.of_reach(reached, before={"night"})

    assert [(one.group, one.level) for one in first] == [("night", Level.WARN)]
    assert [one.level for one in second] == [Level.ALERT]


def test_one_hidden_group_hides_a_second_so_that_it_cannot_be_reckoned() -> None:
    assert triggers.shown({"a": 30, "b": 12, "c": 4}) == {"a"}
    assert triggers.shown({"a": 30, "b": 5, "c": 4}) == {"a"}
    assert triggers.shown({"a": 30, "b": 12}) == {"a", "b"}


def test_few_who_have_all_fire_their_triggers_and_evenness_fires_none() -> None:
    few = np.array([0.0] * 50 + [1.0] * 40 + [100.0] * 10)
    groups = ["low"] * 90 + ["high"] * 10

    fired = {one.code for one in triggers.of_points(few, groups, before=few)}
    none = triggers.of_points(np.linspace(9, 10, 100), ["a", "b"] * 50)

    assert fired >= {"ZEROS", "TOP_TENTH", "GROUPS_DIFFER", "BETWEEN_GROUPS", "SAME_WINNERS"}
    assert none == []


def test_small_groups_that_differ_by_chance_fire_nothing() -> None:
    points = np.arange(1.0, 33.0) ** 2
    small = [f"g{nth // 4}" for nth in range(32)]

    assert not {one.code for one in triggers.of_points(points, small)} & {"GROUPS_DIFFER", "BETWEEN_GROUPS"}
    assert {one.code for one in triggers.of_points(points, ["low"] * 16 + ["high"] * 16)} >= {"GROUPS_DIFFER"}


def test_a_role_that_cannot_earn_is_seen_before_the_rules_are_published() -> None:
    best = measures.earnability({"clerk": {"order": (5, 12)}, "warehouse": {"count": (2, 10), "move": (1, 30)}})

    assert best == {"clerk": 60, "warehouse": 30}
    assert [(one.group, one.number) for one in triggers.of_earnability(best)] == [("warehouse", 0.5)]


def test_gini_has_an_interval_from_thirty_people_on() -> None:
    rng = np.random.default_rng(1)
    found = measures.gini_interval(rng.exponential(10, 200))

    assert found is not None
    assert found.low < 0.5 < found.high
    assert measures.gini_interval(np.ones(29)) is None


@given(st.lists(st.integers(0, 900), min_size=30, max_size=250).filter(any))
def test_the_curve_of_what_is_held_sags_and_never_tells_of_few(points: list[int]) -> None:
    curve = measures.lorenz(np.array(points, dtype=np.float64))

    assert curve is not None
    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == pytest.approx((1.0, 1.0))
    people = np.diff([one for one, _held in curve]) * len(points)
    slopes = np.diff([held for _one, held in curve]) / people
    assert people.min() >= 9.5, "a step of fewer would tell of single people"
    assert (np.diff(slopes) >= -1e-12).all(), "those who hold less come first"
    assert all(held <= one + 1e-12 for one, held in curve)


def test_the_curve_of_what_is_held_by_known_shares() -> None:
    alike = measures.lorenz(np.full(100, 7.0))
    assert alike is not None
    assert np.array(alike) == pytest.approx(np.linspace(0, 1, 11).repeat(2).reshape(11, 2))
    one_has_all = measures.lorenz(np.array([0.0] * 99 + [5.0]))
    assert one_has_all is not None
    assert [held for _people, held in one_has_all] == [0.0] * 10 + [1.0]
    assert measures.lorenz(np.ones(29)) is None
    assert measures.lorenz(np.zeros(50)) is None
