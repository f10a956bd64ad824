"""What an effect is without the days on which points look farmed."""

from __future__ import annotations

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.basics.canonical import canonical_json
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING
from uptake.events.models import Event
from uptake.insight.gaming.models import Finding, Outcome, Verdict
from uptake.insight.impact.evaluate import answer
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, START, UNTIL, registered, shops, work


@pytest.mark.django_db
def test_the_effect_is_told_once_more_without_what_is_flagged(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    starts = shops(cast)
    work(cast, starts, 0.3)
    made = lock(intervention=registered(cast, starts, smallest=0.1), by=EVERYTHING, now=BEFORE)
    begun = [slug for slug, day in starts.items() if day is not None]
    farmed = Event.objects.filter(
        identity__person__memberships__organization__slug__in=begun, business_date__gte=START
    ).order_by("pk")
    finding = Finding.objects.create(
        company=cast.beiyuan, person=Person.objects.get(name="P0"), detector="A2", first=START, last=TODAY,
        numbers={"p": 0.0}, events=list(farmed.values_list("pk", flat=True)[::2]), points=1, held=0, found_at=NOW,
    )  # fmt: skip

    told = answer(made, last=UNTIL)
    effect = told["metrics"][0]["result"]["estimate"]["value"]
    without = told["without_flagged"]
    assert without["days"] > 100
    assert without["low"] < without["value"] < without["high"] < effect
    assert without["value"] == pytest.approx(effect - 0.4, abs=0.1), "half of the days people were there"
    assert canonical_json(told)

    Outcome.objects.create(finding=finding, verdict=Verdict.NOT, taken=0, at=NOW)
    assert "without_flagged" not in answer(made, last=UNTIL)
