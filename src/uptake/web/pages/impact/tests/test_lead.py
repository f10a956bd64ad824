"""The answer as so many of a hundred: only what may be claimed, in the numbers of the interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Intervention
from uptake.statistics.result import Grade
from uptake.statistics.wording import RAISED
from uptake.web.pages.impact.lead import of_a_hundred
from uptake.web.pages.impact.views import _gate

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def primary(
    value: float, low: float, high: float, *, verdict: str = "increase", grade: Grade = Grade.B, **metric: Any
) -> dict[str, Any]:
    measured = Metric("shift.closed", Measure.YES, "clean") if metric.get("cases") else Metric("")
    pattern = RAISED[grade][int(verdict == "decrease")]
    estimate = {"value": value, "low": low, "high": high}
    return {
        **measured.facts(),
        "sentences": [{"pattern": pattern, "fields": {}}],
        "result": {"verdict": verdict, "estimate": estimate},
    }


def test_a_rise_and_a_fall_are_told_with_the_ends_of_the_interval() -> None:
    assert of_a_hundred(primary(0.124, 0.08, 0.169)) == (
        "Of every 100 people, “Active people a working day” has about 12 more than it would have had without it. "
        "The true figure is likely between 8 and 17."
    )
    fell = of_a_hundred(primary(-0.06, -0.09, -0.03, verdict="decrease"))
    assert "about 6 fewer" in fell
    assert "between 3 and 9." in fell


@pytest.mark.django_db
def test_shares_of_events_are_told_of_cases() -> None:
    assert of_a_hundred(primary(0.05, 0.02, 0.08, cases=True)).startswith("Of every 100 cases,")


@pytest.mark.parametrize(
    "told",
    [
        primary(0.12, 0.08, 0.17, grade=Grade.B_MINUS),
        primary(0.12, 0.08, 0.17, grade=Grade.C),
        primary(0.001, 0.0005, 0.002),
        {**primary(0.12, 0.08, 0.17), "result": {"verdict": "cannot_tell", "estimate": None}},
    ],
)
def test_what_may_not_be_claimed_is_not_pictured(told: dict[str, Any]) -> None:
    assert of_a_hundred(told) == ""


def test_chinese_sentences_follow_each_other_without_a_gap() -> None:
    with translation.override("zh-hans"):
        assert of_a_hundred(primary(0.124, 0.08, 0.169)) == (
            "每 100 人中，“每个工作日的活跃人数占比”比没有该举措时多约 12 人。真实数值很可能在 8 到 17 之间。"
        )


@pytest.mark.parametrize(("detectable", "misses"), [(0.046, False), (0.05, False), (0.096, True)])
def test_a_rollout_that_may_miss_what_matters_says_so_before_it_is_locked(detectable: float, misses: bool) -> None:
    facts = {"state": "yes", "detectable": detectable, "needed": None, "remedies": [], "proposal": None}
    gate = _gate(facts, {}, 0.05)
    page = render_to_string("impact/gate.html", {"gate": gate, "one": Intervention(plan={}), "smallest": "5.0 pp"})

    assert gate["misses"] is misses
    assert ("u-call warn" in page) is misses
    assert ("Smaller ones that matter, from 5.0 pp on, it may miss." in page) is misses
