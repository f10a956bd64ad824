"""Behaviour beside the work behind it: changes place by place, and nobody of a small group."""

from __future__ import annotations

import numpy as np
import pytest

from uptake.insight.impact.side_by_side import side_by_side
from uptake.statistics.distributions import Floats
from uptake.statistics.panel import Panel

pytestmark = pytest.mark.once
DAYS, START = 20, 10


def panel(heads: list[int], began: list[bool], before: float, after: list[float], company: str = "abcdef") -> Panel:
    outcome: Floats = np.full((len(heads), DAYS), before)
    outcome[:, START:] = np.array(after)[:, None]
    return Panel(
        units=tuple(f"d{at}" for at in range(len(heads))),
        days=np.datetime64("2026-01-01") + np.arange(DAYS),
        outcome=outcome,
        headcount=np.repeat(np.array(heads, dtype=np.float64)[:, None], DAYS, axis=1),
        adopted=np.array([START if one else DAYS for one in began]),
        company=tuple(company[: len(heads)]),
    )


def test_changes_are_told_of_large_departments_and_small_ones_are_put_together() -> None:
    heads, began = [12, 6, 6, 20, 3], [True, True, True, False, False]
    behaviour = panel(heads, began, 0.4, [0.6, 0.5, 0.7, 0.4, 0.9], "xyyxz")
    outcome = panel(heads, began, 30.0, [33.0, 30.0, 32.0, 30.0, 90.0], "xyyxz")

    found = {tuple(one["units"]): one for one in side_by_side(behaviour, outcome)}

    assert set(found) == {("d0",), ("d1", "d2"), ("d3",)}
    assert (found[("d0",)]["behaviour"], found[("d0",)]["outcome"]) == pytest.approx((0.2, 3.0))
    assert (found[("d1", "d2")]["behaviour"], found[("d1", "d2")]["outcome"]) == pytest.approx((0.2, 1.0))
    assert (found[("d1", "d2")]["people"], found[("d3",)]["began"]) == (12, False)
    assert found[("d3",)]["behaviour"] == pytest.approx(0.0)


def test_what_is_not_known_before_and_after_is_left_out() -> None:
    behaviour = panel([12, 12], [True, False], 0.4, [0.6, 0.4])
    known = panel([12, 12], [True, False], 1.0, [2.0, 1.0])
    unknown = known.blank(np.arange(DAYS)[None, :] < np.array([[START], [0]]))

    assert len(side_by_side(behaviour, known)) == 2
    assert [one["units"] for one in side_by_side(behaviour, unknown)] == [["d1"]]
