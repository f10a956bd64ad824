"""Detectors find what was planted, and leave honest people alone however much they do."""

from __future__ import annotations

import numpy as np
import pytest

from uptake.statistics.gaming.deeds import Deeds, What
from uptake.statistics.gaming.detectors import bunches, divergence, duplicates, loops, signs, silent
from uptake.statistics.gaming.rings import approval_loops, rings
from uptake.statistics.gaming.simulate import simulated_people, simulated_rings

pytestmark = pytest.mark.once


def test_planted_gamers_are_found_by_the_detector_meant_for_them_and_honest_people_are_not() -> None:
    world = simulated_people(11, people=120, gamers=15)

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
    shift = np.tile([8.0, 18.0], (people, 1))
    return Deeds(columns[0], table[1].astype(float), columns[1], columns[2], columns[3], ("clerk",) * people, shift)


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


def test_days_that_stop_just_at_a_threshold_bunch() -> None:
    rng = np.random.default_rng(1)
    honest = {one: rng.poisson(20, 60) for one in range(20)}

    assert bunches(honest, 20, 4) == []
    assert [one.person for one in bunches(honest | {20: np.array([20, 21] * 25 + [18] * 5)}, 20, 4)] == [20]


def test_points_that_rise_without_the_work_behind_them_diverge() -> None:
    rng = np.random.default_rng(2)
    before, work = rng.uniform(90, 110, 40), rng.uniform(45, 55, 40)
    after = before * rng.uniform(0.95, 1.05, 40)
    after[7] *= 2

    found = divergence((before, after), (work, work), ("clerk",) * 40)

    assert [one.person for one in found] == [7]


def test_who_approves_whom_one_gets_from_is_told() -> None:
    assert approval_loops({(1, 2): 3, (3, 4): 1, (5, 5): 1}, {(2, 1): 1}) == ((1, 2), (5, 5))


@pytest.mark.parametrize(("confirmed", "reviewed", "quiet"), [(6, 9, False), (6, 10, True), (7, 10, False)])
def test_a_detector_that_is_wrong_too_often_falls_silent(confirmed: int, reviewed: int, quiet: bool) -> None:
    assert silent(confirmed, reviewed) is quiet
