"""The staggered estimator: exact where there is no noise, and its jackknife is what leaving out really gives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.statistics.estimate import jackknifed
from uptake.statistics.group_time import group_time_average
from uptake.statistics.imputation import Imputation, quick_effect
from uptake.statistics.panel import Panel, panel_of
from uptake.statistics.simulate import World, simulated
from uptake.statistics.two_way import slope

pytestmark = pytest.mark.once
SMALL = World(departments=12, days=60, starts=(30, 36), waiting=0.34)


def exact(effect: float, waiting: int = 4) -> Panel:
    """Units and days that add up without noise; half begin at 10, some at 14, `waiting` never."""
    units, days = 10, 24
    levels = np.linspace(0.2, 0.5, units)[:, None] + np.sin(np.arange(days))[None, :] / 20
    adopted = np.full(units, days)
    adopted[waiting:] = 10
    adopted[8:] = 14
    begun = np.arange(days)[None, :] >= adopted[:, None]
    return Panel(
        units=tuple(f"D{index}" for index in range(units)),
        days=np.arange(np.datetime64("2026-03-02"), np.datetime64("2026-03-02") + days),
        outcome=levels + effect * begun,
        headcount=np.ones((units, days)),
        adopted=adopted.astype(np.int64),
    )


def test_without_noise_the_effect_is_found_exactly_with_no_error() -> None:
    effect = Imputation(exact(0.05)).average()

    assert effect.estimate.value == pytest.approx(0.05)
    assert effect.estimate.se == pytest.approx(0, abs=1e-12)
    assert effect.seen - effect.counterfactual == pytest.approx(0.05)
    assert group_time_average(exact(0.05)).value == pytest.approx(0.05)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), missing=st.sampled_from([0.0, 0.1, 0.4]), weighted=st.booleans())
def test_each_leave_one_out_value_is_what_the_panel_without_that_unit_gives(
    seed: int, missing: float, weighted: bool
) -> None:
    panel, _ = simulated(replace(SMALL, missing=missing), seed)

    effect = Imputation(panel).average(panel.headcount if weighted else None)

    for row, without in zip(effect.rows, effect.without, strict=True):
        rest = panel.keep(np.arange(len(panel.units)) != row)
        again = Imputation(rest).average(rest.headcount if weighted else None)
        assert without == pytest.approx(again.estimate.value, abs=1e-9)


def test_days_on_which_nobody_waits_are_left_out_and_counted() -> None:
    panel = exact(0.05, waiting=0)

    fit = Imputation(panel)

    assert fit.lost_days == 10
    assert fit.average().estimate.value == pytest.approx(0.05)


def test_a_value_that_hangs_on_one_unit_has_no_interval() -> None:
    alone = exact(0.0).beginning(np.where(np.arange(10) == 0, 10, 24).astype(np.int64))
    alone = replace(alone, outcome=alone.outcome + 0.05 * alone.under)

    effect = Imputation(alone).average().estimate

    assert effect.value == pytest.approx(0.05)
    assert not effect.usable
    assert effect.interval() == (-math.inf, math.inf)


def test_average_person_and_average_department_differ_where_large_ones_move_more() -> None:
    panel = exact(0.0)
    heads = np.where(np.arange(10) >= 8, 90.0, 10.0)[:, None] * np.ones((1, 24))
    grown = panel.outcome + np.where(np.arange(10) >= 8, 0.10, 0.02)[:, None] * panel.under
    moved = Panel(panel.units, panel.days, grown, heads, panel.adopted)

    fit = Imputation(moved)

    assert fit.average().estimate.value < fit.average(moved.headcount).estimate.value


def test_the_slope_before_the_start_is_found_and_left_out_one_by_one() -> None:
    panel = exact(0.0)
    regressor = panel.ever[:, None].astype(np.float64) * np.arange(24)[None, :]

    value, without, rows = slope(regressor, panel.outcome + 0.003 * regressor, panel.known & ~panel.under)

    assert value == pytest.approx(0.003)
    assert jackknifed(value, without).se == pytest.approx(0, abs=1e-12)
    assert len(rows) == 10


def test_the_quick_effect_is_the_same_number() -> None:
    panel, _ = simulated(SMALL, 5)

    assert quick_effect(panel) == pytest.approx(Imputation(panel).average().estimate.value)


def test_a_week_in_which_a_unit_began_is_left_out_for_that_unit() -> None:
    panel = exact(0.05)  # begins on Monday 2 March; day 10 is a Thursday
    weeks = panel.weekly()

    assert Imputation(weeks).average().estimate.value == pytest.approx(0.05)
    assert np.isnan(weeks.outcome[5, 1])
    assert np.isfinite(weeks.outcome[0]).all()


def test_a_panel_is_made_of_rows_of_columns_frames_or_arrow() -> None:
    pa, pd = pytest.importorskip("pyarrow"), pytest.importorskip("pandas")
    rows = {
        "unit": ["a", "a", "b"],
        "day": np.array(["2026-03-02", "2026-03-04", "2026-03-03"], dtype="datetime64[D]"),
        "numerator": [1, 2, 3],
        "denominator": [4, 4, 6],
    }

    shas = {panel_of(table, {}).sha() for table in (rows, pd.DataFrame(rows), pa.table(rows))}

    assert len(shas) == 1
    panel = panel_of(rows, {})
    np.testing.assert_allclose(panel.outcome, [[0.25, np.nan, 0.5], [np.nan, 0.5, np.nan]])
    assert not panel.ever.any()
