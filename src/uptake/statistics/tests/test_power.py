"""The power gate: what it foretells comes true, and it says so when a rollout cannot answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from uptake.statistics.imputation import Imputation
from uptake.statistics.power import best_rollout, design_effect, foretold_se, gate, noise_of, people_per_arm
from uptake.statistics.simulate import World, simulated

pytestmark = pytest.mark.once
WORLD = World(starts=(90,), waiting=0.5, effect=0.0)


def test_the_foretold_error_is_what_panels_really_have_and_errs_on_the_safe_side() -> None:
    values = [Imputation(simulated(WORLD, seed)[0]).average().estimate.value for seed in range(60)]

    foretold = [
        foretold_se(noise_of(simulated(WORLD, s)[0].between(0, 90)), units=60, waiting_share=0.5, before=90, after=90)
        for s in range(5)
    ]

    assert 0.85 < np.mean(foretold) / np.std(values) < 1.6


def test_a_rollout_that_finds_only_huge_effects_cannot_answer() -> None:
    panel = simulated(replace(WORLD, departments=8, noise=0.2), 1)[0].between(0, 90)

    found = gate(panel, 0.01, waiting_share=0.25, after=28)

    assert not found.can_answer
    assert found.detectable > 0.02
    assert found.needed is not None
    assert found.needed > 8
    assert set(found.remedies) >= {"holdout", "wait_longer", "more_departments", "adjust_for_before", "more_waiting"}


def test_a_rollout_large_enough_answers_and_the_placebo_agrees() -> None:
    panel = simulated(WORLD, 1)[0].between(0, 90)

    found = gate(panel, 0.02, waiting_share=0.4, after=90)

    assert found.can_answer
    assert found.placebo is not None
    assert 0.5 < found.placebo / found.detectable < 2.5


def test_the_best_split_leaves_many_waiting_and_its_arms_are_alike() -> None:
    panel = simulated(WORLD, 1)[0].between(0, 90)

    found = best_rollout(panel, 0.02, after=90, waves=3, most_waiting=0.4)

    everybody = [name for wave in found.waves for name in wave.units] + list(found.waiting)
    assert sorted(everybody) == sorted(panel.units)
    assert len(found.waiting) == 24
    assert [wave.after_days for wave in found.waves] == [0, 14, 28]
    level = dict(zip(panel.units, panel.outcome.mean(axis=1), strict=True))
    means = [np.mean([level[name] for name in names]) for names in (*(w.units for w in found.waves), found.waiting)]
    assert max(means) - min(means) < 0.05


def test_people_needed_are_those_of_statsmodels() -> None:
    oracle = pytest.importorskip("statsmodels.stats.power").TTestIndPower()

    for size in (0.1, 0.3, 0.8):
        assert people_per_arm(size, 1.0) == int(np.ceil(oracle.solve_power(effect_size=size, alpha=0.05, power=0.8)))


def test_four_hundred_people_in_departments_of_twenty_are_worth_fifty_two() -> None:
    assert design_effect(20, 0.35) == pytest.approx(7.65)
    assert int(400 / design_effect(20, 0.35)) == 52
