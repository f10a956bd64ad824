"""Satisfaction from answers to verdict: where few answer, or others than before, it is described and no more."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Identity
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event, EventType
from uptake.insight.impact.answers import survey_of
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, DAYS, START, registered, shops, work
from uptake.statistics.plan import Direction, Survey

pytestmark = [pytest.mark.django_db, pytest.mark.once]
SCORE = Metric("survey.answered", Measure.MEAN, "score")
EVERYBODY: Callable[[int, bool], bool] = lambda _at, _after: True  # noqa: E731
A_THIRD: Callable[[int, bool], bool] = lambda at, _after: at % 3 == 0  # noqa: E731
OTHERS: Callable[[int, bool], bool] = lambda at, after: (at % 2 == 0) is after  # noqa: E731


def answers(cast: Cast, who: Callable[[int, bool], bool], name: str = "survey.answered") -> None:
    """Each asked person says how satisfied they are every working day; since START a little more."""
    chance = random.Random(9)
    rows = []
    for ago in range(DAYS, 0, -1):
        day = TODAY - timedelta(days=ago)
        at = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=4)
        for nth, identity in enumerate(Identity.objects.filter(source="shops").order_by("pk")):
            if who(nth, day >= START):
                rows.append(
                    Event(source="shops", key=f"{name}/{day}/{identity.pk}", fingerprint="0" * 64, name=name,
                          tzdb="2026a", identity=identity, company=cast.beiyuan, happened_at=at, received_at=at,
                          business_date=day, facts={"score": round(chance.uniform(3, 5), 1)})
                )  # fmt: skip
    Event.objects.bulk_create(rows, batch_size=1000)


@pytest.mark.parametrize(
    ("who", "survey", "design"),
    [
        (EVERYBODY, Survey(84, 84, True), "staggered"),
        (A_THIRD, Survey(84, 28, True), "description"),
        (OTHERS, Survey(84, 42, False), "description"),
    ],
)
def test_satisfaction_is_claimed_only_where_half_answered_and_the_same_people(
    cast: Cast, who: Callable[[int, bool], bool], survey: Survey, design: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    EventType.objects.create(name="survey.answered", created_at=NOW)
    starts = shops(cast)
    work(cast, starts, 0.2)
    answers(cast, who)
    outcome = (SCORE, 0.5, Direction.HIGHER)
    made = lock(intervention=registered(cast, starts, outcome=outcome), by=EVERYTHING, now=BEFORE)

    told = json.loads(evaluate(intervention=made, by=EVERYTHING, now=NOW).text)

    found = survey_of(made.starts, SCORE, first=START - timedelta(days=50), start=START, last=TODAY - timedelta(days=2))
    assert found == survey
    result = told["outcome"]["result"]
    check = next(one for one in result["checks"] if one["code"] == "SURVEY_RESPONSE")
    assert (result["design"], check["light"]) == (design, "pass" if survey.bearable else "warn")
    assert (result["estimate"] is None) is not survey.bearable
    assert told["programme"]["overall"] != "worked"


def test_only_those_are_asked_whose_feedback_was_answered(cast: Cast) -> None:
    starts = {slug: day.isoformat() if day else None for slug, day in shops(cast).items()}
    answers(cast, lambda at, _after: at < 20, "feedback.answered")
    answers(cast, lambda at, _after: at < 15, "feedback.rated")
    when = {"first": START - timedelta(days=50), "start": START, "last": TODAY}

    assert survey_of(starts, Metric("feedback.rated", Measure.MEAN, "rating"), **when) == Survey(20, 15, True)
    assert survey_of(starts, Metric("order.created", Measure.MEAN, "score"), **when) is None
    assert survey_of(starts, Metric("survey.answered"), **when) is None
