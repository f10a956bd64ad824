"""The other estimators against their oracles, and against what cannot be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from uptake.statistics.contrast import affected_against_unaffected, as_relative
from uptake.statistics.distributions import poisson_interval
from uptake.statistics.experiments import cuped, departments, lin, sample_ratio_p, welch
from uptake.statistics.multiplicity import benjamini_hochberg, holm
from uptake.statistics.permutation import permuted_arms
from uptake.statistics.series import interrupted
from uptake.statistics.synthetic import simplex_weights

pytestmark = pytest.mark.once


def test_welch_and_lin_equal_statsmodels_and_scipy() -> None:
    sm, stats = pytest.importorskip("statsmodels.api"), pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(4)
    before = rng.normal(5, 2, 80)
    arm = np.arange(80) % 3 == 0
    after = 0.7 * before + 0.5 * arm + rng.normal(0, 1 + arm, 80)

    plain, adjusted = welch(after[arm], after[~arm]), lin(after, arm, before)

    assert plain.p == pytest.approx(stats.ttest_ind(after[arm], after[~arm], equal_var=False).pvalue)
    x = before - before.mean()
    oracle = sm.OLS(after, np.column_stack([np.ones(80), arm, x, arm * x])).fit(cov_type="HC2")
    assert (adjusted.value, adjusted.se) == pytest.approx((oracle.params[1], oracle.bse[1]))
    reduced = cuped(after[arm], after[~arm], before[arm], before[~arm])
    assert reduced.se < plain.se
    assert reduced.value == pytest.approx(adjusted.value, abs=0.1)


def test_one_series_gives_the_step_beyond_its_trend_like_glsar() -> None:
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(7)
    noise = np.zeros(140)
    for now in range(1, 140):
        noise[now] = 0.6 * noise[now - 1] + rng.normal(0, 0.01)
    series = 0.3 + 0.001 * np.arange(140) + 0.05 * (np.arange(140) >= 90) + noise

    found = interrupted(series, 90)

    day = np.arange(140)
    design = np.column_stack([np.ones(140), day >= 90, day]).astype(float)
    oracle = sm.GLSAR(series, design, rho=1).iterative_fit(12)
    assert found.estimate.value == pytest.approx(oracle.params[1], abs=5e-4)
    assert found.estimate.se == pytest.approx(oracle.bse[1], rel=0.05)
    assert found.estimate.low < 0.05 < found.estimate.high
    assert 0.3 < found.rho < 0.9


def test_departments_are_compared_as_departments() -> None:
    arm = np.array([True] * 6 + [False] * 6)
    before = np.linspace(0.2, 0.6, 12)[[0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]]

    found = departments(before + 0.1 * arm, arm, before)

    assert found.value == pytest.approx(0.1)
    assert found.df == 9


@pytest.mark.parametrize(
    ("counts", "low", "high"), [((500, 500), 1, 1), ((560, 440), 0, 0.001), ((530, 470), 0.05, 0.1)]
)
def test_arms_of_another_size_than_drawn_are_noticed(counts: tuple[int, int], low: float, high: float) -> None:
    assert low <= sample_ratio_p(counts, (1, 1)) <= high


def test_all_choices_are_tried_where_they_are_few() -> None:
    values = np.array([1.0, 2, 3, 10, 11, 12])
    arm = values > 5

    found = permuted_arms(lambda one: float(values[one].mean() - values[~one].mean()), arm)

    assert found.exhaustive
    assert (found.p, found.floor) == (2 / 20, 1 / 20)


def test_the_mix_is_found_where_there_is_one() -> None:
    rng = np.random.default_rng(3)
    donors = rng.normal(0, 1, (40, 6))
    weights = np.array([0.5, 0.3, 0.2, 0, 0, 0])

    assert simplex_weights(donors, donors @ weights + 4, 0) == pytest.approx(weights, abs=1e-4)


def test_what_moves_both_actions_falls_out() -> None:
    rng = np.random.default_rng(5)
    common = np.exp(np.linspace(0, 0.5, 80))
    unit = rng.uniform(5, 20, (9, 1))
    paid = rng.poisson(unit * common * np.where(np.arange(80) >= 40, 1.3, 1))
    unpaid = rng.poisson(2 * unit * common)

    found = affected_against_unaffected(paid.astype(float), unpaid.astype(float), 40)
    told = as_relative(found)

    assert told is not None
    assert told.low < 0.3 < told.high
    assert told.low > 0.15


def test_exact_interval_of_a_count() -> None:
    assert poisson_interval(0) == pytest.approx((0, 3.6889), abs=1e-4)
    assert poisson_interval(10) == pytest.approx((4.7954, 18.3904), abs=1e-4)


def test_many_questions_raise_p() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert math.isclose(float(holm([0.9, 0.9])[0]), 1.0)
