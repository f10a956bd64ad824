"""Months since the beginning: an effect that fades, one that lasts, and one that is too young to say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np

from uptake.statistics.evaluate import evaluate
from uptake.statistics.lasting import Span, spans
from uptake.statistics.lint import linted
from uptake.statistics.plan import Kind, Plan
from uptake.statistics.result import Result
from uptake.statistics.simulate import World, simulated
from uptake.statistics.wording import LASTS, TOO_EARLY, WEARS, lasting_sentence

LONG = World(departments=60, days=220, starts=(90, 104), effect=0.10, spread_of_effect=0.01)
PLAN = Plan(metric="sign-in", kind=Kind.RATE, smallest=0.02, until=date(2026, 7, 1))


def found(world: World, seed: int = 5) -> dict[str, Span]:
    return {one.name: one for one in spans(simulated(world, seed)[0])}


def test_a_lasting_effect_is_held_by_every_months_interval_and_nothing_is_there_before() -> None:
    rows = found(LONG)

    assert list(rows) == ["before", "month_1", "month_2", "month_3", "after"]
    assert all(one.enough for one in rows.values())
    assert abs(rows["before"].estimate.value) < 0.01
    for name in ("month_1", "month_2", "month_3", "after"):
        assert abs(rows[name].estimate.value - 0.10) < 0.02
        assert rows[name].estimate.low > 0.05


def test_a_fading_effect_falls_from_month_to_month_as_it_was_planted() -> None:
    rows = found(replace(LONG, fades=1.0))

    # What is left falls evenly to nothing over 56 days: 3/4 of it in the first 28 days, 1/4 in the next, then none.
    for name, left in (("month_1", 0.76), ("month_2", 0.26), ("month_3", 0.0), ("after", 0.0)):
        assert abs(rows[name].estimate.value - 0.10 * left) < 0.015, name
    assert rows["month_1"].estimate.low > rows["month_2"].estimate.high


def test_a_span_with_few_days_or_one_department_says_nothing() -> None:
    rows = found(replace(LONG, days=90 + 28 + 9, starts=(90,)))

    assert (rows["month_1"].days, rows["month_1"].enough) == (28, True)
    assert (rows["month_2"].days, rows["month_2"].enough) == (9, False)
    assert np.isnan(rows["month_2"].estimate.value)
    assert (rows["after"].days, rows["after"].units) == (0, 0)
    panel = simulated(LONG, 5)[0]
    begun = np.flatnonzero(panel.ever)
    alone = panel.keep(~panel.ever | (np.arange(len(panel.units)) == begun[0]))
    assert not any(one.enough for one in spans(alone))


def test_the_sentence_says_which_and_breaks_no_rule_of_words() -> None:
    faded, lasted, young = (told(world) for world in (replace(LONG, fades=0.8), LONG, replace(LONG, days=150)))

    for result, pattern in ((faded, WEARS[Kind.RATE]), (lasted, LASTS[Kind.RATE]), (young, TOO_EARLY)):
        sentence = lasting_sentence(result)
        assert sentence is not None
        assert sentence.pattern == pattern
        assert linted(sentence.said(), grade=result.grade) == ()
    assert told(LONG).to_json() == lasted.to_json()


def told(world: World) -> Result:
    return evaluate(simulated(world, 5)[0], PLAN, draws=19)
