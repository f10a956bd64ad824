"""What is said never goes beyond what was found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from uptake.statistics import wording
from uptake.statistics.drills import LEAST_DAYS, drill
from uptake.statistics.estimate import Estimate
from uptake.statistics.evaluate import evaluate
from uptake.statistics.lint import linted
from uptake.statistics.plan import Kind, Plan
from uptake.statistics.refusal import refused
from uptake.statistics.result import Check, Grade, Light, Result, Verdict
from uptake.statistics.simulate import World, simulated

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def found() -> Result:
    return evaluate(simulated(World(), 3)[0], Plan("daily sign-in", Kind.RATE, 0.02), draws=19)


def test_a_difference_of_rates_is_told_in_points_and_its_relative_change_says_of_what(found: Result) -> None:
    text = " ".join(one.said() for one in wording.sentences(found))

    assert text.startswith("It raised “daily sign-in”.")
    assert "Difference: +4.4 percentage points (95 % interval 3.3 to 5.6)." in text
    assert "Relative to what would have been: +9 % (95 % interval +7 to +12)." in text
    assert linted(text, grade=found.grade) == ()


VERBS = [
    (Grade.A, 0, "It raised “m”."),
    (Grade.A, 1, "It probably raised “m”."),
    (Grade.B, 1, "It probably raised “m”."),
    (Grade.B_MINUS, 0, "It probably raised “m”."),
    (Grade.B_MINUS, 1, "“m” rose more than its trend; the cause is not established."),
    (Grade.C, 1, "“m” rose more than its trend; the cause is not established."),
    (Grade.D, 0, "“m” is described only; nothing is said of causes."),
]


@pytest.mark.parametrize(("grade", "steps", "said"), VERBS)
def test_the_verb_follows_the_grade_and_warnings_take_a_step(
    found: Result, grade: Grade, steps: int, said: str
) -> None:
    one = replace(found, metric="m", grade=grade, steps=steps, verdict=Verdict.INCREASE)

    assert wording.verdict_sentence(one).said() == said
    assert linted(said, grade=grade) == ()


def test_who_cannot_tell_says_why_and_what_would_help_and_no_number(found: Result) -> None:
    stopped = replace(found, verdict=Verdict.CANNOT_TELL, checks=(Check("TOO_SHORT", Light.STOP, 5.0),))

    assert [one.said() for one in wording.sentences(stopped)] == [
        "It cannot be told whether “daily sign-in” changed because of it.",
        "There are fewer than 28 days before or after the start.",
        "Wait until 28 days before and after the start are known.",
    ]


def test_every_code_and_assumption_has_words(found: Result) -> None:
    assert {check.code for check in found.checks} <= set(wording.REASONS)
    assert [one.said() for one in wording.assumption_sentences(found)] == [
        "Without it, departments that began and those that waited would have moved alike."
    ]


LINTED = [
    ("The sign-in rate rose by 40%.", "BARE_PERCENT"),
    ("登录率提升40%。", "BARE_PERCENT"),
    ("Sign-in: +40 %.", "BARE_PERCENT"),
    ("Sign-in rose by 30 percentage points (x2.0, +100%).", None),
    ("登录率提升30个百分点（相对+100%）。", None),
    ("Sign-in was 47.3% in departments that began.", None),
    ("Activity +40%.", "COMPOSITE"),
    ("Points caused more orders.", "CAUSE_UNDER_GRADE"),
    ("积分带来了更多订单。", "CAUSE_UNDER_GRADE"),
    ("The ROI is ¥30 per person.", "MONEY_WITHOUT_INTERVAL"),
    ("The ROI is ¥30 per person (95 % interval 5 to 60).", None),
    ("California fell (p = 0.001).", "P_BELOW_FLOOR"),
    ("California fell (p = 0.19).", None),
]


@pytest.mark.parametrize(("text", "code"), LINTED)
def test_the_lint_finds_what_must_not_be_said(text: str, code: str | None) -> None:
    assert [one.code for one in linted(text, grade=Grade.C, p_floor=1 / 27)] == ([code] if code else [])


def test_a_table_of_two_numbers_each_gives_five_answers_and_no_claim() -> None:
    found = refused([(24, 55), (50, 75), (64, 83), (75, 100)])

    told = (found.mean_of_relative, found.ratio_of_sums, found.geometric, found.median_relative)
    assert found.mean_change == 25
    assert [round(one * 100, 1) for one in told] == [60.5, 46.9, 56.1, 41.7]
    assert "NO_CONTROL" in found.codes


def test_drills_on_history_tell_false_alarms_and_power() -> None:
    history = simulated(World(departments=24, effect=0.0), 2)[0]

    found = drill(history.between(0, 90), 0.05, drills=40)

    assert found.false_alarms <= 0.15
    assert found.power >= 0.8
    assert found.coverage == pytest.approx(1 - found.false_alarms)


def test_a_history_just_long_enough_is_drilled_and_a_shorter_one_refused() -> None:
    history = simulated(World(departments=24, effect=0.0), 2)[0]

    found = drill(history.between(0, LEAST_DAYS), 0.05, drills=5)

    assert found.drills == 5
    with pytest.raises(ValueError, match="40 days"):
        drill(history.between(0, LEAST_DAYS - 1), 0.05, drills=5)


def test_numbers_never_show_a_bare_minus_zero() -> None:
    assert wording.signed(-0.0001, Kind.RATE) == "0.0"
    assert wording.signed(Estimate(-0.02, 0.01, 5).value, Kind.RATE) == "-2.0"
