"""Who begins is drawn by lot: by a recorded seed, for good, and people are compared as they were drawn."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry, Identity, Membership, Organization, Person
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.models import Event, EventType
from uptake.insight.impact import refusals
from uptake.insight.impact.draw_lots import Draw
from uptake.insight.impact.drawn_people import drawn_panel, population, roles_in, sides_of, still_as_drawn
from uptake.insight.impact.evaluate import evaluate
from uptake.insight.impact.lot import Drawing, lot_of
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Chosen, DrawnPerson, Intervention
from uptake.insight.impact.really_began import say_began
from uptake.insight.impact.register import lock
from uptake.insight.impact.take_list import take_list
from uptake.insight.impact.tests.test_interventions import BEFORE, START, registered, shops
from uptake.statistics.lint import linted
from uptake.statistics.result import Grade

pytestmark = pytest.mark.django_db
HALF = Draw(Drawing.PERSON, START, 0.5)


def work_of(cast: Cast, sides: Mapping[int, bool], planted: float, days: int = 100) -> None:
    """Days of work of everybody in shops; those that begin do more by `planted` from START on."""
    chance = random.Random(5)
    who = {one.person_id or 0: one.pk for one in Identity.objects.filter(source="shops", person__isnull=False)}
    rows = []
    for ago in range(days, 0, -1):
        day = TODAY - timedelta(days=ago)
        at = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=3)
        for person, identity in sorted(who.items()):
            share = 0.35 + (person % 5) / 20 + (planted if sides.get(person) and day >= START else 0)
            if chance.random() < share:
                rows.append(
                    Event(source="shops", key=f"w/{day}/{person}", fingerprint="0" * 64, name="order.created",
                          tzdb="2026a", identity_id=identity, company=cast.beiyuan, happened_at=at, received_at=at,
                          business_date=day)
                )  # fmt: skip
    Event.objects.bulk_create(rows, batch_size=1000)


def drawn(cast: Cast, starts: dict[str, date | None], **changes: Any) -> Intervention:
    return registered(cast, starts, smallest=0.15, **{"draw": HALF, **changes})


def test_the_lot_can_be_drawn_again_by_hand_and_nothing_of_it_changes(cast: Cast) -> None:
    made = drawn(cast, shops(cast))

    lot = lot_of(made.plan)
    assert lot is not None
    people = sorted(sides_of(made))
    tickets = {person: sha256(f"{lot.seed}/{person}".encode()).hexdigest() for person in people}
    begin = set(sorted(people, key=lambda person: tickets[person])[:42])
    assert sides_of(made) == {person: person in begin for person in people}
    assert (lot.of, lot.begin, lot.drawn_before, made.chosen) == (84, 42, 0, Chosen.RANDOM)
    assert still_as_drawn(made)
    assert set(made.starts.values()) == {START.isoformat()}
    entry = AuditEntry.objects.get(deed="impact.registered")
    assert (entry.details["seed"], entry.details["drawn"]) == (lot.seed, lot.sha)
    again = drawn(cast, dict.fromkeys(made.starts))
    assert again.plan["lot"]["seed"] != lot.seed
    assert again.plan["lot"]["drawn_before"] == 1
    made = lock(intervention=made, by=EVERYTHING, now=BEFORE)
    one = DrawnPerson.objects.filter(intervention=made).first()
    assert one is not None
    newcomer = Person.objects.create(name="Late", created_at=NOW)
    for deed in (
        lambda: DrawnPerson.objects.filter(pk=one.pk).update(begins=not one.begins),
        lambda: DrawnPerson.objects.filter(pk=one.pk).delete(),
        lambda: DrawnPerson.objects.create(
            intervention=made, person=newcomer, department_id=one.department_id, begins=True
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()


def test_what_cannot_be_drawn_is_refused(cast: Cast) -> None:
    starts = shops(cast)
    few = dict(list(starts.items())[:5])
    EventType.objects.create(name="order.created", created_at=NOW)
    for draw in (
        HALF, Draw(Drawing.PERSON, START, 0.9), Draw(Drawing.DEPARTMENT, START, 0.2),
        Draw(Drawing.PERSON, START, 0.5, "no such work"),
    ):  # fmt: skip
        with pytest.raises(refusals.TooFewToDraw):
            drawn(cast, few if draw.share == 0.5 else starts, draw=draw)
    for share in (0.0, 1.0):
        with pytest.raises(refusals.WrongSize):
            drawn(cast, starts, draw=Draw(Drawing.PERSON, START, share))
    hours = Metric("order.created", Measure.MEAN, "hours")
    for changes in ({"others": [(hours, 1.0)]}, {"unaffected": "order.created"}):
        with pytest.raises(refusals.NotOfPeople):
            drawn(cast, starts, **changes)
    assert not Intervention.objects.exists()


def test_of_one_work_only_those_are_drawn_who_do_it(cast: Cast) -> None:
    starts = shops(cast)
    places = list(Organization.objects.filter(slug__in=starts))
    Membership.objects.filter(organization__in=places).update(role="clerk")
    Membership.objects.filter(organization=places[0]).update(role="buyer")

    assert roles_in(places, TODAY) == ["buyer", "clerk"]
    made = drawn(cast, starts, draw=Draw(Drawing.PERSON, START, 0.5, "clerk"))

    assert made.plan["lot"]["of"] == 77
    assert len(population(places, "buyer", TODAY)) == 7
    assert not DrawnPerson.objects.filter(intervention=made, department=places[0]).exists()


@pytest.mark.once
@pytest.mark.parametrize(("planted", "verdict"), [(0.2, "increase"), (0.0, "no_meaningful_change")])
def test_people_are_compared_as_they_were_drawn(
    cast: Cast, planted: float, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.draw_lots.new_seed", lambda: "5" * 32)
    starts = shops(cast)
    made = drawn(cast, starts)
    sides = sides_of(made)
    silent = Person.objects.filter(pk__in=sides).earliest("pk")
    Identity.objects.filter(person=silent).update(person=None)
    work_of(cast, sides, planted)
    newcomer = Person.objects.create(name="Late", created_at=NOW)
    home = Organization.objects.get(slug="shop-00")
    Membership.objects.create(person=newcomer, organization=home, from_date=START)
    made = lock(intervention=made, by=EVERYTHING, now=BEFORE)
    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)
    again = evaluate(intervention=made, by=EVERYTHING, now=NOW + timedelta(days=2))

    answer = json.loads(told.text)
    primary = answer["metrics"][0]
    result = primary["result"]
    assert (told.verdict, told.grade, result["design"], again.pk) == (verdict, "A", "people_drawn", told.pk)
    assert (result["n_units"], result["n_treated"]) == (84, 42)
    assert result["estimate"]["low"] < planted < result["estimate"]["high"]
    assert answer["lot"]["compared"] == 84
    assert made.gate["state"] == "yes"
    assert {one["code"]: one["light"] for one in result["checks"]}["SRM"] == "pass"
    after = [one for one in primary["weeks"] if one["week"] >= 0]
    assert all(one["units"] >= 10 for one in primary["weeks"])
    assert sum(one["seen"] - one["without"] for one in after) / len(after) == pytest.approx(planted, abs=0.07)
    leads = [one["estimate"]["value"] for one in result["event_study"] if one["since"] < 0]
    assert len(leads) == 8
    assert not result["leave_one_out"] + result["spans"]
    assert "cell_effects" not in result
    text = " ".join(one["pattern"].format(**one["fields"]) for one in primary["sentences"])
    assert not linted(text, grade=Grade.A)
    assert "84 people" in text
    panel = drawn_panel(made, metric=Metric(), first=START, last=TODAY)
    assert panel is not None
    row = panel.units.index(str(silent.pk))
    assert panel.known[row].any()
    assert set(panel.outcome[row][panel.known[row]]) == {0.0}
    with pytest.raises(refusals.NoDepartment):
        say_began(
            intervention=made, departments=["shop-00"], began_on=START, reason="Late", by=EVERYTHING, now=NOW
        )  # fmt: skip


@pytest.mark.once
def test_sides_that_are_not_as_drawn_stop_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = shops(cast)
    made = drawn(cast, starts)
    sides = sides_of(made)
    work_of(cast, sides, 0.2)
    made = lock(intervention=made, by=EVERYTHING, now=BEFORE)
    gone = [person for person, begins in sides.items() if begins][:32]
    Membership.objects.filter(person__in=gone).update(until_date=START - timedelta(days=3))

    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)

    result = json.loads(told.text)["metrics"][0]["result"]
    assert told.verdict == "cannot_tell"
    assert "SRM" in result["codes"]
    tampered = drawn(cast, dict.fromkeys(starts))
    one = Person.objects.create(name="Sneaked in", created_at=NOW)
    DrawnPerson.objects.create(
        intervention=tampered, person=one, department=Organization.objects.get(slug="shop-00"), begins=True
    )
    tampered = lock(intervention=tampered, by=EVERYTHING, now=BEFORE)
    with pytest.raises(refusals.LotDiffers):
        evaluate(intervention=tampered, by=EVERYTHING, now=NOW)


def test_before_the_locking_the_history_says_what_people_could_show(cast: Cast) -> None:
    starts = shops(cast)
    work_of(cast, {}, 0.0)
    later = TODAY + timedelta(days=9)
    fine = drawn(
        cast, starts, until=later + timedelta(days=60), draw=Draw(Drawing.PERSON, later, 0.5), now=NOW
    )  # fmt: skip
    sharp = registered(
        cast, dict.fromkeys(starts), smallest=0.002, until=later + timedelta(days=60), now=NOW,
        draw=Draw(Drawing.PERSON, later, 0.4),
    )  # fmt: skip

    locked = lock(intervention=fine, by=EVERYTHING, now=NOW)

    assert locked.gate["state"] == "yes"
    assert 0.02 < locked.gate["detectable"] < 0.15
    assert 60 <= locked.gate["needed"] < 84
    with pytest.raises(refusals.CannotAnswer) as refused:
        lock(intervention=sharp, by=EVERYTHING, now=NOW)
    assert refused.value.answer.needed is not None
    assert refused.value.answer.needed > 84
    assert "more_people" in refused.value.answer.remedies


def test_the_list_is_for_those_who_manage_the_people_on_it(cast: Cast) -> None:
    made = drawn(cast, shops(cast))
    hua, lin, mo = (cast.viewer(who, TODAY) for who in (cast.hua, cast.lin, cast.mo))
    with pytest.raises(refusals.NotLocked):
        take_list(intervention=made, by=EVERYTHING, now=BEFORE)
    made = lock(intervention=made, by=EVERYTHING, now=BEFORE)
    erased = next(iter(sides_of(made)))
    Person.objects.filter(pk=erased).update(name="—", erased_at=NOW)

    lines = take_list(intervention=made, by=hua, now=NOW)

    assert len(lines) == 83
    assert {one.starts for one in lines} == {START, None}
    assert AuditEntry.objects.filter(deed="impact.list_taken").count() == 1
    for nobody in (lin, mo):
        assert not DrawnPerson.objects.visible_to(nobody).exists()
        with pytest.raises(NotAllowed):
            take_list(intervention=made, by=nobody, now=NOW)


@pytest.mark.once
def test_departments_are_drawn_by_a_recorded_seed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 39)
    made = drawn(cast, dict.fromkeys(shops(cast)), draw=Draw(Drawing.DEPARTMENT, START, 0.5))
    begins = {slug for slug, day in made.starts.items() if day}
    homes = dict(Membership.objects.values_list("person_id", "organization__slug"))
    work_of(cast, {person: slug in begins for person, slug in homes.items()}, 0.25)
    made = lock(intervention=made, by=EVERYTHING, now=BEFORE)

    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)

    answer = json.loads(told.text)
    assert (len(begins), made.plan["lot"]["of"], answer["lot"]["unit"]) == (6, 12, "department")
    assert (told.verdict, told.grade, answer["metrics"][0]["result"]["design"]) == (
        "increase", "A", "departments_drawn",
    )  # fmt: skip
    assert still_as_drawn(made)
    assert not made.by_people
    with pytest.raises(NotAllowed):
        take_list(intervention=made, by=EVERYTHING, now=NOW)
