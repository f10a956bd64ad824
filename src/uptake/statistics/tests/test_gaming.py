"""Detectors find what was planted, and leave honest people alone however much they do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from uptake.statistics.gaming.deeds import Deeds, What, scheduled_hours, usual_hours
from uptake.statistics.gaming.detectors import bunches, divergence, duplicates, loops, off_hours, signs, silent
from uptake.statistics.gaming.rings import approval_loops, rings, self_approvals
from uptake.statistics.gaming.simulate import simulated_amounts, simulated_people, simulated_rings, simulated_windows

pytestmark = pytest.mark.once


def test_planted_gamers_are_found_by_the_detector_meant_for_them_and_honest_people_are_not() -> None:
    world = simulated_people(11, people=120, gamers=18)

    found = signs(world.deeds)

    assert {one.person for one in found} >= set(world.gamers)
    assert {(one.person, one.detector) for one in found} >= set(world.gamers.items())
    assert not {one.person for one in found} & (world.top | world.night)
    assert len({one.person for one in found} - set(world.gamers)) <= 1


def test_rings_are_found_whole_and_nobody_else() -> None:
    given, department, planted = simulated_rings(2)

    assert {frozenset(one.people) for one in rings(given, department)} == set(planted)
    assert rings(simulated_rings(3, extra=0)[0], department) == ()


def deeds(rows: list[tuple[int, float, What, int, int]]) -> Deeds:
    table = [np.array(column) for column in zip(*rows, strict=True)]
    people = max(row[0] for row in rows) + 1
    columns = [table[index].astype(np.int64) for index in (0, 2, 3, 4)]
    usual = scheduled_hours(np.tile([8.0, 18.0], (people, 1)))
    return Deeds(columns[0], table[1].astype(float), columns[1], columns[2], columns[3], ("clerk",) * people, usual)


@pytest.mark.parametrize(("minutes", "found"), [(10, True), (45, False)])
def test_only_quick_cancellation_is_a_loop(minutes: int, found: bool) -> None:
    """Six people make 100 orders each; one cancels 20 of them."""
    rows: list[tuple[int, float, What, int, int]] = []
    for person in range(6):
        for index in range(100):
            at = index * 7200.0
            rows.append((person, at, What.CREATE, person * 1000 + index, index))
            if person == 0 and index < 20:
                rows.append((person, at + minutes * 60, What.CANCEL, index, -1))

    assert [one.person for one in loops(deeds(rows))] == ([0] if found else [])


def test_the_same_again_within_a_day_is_a_duplicate() -> None:
    rows = [
        (p, i * 3600.0, What.CREATE, p * 100 + i, 7 if p == 2 and i < 8 else p * 100 + i)
        for p in range(6)
        for i in range(40)
    ]

    assert [(one.person, one.numbers["again"]) for one in duplicates(deeds(rows))] == [(2, 7)]


def test_amounts_just_at_a_threshold_bunch_unless_everybody_of_the_role_has_them() -> None:
    world = simulated_amounts(1, people=60, padders=3)

    found = {one.person for one in bunches(world.values, world.threshold, 2, world.role)}

    assert found == world.padders
    assert world.boxes


@pytest.mark.parametrize(
    ("above", "below", "is_sign"), [(40, 0, True), (40, 15, True), (40, 25, False), (19, 0, False)]
)
def test_bunching_needs_twenty_near_the_threshold_and_twice_as_many_at_it(
    above: int, below: int, is_sign: bool
) -> None:
    plain = {one: np.repeat([7, 8, 9, 10, 11, 12, 13], 10) for one in range(8)}

    found = bunches(plain | {8: np.array([10] * above + [9] * below)}, 10, 2, None)

    assert [one.person for one in found] == ([8] if is_sign else [])


@pytest.mark.parametrize(("bunched", "found"), [(False, [0]), (True, [])])
def test_among_few_people_bunching_is_held_against_all_others_together(bunched: bool, found: list[int]) -> None:
    one = np.array([10] * 30 + [9] * 3)
    others = {who: np.array([10, 11, 10, 10, 10] if bunched else [10, 11, 9, 9, 8]) for who in (1, 2, 3)}

    assert [sign.person for sign in bunches({0: one} | others, 10, 2, None)] == found


def test_points_that_rise_without_the_work_behind_them_diverge_and_those_that_rise_with_it_do_not() -> None:
    world = simulated_windows(3, people=90, hollow=4, risers=6)

    found = divergence(world.points, world.work, world.role)

    assert {one.person for one in found} == world.hollow
    assert world.risers
    few = np.full(90, 9.0)
    assert divergence(world.points, world.work, world.role, (few, few)) == []


def test_odd_hours_are_odd_against_what_the_role_does_and_another_shift_is_no_sign() -> None:
    """Twelve people by day; one of them also ten nights, one on a single one; one wholly at night."""
    rows: list[tuple[int, float, What, int, int]] = []
    for person in range(12):
        for day in range(20):
            hours = [23.0 + turn / 10 for turn in range(6)] if person == 11 else [8.5 + 0.9 * turn for turn in range(9)]
            hours += [22.5, 23.5] if person == 4 and day % 2 else []
            hours += [22 + turn / 12 for turn in range(24)] if person == 5 and day == 3 else []
            rows += [(person, day * 86400.0 + hour * 3600, What.WORK, -1, -1) for hour in hours]
    made = deeds(rows)
    made = replace(made, usual=usual_hours(made))

    assert [(one.person, one.numbers["outside"]) for one in off_hours(made)] == [(4, 20)]


def test_who_approves_whom_one_gets_from_again_and_again_is_told() -> None:
    assert approval_loops({(1, 2): 3, (3, 4): 1, (5, 6): 1}, {(2, 1): 2, (4, 3): 1}) == ((1, 2),)


@pytest.mark.parametrize(("others", "found"), [(0, [7]), (9, [])])
def test_approving_ones_own_is_told_where_others_do_not(others: int, found: list[int]) -> None:
    own, approved = np.full(8, others), np.full(8, 10)
    own[7] = 9

    assert [one.person for one in self_approvals(own, approved, ("buyer",) * 8)] == found


@pytest.mark.parametrize(("confirmed", "reviewed", "quiet"), [(6, 9, False), (6, 10, True), (7, 10, False)])
def test_a_detector_that_is_wrong_too_often_falls_silent(confirmed: int, reviewed: int, quiet: bool) -> None:
    assert silent(confirmed, reviewed) is quiet
