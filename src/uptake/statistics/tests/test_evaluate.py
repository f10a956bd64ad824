"""From a panel and a plan to a verdict: the design that fits, the checks that stop, the bytes that stay the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from uptake.statistics.checks.robustness import placebo_unit
from uptake.statistics.estimate import Estimate, Relative
from uptake.statistics.evaluate import evaluate
from uptake.statistics.panel import Panel
from uptake.statistics.plan import Assignment, Drawn, Headcount, Incident, Kind, Plan, Survey
from uptake.statistics.result import Check, Design, Grade, Light, Result, Verdict
from uptake.statistics.simulate import World, simulated
from uptake.statistics.verdict import Guardrail, Overall, always_valid, guardrail, judged, programme_verdict
from uptake.statistics.wording import sentences

pytestmark = pytest.mark.once
PLAN = Plan("daily sign-in", Kind.RATE, 0.02)
ROLLOUT = World()
TOGETHER = replace(ROLLOUT, starts=(100,), waiting=0.5)


def told(world: World = ROLLOUT, plan: Plan = PLAN, seed: int = 3, **more: Any) -> Result:
    return evaluate(simulated(world, seed)[0], plan, draws=more.pop("draws", 19), **more)


def test_a_planted_effect_is_found_with_grade_b_and_the_plain_difference_is_about_twice_it() -> None:
    panel, truth = simulated(ROLLOUT, 3)

    result = evaluate(panel, PLAN, draws=99)

    assert (result.design, result.grade, result.verdict) == (Design.STAGGERED, Grade.B, Verdict.INCREASE)
    assert result.estimate is not None
    assert result.estimate.low < truth < result.estimate.high
    assert result.naive is not None
    assert result.naive > 1.5 * truth
    assert (result.n_units, result.n_treated, result.n_starts) == (60, 45, 3)
    assert result.p == pytest.approx(0.01)  # never below what 99 draws can tell


def test_nothing_planted_is_nothing_found() -> None:
    result = told(replace(ROLLOUT, effect=0.0))

    assert result.verdict is Verdict.NO_MEANINGFUL_CHANGE


def test_the_same_input_gives_the_same_bytes_and_another_input_others() -> None:
    first, again, other = told(), told(), told(plan=replace(PLAN, smallest=0.03))

    assert first.to_json() == again.to_json()
    assert first.registration_hash != other.registration_hash
    assert first.data_sha == other.data_sha


CHOICES: dict[str, tuple[World, Plan, Design, Grade]] = {
    "people by lot": (
        replace(TOGETHER, departments=80), replace(PLAN, assignment=Assignment.RANDOM, drawn=Drawn.PERSON),
        Design.PEOPLE_DRAWN, Grade.A,
    ),
    "departments by lot": (
        replace(TOGETHER, departments=12), replace(PLAN, assignment=Assignment.RANDOM, drawn=Drawn.DEPARTMENT),
        Design.DEPARTMENTS_DRAWN, Grade.A,
    ),
    "one after the other": (ROLLOUT, PLAN, Design.STAGGERED, Grade.B),
    "three of twelve": (
        replace(TOGETHER, departments=12, waiting=0.75), PLAN, Design.FEW_TREATED, Grade.B_MINUS,
    ),
    "one of thirty": (
        replace(TOGETHER, departments=30, waiting=29 / 30, starts=(110,)), PLAN, Design.SYNTHETIC, Grade.B_MINUS,
    ),
    "one of ten": (replace(TOGETHER, departments=10, waiting=0.9), PLAN, Design.ONE_TREATED, Grade.NONE),
    "all on one day": (replace(TOGETHER, waiting=0.0), PLAN, Design.INTERRUPTED, Grade.C),
    "all too soon": (replace(TOGETHER, waiting=0.0, starts=(30,)), PLAN, Design.DESCRIPTION, Grade.D),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOICES)
def test_the_first_design_that_fits_is_taken(case: str) -> None:
    world, plan, design, grade = CHOICES[case]

    result = told(world, plan)

    assert (result.design, result.grade) == (design, grade)


def test_a_rule_changed_everywhere_is_held_against_an_action_it_does_not_pay() -> None:
    panel, _ = simulated(replace(TOGETHER, waiting=0.0), 4)

    result = evaluate(panel, PLAN, unaffected=simulated(replace(TOGETHER, effect=0.0, waiting=0.0), 4)[0], draws=19)

    assert result.design is Design.ACTION_CONTRAST
    assert result.relative is not None


def _selected(panel: Panel) -> Panel:
    """Begun units had just done badly, by chance, for two weeks."""
    dip = (panel.since >= -14) & (panel.since < 0) & panel.ever[:, None]
    return replace(panel, outcome=panel.outcome - 0.06 * dip)


def _broken(panel: Panel) -> Panel:
    return replace(panel, outcome=panel.outcome + 0.5 * (np.arange(panel.never) >= 140)[None, :])


def _missing(panel: Panel) -> Panel:
    return replace(panel, headcount=np.where(panel.headcount > 30, 0.0, panel.headcount))


STOPS: dict[str, tuple[World, Plan, Any]] = {
    "NO_CONTROL": (replace(TOGETHER, waiting=0.0, starts=(30,)), PLAN, None),
    "TOO_FEW_UNITS": (replace(TOGETHER, departments=2, waiting=0.5), PLAN, None),
    "ONE_TREATED": (replace(TOGETHER, departments=10, waiting=0.9), PLAN, None),
    "TOO_SHORT": (replace(ROLLOUT, starts=(160,)), PLAN, None),
    "PRETREND": (replace(ROLLOUT, drift=0.2), PLAN, None),
    "PLACEBO_TIME": (replace(ROLLOUT, drift=0.6), PLAN, None),
    "SELECTED_ON_OUTCOME": (replace(ROLLOUT, effect=0.0), PLAN, _selected),
    "COINCIDENT_EVENT": (
        replace(TOGETHER, waiting=0.0),
        replace(PLAN, incidents=(Incident(date(2026, 4, 20), "release 7.2"),)), None,
    ),
    "METRIC_BREAK": (ROLLOUT, PLAN, _broken),
    "SRM": (
        replace(TOGETHER, departments=200, waiting=0.65),
        replace(PLAN, assignment=Assignment.RANDOM, drawn=Drawn.DEPARTMENT), None,
    ),
    "DENOMINATOR": (ROLLOUT, replace(PLAN, headcount=Headcount.SEEN), None),
}  # fmt: skip


@pytest.mark.parametrize("code", STOPS)
def test_what_the_data_cannot_bear_is_refused_with_its_code(code: str) -> None:
    world, plan, spoil = STOPS[code]
    panel, _ = simulated(world, 3)

    result = evaluate(panel if spoil is None else spoil(panel), plan, draws=19)

    found = result.check(code)
    assert found is not None
    assert found.light is Light.STOP
    assert result.verdict in (Verdict.CANNOT_TELL, Verdict.DESCRIPTION)


def _left(panel: Panel) -> Panel:
    """Half of those that began leave in the last month."""
    gone = panel.ever[:, None] & (np.arange(panel.never) >= 150)[None, :]
    return replace(panel, headcount=np.where(gone, panel.headcount / 2, panel.headcount))


def _clerks(panel: Panel) -> Panel:
    """Only clerks do more."""
    role = np.array(["clerk" if row % 2 else "buyer" for row in range(len(panel.units))])
    more = 0.1 * ((role == "clerk")[:, None] & panel.under)
    return replace(panel, outcome=panel.outcome + more, role=tuple(role))


SMALL = replace(ROLLOUT, starts=(90,), waiting=0.5)
WARNS: dict[str, tuple[World, Plan, Any, int]] = {
    "TOO_FEW_UNITS": (replace(TOGETHER, departments=12, waiting=0.75), PLAN, None, 3),
    "PRETREND_SIZE": (replace(ROLLOUT, departments=10, noise=0.2), replace(PLAN, smallest=0.005), None, 3),
    "HONEST": (replace(SMALL, departments=12, effect=0.012, spread_of_effect=0.0), PLAN, None, 3),
    "ATTRITION": (ROLLOUT, PLAN, _left, 3),
    "LEAVE_ONE_OUT": (replace(SMALL, departments=8, effect=0.02, spread_of_effect=0.06), PLAN, None, 5),
    "HETEROGENEITY": (ROLLOUT, PLAN, _clerks, 3),
    "UNDERPOWERED": (replace(ROLLOUT, departments=10, noise=0.2), replace(PLAN, smallest=0.005), None, 3),
    "SURVEY_RESPONSE": (ROLLOUT, replace(PLAN, survey=Survey(100, 40, True)), None, 3),
}  # fmt: skip


@pytest.mark.parametrize("code", WARNS)
def test_what_asks_for_care_warns_with_its_number(code: str) -> None:
    world, plan, spoil, seed = WARNS[code]
    panel, _ = simulated(world, seed)

    found = evaluate(panel if spoil is None else spoil(panel), plan, draws=19).check(code)

    assert found is not None
    assert found.light is Light.WARN
    assert found.number is not None


def test_a_sound_rollout_passes_every_check() -> None:
    result = told(plan=replace(PLAN, survey=Survey(100, 60, True)))

    passed = {check.code for check in result.checks}
    assert {check.light for check in result.checks} == {Light.PASS}
    assert passed >= {
        "NO_CONTROL", "TOO_FEW_UNITS", "TOO_SHORT", "PRETREND", "PRETREND_SIZE", "PLACEBO_TIME", "PLACEBO_UNIT",
        "HONEST", "SELECTED_ON_OUTCOME", "COINCIDENT_EVENT", "METRIC_BREAK", "SPILLOVER", "ATTRITION",
        "NOVELTY_DECAY", "LEAVE_ONE_OUT", "HETEROGENEITY", "DENOMINATOR", "SURVEY_RESPONSE",
    }  # fmt: skip
    many = told(replace(TOGETHER, departments=30, waiting=29 / 30, starts=(110,)))
    alone = many.check("ONE_TREATED")
    drawn = told(
        replace(TOGETHER, departments=80), replace(PLAN, assignment=Assignment.RANDOM, drawn=Drawn.PERSON)
    ).check("SRM")
    assert alone is not None
    assert drawn is not None
    assert (alone.light, drawn.light) == (Light.PASS, Light.PASS)


def test_chance_that_gives_as_much_warns_beside_an_interval_without_0() -> None:
    panel, _ = simulated(replace(ROLLOUT, effect=0.0), 3)

    sure, _draws = placebo_unit(panel, Estimate(0.02, 0.001, 59), 39)
    open_, _draws = placebo_unit(panel, Estimate(0.02, 0.1, 59), 39)

    assert (sure.light, open_.light) == (Light.WARN, Light.PASS)
    assert sure.number is not None
    assert sure.number > 0.10


@pytest.mark.parametrize("survey", [Survey(100, 49, True), Survey(100, 90, False), Survey(0, 0, True)])
def test_a_survey_of_few_or_of_others_is_described_and_no_more(survey: Survey) -> None:
    result = told(plan=replace(PLAN, survey=survey))

    assert (result.design, result.grade, result.verdict) == (Design.DESCRIPTION, Grade.D, Verdict.DESCRIPTION)
    assert result.estimate is None
    text = " ".join(one.said() for one in sentences(result))
    assert "Fewer than half answered, or other people than before." in text
    assert "The plain before/after figure" in text


def test_single_people_are_compared_by_the_lot_or_not_at_all() -> None:
    by_lot = replace(PLAN, assignment=Assignment.RANDOM, drawn=Drawn.PERSON)

    few = told(replace(TOGETHER, departments=40), by_lot)
    uneven = told(replace(TOGETHER, departments=200, waiting=0.65), by_lot)

    assert (few.design, few.verdict) == (Design.DESCRIPTION, Verdict.DESCRIPTION)
    assert (uneven.design, uneven.verdict) == (Design.DESCRIPTION, Verdict.CANNOT_TELL)
    assert "SRM" in uneven.codes


def test_no_headcount_where_it_is_needed_stops() -> None:
    result = evaluate(_missing(simulated(ROLLOUT, 3)[0]), PLAN, draws=19)

    assert "DENOMINATOR" in [check.code for check in result.stops]


def test_those_chosen_for_a_bad_fortnight_only_come_back() -> None:
    panel = _selected(simulated(replace(ROLLOUT, effect=0.0), 3)[0])

    check = evaluate(panel, PLAN, draws=19).check("SELECTED_ON_OUTCOME")

    assert check is not None
    assert check.facts["low"] < 0 < check.facts["high"]


def test_an_incident_that_touched_one_arm_only_stops_and_one_that_touched_all_does_not() -> None:
    panel, _ = simulated(replace(ROLLOUT, companies=4), 3)
    apart = replace(panel, company=tuple("Beiyuan" if one else "Qinghe" for one in panel.ever))
    everywhere = replace(PLAN, incidents=(Incident(date(2026, 4, 7), "holiday"),))
    somewhere = replace(PLAN, incidents=(Incident(date(2026, 4, 7), "bonus", company="Beiyuan"),))

    lights = [evaluate(apart, plan, draws=5).check("COINCIDENT_EVENT") for plan in (everywhere, somewhere)]

    assert [one and one.light for one in lights] == [Light.PASS, Light.STOP]


def test_an_effect_that_fades_makes_the_last_weeks_the_headline() -> None:
    result = told(replace(ROLLOUT, fades=0.8, starts=(80, 90)))

    assert "NOVELTY_DECAY" in result.codes
    assert result.headline == "late_window"


def test_what_spilled_over_leaves_only_untouched_companies_as_controls() -> None:
    panel, _ = simulated(replace(ROLLOUT, companies=6, waiting=0.5, starts=(90,)), 4)
    company = [f"C{row % 3}" if begun or row % 2 else "far" for row, begun in enumerate(panel.ever)]
    near = np.array([name != "far" for name in company]) & ~panel.ever
    spilled = panel.outcome + 0.05 * near[:, None] * (np.arange(panel.never) >= 90)[None, :]

    result = evaluate(replace(panel, company=tuple(company), outcome=spilled), PLAN, draws=19)

    assert "SPILLOVER" in result.codes
    assert (result.headline, result.steps) == ("clean_controls", 1)


def test_read_before_the_end_it_is_interim_and_its_interval_is_wider() -> None:
    result = told(plan=replace(PLAN, until=date(2026, 8, 1)), read_on=date(2026, 7, 4))

    assert result.verdict is Verdict.INTERIM
    assert result.estimate is not None
    assert result.always_valid is not None
    assert result.always_valid[0] < result.estimate.low
    assert "PEEKING" in result.codes


JUDGED = [
    ((0.030, 0.004), Grade.B, Verdict.INCREASE, True),
    ((0.015, 0.004), Grade.B, Verdict.INCREASE, False),
    ((-0.030, 0.004), Grade.B, Verdict.DECREASE, True),
    ((0.002, 0.004), Grade.B, Verdict.NO_MEANINGFUL_CHANGE, False),
    ((0.015, 0.010), Grade.B, Verdict.CANNOT_TELL, False),
    ((0.030, 0.004), Grade.D, Verdict.DESCRIPTION, False),
    ((0.030, 0.004), Grade.NONE, Verdict.CANNOT_TELL, False),
]


@pytest.mark.parametrize(("found", "grade", "verdict", "matters"), JUDGED)
def test_the_verdict_follows_the_interval(
    found: tuple[float, float], grade: Grade, verdict: Verdict, matters: bool
) -> None:
    assert judged(Estimate(*found, 59), [], grade, 0.02) == (verdict, matters)
    assert judged(Estimate(*found, 59), [Check("PRETREND", Light.STOP)], grade, 0.02) == (Verdict.CANNOT_TELL, False)


def result_of(value: float, se: float, relative: Relative | None = None) -> Result:
    base = evaluate(simulated(replace(ROLLOUT, departments=10, days=90, starts=(40,)), 1)[0], PLAN, draws=1)
    estimate = Estimate(value, se, 59)
    verdict, _ = judged(estimate, [], Grade.B, 0.02)
    return replace(base, estimate=estimate, relative=relative, verdict=verdict, checks=(), codes=())


PROGRAMMES = [
    ((0.08, 0.01), (0.05, 0.01), None, Overall.WORKED, False),
    ((0.08, 0.01), (0.002, 0.004), Relative(0.004, -0.023, 0.032), Overall.MOVED_ONLY, True),
    ((0.08, 0.01), (0.002, 0.03), Relative(0.004, -0.3, 0.32), Overall.CANNOT_TELL, False),
    ((0.08, 0.01), (-0.05, 0.01), None, Overall.HARM, True),
    ((0.002, 0.004), (0.002, 0.004), None, Overall.NO_EVIDENCE, False),
]


@pytest.mark.parametrize(("behaviour", "outcome", "relative", "overall", "divergence"), PROGRAMMES)
def test_the_programme_needs_behaviour_and_outcome(
    behaviour: tuple[float, float], outcome: tuple[float, float], relative: Relative | None,
    overall: Overall, divergence: bool,
) -> None:  # fmt: skip
    found = programme_verdict(result_of(*behaviour), result_of(*outcome, relative), gaming_stop=False)

    assert (found.overall, found.divergence) == (overall, divergence)


def test_no_programme_worked_that_was_gamed_or_has_no_outcome() -> None:
    up = result_of(0.08, 0.01)

    assert programme_verdict(up, up, gaming_stop=True).overall is Overall.GAMED
    assert programme_verdict(up, None, gaming_stop=False).overall is Overall.CANNOT_TELL


@pytest.mark.parametrize(("value", "held"), [(0.0, Guardrail.HELD), (-0.02, Guardrail.OPEN), (-0.06, Guardrail.BROKEN)])
def test_a_guardrail_holds_only_where_it_is_shown_to(value: float, held: Guardrail) -> None:
    assert guardrail(Estimate(value, 0.01, 60), 0.02, higher_is_better=True) is held


def test_an_interval_for_looking_every_day_is_wider() -> None:
    estimate = Estimate(0.03, 0.01, 59)

    low, high = always_valid(estimate, 0.02)

    assert low < estimate.low
    assert high > estimate.high
