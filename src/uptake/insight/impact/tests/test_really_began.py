"""When departments really began is said beside a locked registration, which stays as it is."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.insight.impact import refusals
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.models import Began, Intervention
from uptake.insight.impact.really_began import counted, said_of, say_began
from uptake.insight.impact.register import hash_of, lock
from uptake.insight.impact.tests.test_interventions import BEFORE, START, registered, shops, work

pytestmark = pytest.mark.django_db


def say(made: Intervention, began_on: date | None, *departments: str, reason: str = "The training was late") -> None:
    say_began(intervention=made, departments=departments, began_on=began_on, reason=reason, by=EVERYTHING, now=NOW)


def test_it_is_counted_against_the_registered_days_and_nothing_registered_changes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    starts = shops(cast)
    work(cast, starts, 0.15)
    made = lock(intervention=registered(cast, starts), by=EVERYTHING, now=BEFORE)
    sealed = (made.hash, dict(made.starts))
    before = json.loads(evaluate(intervention=made, by=EVERYTHING, now=NOW).text)

    say(made, START, "shop-00")
    say(made, START + timedelta(days=3), "shop-02")
    say(made, START + timedelta(days=12), "shop-04")
    say(made, START - timedelta(days=1), "shop-06")
    say(made, START, "shop-08")
    say(made, None, "shop-08", reason="It turned out that nobody came")
    say(made, START + timedelta(days=20), "shop-01")
    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)
    again = evaluate(intervention=made, by=EVERYTHING, now=NOW + timedelta(days=1))

    answer = json.loads(told.text)
    assert answer.pop("began") == {
        "meant": 6, "as_meant": 1, "earlier": 1, "later": 2, "later_least": 3, "later_most": 12, "never": 1,
        "waiting_began": 1, "unsaid": 1,
    }  # fmt: skip
    assert "began" not in before
    assert answer == before
    assert (again.pk, again.text) == (told.pk, told.text)
    made.refresh_from_db()
    assert (made.hash, made.starts) == sealed == (hash_of(made), made.starts)


def test_what_is_said_is_kept_audited_and_said_once(cast: Cast) -> None:
    made = lock(intervention=registered(cast, shops(cast)), by=EVERYTHING, now=BEFORE)
    assert counted(made, said_of(made)) is None

    say(made, START, "shop-00", "shop-02")
    say(made, START, "shop-00", "shop-02")
    say(made, None, "shop-00")

    assert Began.objects.count() == 3
    notes = AuditEntry.objects.filter(deed="impact.began_said").order_by("pk")
    assert [one.details["began_on"] for one in notes] == [START.isoformat(), None]
    assert notes[0].details["reason"] == "The training was late"
    assert said_of(made)["shop-00"].began_on is None
    with pytest.raises(DatabaseError), transaction.atomic():
        Began.objects.update(reason="Nothing of it")
    with pytest.raises(DatabaseError), transaction.atomic():
        Began.objects.all().delete()


def test_what_cannot_be_said_is_refused(cast: Cast) -> None:
    draft = registered(cast, shops(cast))
    with pytest.raises(refusals.NotBegun):
        say(draft, START, "shop-00")
    made = lock(intervention=draft, by=EVERYTHING, now=BEFORE)
    with pytest.raises(refusals.NotBegun):
        say_began(intervention=made, departments=["shop-00"], began_on=None, reason="Early", by=EVERYTHING, now=BEFORE)
    with pytest.raises(refusals.NoDepartment):
        say(made, START)
    with pytest.raises(refusals.NoDepartment):
        say(made, START, "shop-00", "elsewhere")
    for day in (TODAY + timedelta(days=1), START - timedelta(days=367)):
        with pytest.raises(refusals.WrongDay):
            say(made, day, "shop-00")
    for reason in (" ", "x" * 301):
        with pytest.raises(refusals.NoReason):
            say(made, START, "shop-00", reason=reason)
    with pytest.raises(NotAllowed):
        say_began(
            intervention=made, departments=["shop-00"], began_on=START, reason="Mine", by=cast.viewer(cast.shu), now=NOW
        )
    assert not Began.objects.exists()
