"""After an evaluation its method is tried on the place's own history, and what comes out is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.scope import EVERYTHING
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.models import Evaluation
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, registered, shops, work
from uptake.insight.report.models import SelfTest, State
from uptake.insight.report.run_self_tests import run_waiting_self_tests
from uptake.insight.report.self_test import Rollout, failed, self_test
from uptake.statistics.distributions import share_interval
from uptake.statistics.simulate import World, simulated

QUIET = World(departments=16, days=120, starts=(119,), waiting=0.9, effect=0.0)
SHAPE = Rollout(smallest=0.10, alpha=0.05, waiting_share=0.4, waves=2)


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.mark.once
def test_a_good_method_holds_its_marks_and_a_noisy_place_fails_them() -> None:
    told: list[tuple[int, int]] = []
    panel = simulated(QUIET, 3)[0]
    quiet = self_test(panel, SHAPE, drills=40, told=lambda done, total: told.append((done, total)))
    blind = self_test(panel, replace(SHAPE, smallest=0.0005), drills=40)

    assert told[-1] == (40, 40)
    assert quiet["power"] == {"share": 1.0, "low": pytest.approx(0.912, abs=0.001), "high": 1.0, "wanted": 0.8,
                              "holds": True}  # fmt: skip
    assert quiet["false_alarms"]["holds"]
    assert not failed(quiet)
    assert not blind["power"]["holds"]
    assert failed(blind)
    assert failed({"cannot": "few_units"}) is False
    assert quiet == self_test(panel, SHAPE, drills=40)


@pytest.mark.once
@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 10, 0.0, 0.3085), (5, 100, 0.0164, 0.1128), (10, 10, 0.6915, 1.0)]
)
def test_the_interval_of_a_share_is_the_exact_one(hits: int, of: int, low: float, high: float) -> None:
    assert list(share_interval(hits, of)) == pytest.approx([low, high], abs=1e-4)


@pytest.mark.django_db
def test_every_evaluation_is_drilled_once_and_the_answer_stays(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    starts = {slug: day and TODAY - timedelta(days=12) for slug, day in shops(cast).items()}
    work(cast, starts, 0.15)
    made = lock(intervention=registered(cast, starts, smallest=0.1), by=EVERYTHING, now=BEFORE)
    first = evaluate(intervention=made, by=EVERYTHING, now=NOW)
    Evaluation.objects.create(
        intervention=made, text=first.text, sha="1" * 64, verdict=first.verdict, grade="B", made_at=NOW
    )

    assert run_waiting_self_tests(clock=clock, limit=5) == 2
    assert run_waiting_self_tests(clock=clock) == 0

    one, other = SelfTest.objects.order_by("evaluation_id")
    assert (one.evaluation_id, one.state, other.state) == (first.pk, State.DONE, State.DONE)
    assert (one.facts["units"], one.facts["smallest"], one.facts["drills"]) == (12, 0.1, 100)
    assert one.facts["days"] >= 56
    assert one.facts["false_alarms"]["low"] <= one.facts["false_alarms"]["share"] <= one.facts["false_alarms"]["high"]
    assert (one.facts, one.sha) == (other.facts, other.sha)
    with pytest.raises(DatabaseError), transaction.atomic():
        SelfTest.objects.update(facts={})
    with pytest.raises(DatabaseError), transaction.atomic():
        SelfTest.objects.all().delete()


@pytest.mark.django_db
def test_one_whose_runner_was_lost_is_begun_anew_and_a_short_history_is_said(cast: Cast) -> None:
    starts = shops(cast)
    made = lock(intervention=registered(cast, starts), by=EVERYTHING, now=BEFORE)
    told = {"metrics": [{"result": {"design": "staggered"}}]}
    kept = Evaluation.objects.create(
        intervention=made, text=json.dumps(told), sha="1" * 64, verdict="interim", grade="B", made_at=NOW
    )
    long_ago = clock() - timedelta(minutes=6)
    for moved, ran in ((clock(), 0), (long_ago, 1)):
        SelfTest.objects.update_or_create(
            evaluation=kept, defaults={"state": State.RUNNING, "asked_at": NOW, "moved_at": moved}
        )
        assert run_waiting_self_tests(clock=clock) == ran

    assert SelfTest.objects.get().facts == {"cannot": "short_history"}
