"""Interventions are registered, gated by history, locked before they begin, and evaluated from events."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

import uptake.insight.impact.evaluate as impact
from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import AuditEntry, Identity, Kind, Membership, Organization, Person
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.models import Event, EventType
from uptake.insight.impact import refusals
from uptake.insight.impact.evaluate import evaluate, evaluate_due
from uptake.insight.impact.metrics import Measure, Metric
from uptake.insight.impact.models import Chosen, Evaluation, Intervention, What
from uptake.insight.impact.panel_of_departments import department_panel
from uptake.insight.impact.register import hash_of, lock, register_intervention
from uptake.statistics.evaluate import evaluate as evaluate_panel
from uptake.statistics.lint import linted
from uptake.statistics.plan import Direction
from uptake.statistics.result import Grade

pytestmark = pytest.mark.django_db
DEPARTMENTS = 12
PEOPLE = 7
DAYS = 100
START = TODAY - timedelta(days=45)
UNTIL = TODAY - timedelta(days=2)
BEFORE = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)


def shops(cast: Cast) -> dict[str, date | None]:
    """Twelve departments of Beiyuan with seven people each; every other begins on START."""
    places = [
        Organization.objects.create(
            kind=Kind.DEPARTMENT, name=f"Shop {number:02}", slug=f"shop-{number:02}", parent=cast.beiyuan,
            company=cast.beiyuan, created_at=NOW,
        )
        for number in range(DEPARTMENTS)
    ]  # fmt: skip
    for place in places:
        place.path = f"{cast.beiyuan.path}{place.pk}/"
    Organization.objects.bulk_update(places, ["path"])
    people = Person.objects.bulk_create(
        Person(name=f"P{number}", created_at=NOW) for number in range(DEPARTMENTS * PEOPLE)
    )
    Membership.objects.bulk_create(
        Membership(person=one, organization=places[at // PEOPLE], from_date=date(2025, 1, 1))
        for at, one in enumerate(people)
    )
    Identity.objects.bulk_create(
        Identity(source="shops", external_id=str(one.pk), company=cast.beiyuan, person=one, first_seen_at=NOW)
        for one in people
    )
    return {place.slug: START if at % 2 == 0 else None for at, place in enumerate(places)}


def work(cast: Cast, starts: Mapping[str, date | None], planted: float, name: str = "order.created") -> None:
    """A hundred days of work; everybody rises by itself, and those that began by `planted` beside."""
    chance = random.Random(3)
    who = {one.person_id: one.pk for one in Identity.objects.filter(source="shops") if one.person_id is not None}
    home = (
        Membership.objects.filter(person_id__in=list(who)).order_by("pk").values_list("person_id", "organization__slug")
    )
    rows = []
    for ago in range(DAYS, 0, -1):
        day = TODAY - timedelta(days=ago)
        at = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=3)
        for person, slug in home:
            start = starts[slug]
            share = 0.45 + (DAYS - ago) / 1200 + (planted if start is not None and day >= start else 0)
            if chance.random() < share:
                rows.append(
                    Event(source="shops", key=f"{name}/{day}/{person}", fingerprint="0" * 64, name=name, tzdb="2026a",
                          identity_id=who[person], company=cast.beiyuan, happened_at=at, received_at=at,
                          business_date=day)
                )  # fmt: skip
    Event.objects.bulk_create(rows, batch_size=1000)


def registered(cast: Cast, starts: dict[str, date | None], **changes: Any) -> Intervention:
    told: dict[str, Any] = {
        "organization": cast.beiyuan, "title": "Points for orders", "kind": What.POINTS, "chosen": Chosen.MANAGEMENT,
        "starts": starts, "event": "", "smallest": 0.05, "until": UNTIL, "by": EVERYTHING, "now": BEFORE,
    }  # fmt: skip
    return register_intervention(**{**told, **changes})


@pytest.mark.parametrize(("planted", "verdict"), [(0.15, "increase"), (0.0, "no_meaningful_change")])
def test_a_planted_effect_is_found_and_a_planted_nothing_is_not(
    cast: Cast, planted: float, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 39)
    starts = shops(cast)
    work(cast, starts, planted)
    made = lock(intervention=registered(cast, starts, smallest=0.1), by=EVERYTHING, now=BEFORE)

    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)
    again = evaluate(intervention=made, by=EVERYTHING, now=NOW + timedelta(days=3))

    assert (told.verdict, told.grade, made.gate["state"]) == (verdict, "B", "yes")
    assert (again.pk, Evaluation.objects.count()) == (told.pk, 1)
    answer = json.loads(told.text)
    result = answer["metrics"][0]["result"]
    assert answer["registration"] == made.hash == hash_of(made)
    assert (result["n_units"], result["n_treated"]) == (12, 6)
    if planted:
        assert result["estimate"]["low"] < planted < result["estimate"]["high"]
        assert result["naive"] > result["estimate"]["value"] + 0.02
        weeks = {one["week"]: one["seen"] - one["without"] for one in answer["metrics"][0]["weeks"]}
        assert sum(gap for week, gap in weeks.items() if week < 0) / 8 < 0.05 < min(weeks[week] for week in range(5))
    text = " ".join(one["pattern"].format(**one["fields"]) for one in answer["metrics"][0]["sentences"])
    assert not linted(text, grade=Grade.B)
    assert "cell_effects" not in result


@pytest.mark.once
def test_departments_drawn_by_lot_that_begin_on_one_day_are_compared_as_such(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 39)
    starts = shops(cast)
    work(cast, starts, 0.2)
    made = lock(intervention=registered(cast, starts, chosen=Chosen.RANDOM), by=EVERYTHING, now=BEFORE)

    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)

    result = json.loads(told.text)["metrics"][0]["result"]
    assert (told.verdict, told.grade, result["design"]) == ("increase", "A", "departments_drawn")
    assert result["estimate"]["low"] < 0.2 < result["estimate"]["high"]


@pytest.mark.once
def test_where_everybody_begins_at_once_what_is_paid_is_held_against_what_is_not(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    everybody: dict[str, date | None] = dict.fromkeys(shops(cast), START)
    for name, planted in (("order.created", 0.25), ("order.closed", 0.0)):
        EventType.objects.create(name=name, created_at=NOW)
        work(cast, everybody, planted, name=name)
    asked: dict[str, Any] = {"event": "order.created", "smallest": 0.1}
    with pytest.raises(refusals.WrongMeasure):
        registered(cast, everybody, **asked, unaffected="order.created")
    with pytest.raises(refusals.UnknownEvent):
        registered(cast, everybody, **asked, unaffected="no.such")
    made = lock(intervention=registered(cast, everybody, **asked, unaffected="order.closed"), by=EVERYTHING, now=BEFORE)

    told = evaluate(intervention=made, by=EVERYTHING, now=NOW)

    result = json.loads(told.text)["metrics"][0]["result"]
    assert (result["design"], result["grade"], told.verdict) == ("action_contrast", "B-", "increase")
    assert result["relative"]["low"] < 0.25 / 0.5 < result["relative"]["high"] + 0.1


def test_the_panel_counts_everybody_of_the_directory_and_only_what_counts(cast: Cast) -> None:
    starts: dict[str, date | None] = dict.fromkeys(shops(cast))
    work(cast, starts, 0.0)
    EventType.objects.create(name="interface.ran", counts_as_active=False, created_at=NOW)
    work(cast, starts, 0.5, name="interface.ran")
    mover = Membership.objects.get(organization__slug="shop-00", person__name="P0")
    Membership.objects.filter(pk=mover.pk).update(until_date=TODAY - timedelta(days=30))
    Membership.objects.create(
        person_id=mover.person_id, organization=Organization.objects.get(slug="shop-01"),
        from_date=TODAY - timedelta(days=30),
    )  # fmt: skip

    panel = department_panel(dict.fromkeys(starts), metric=Metric(), first=TODAY - timedelta(days=90), last=TODAY)

    assert panel is not None
    assert panel.denominator is not None
    assert panel.numerator is not None
    before = panel.denominator[:, 5]
    monday = (TODAY - timedelta(days=TODAY.weekday()) - (TODAY - timedelta(days=90))).days
    assert panel.denominator[:2, monday].tolist() == [6, 8]
    assert set(before.tolist()) <= {7.0} or not panel.known[:, 5].any()
    assert (panel.numerator[panel.known] <= panel.denominator[panel.known]).all()
    assert 0.4 < float(panel.outcome[panel.known].mean()) < 0.6
    assert not panel.known[:, [day for day in range(91) if (TODAY - timedelta(days=90 - day)).weekday() > 4]].any()


def test_what_is_looked_at_beside_is_measured_in_its_unit_and_pays_for_its_number(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    starts = shops(cast)
    for name in ("order.created", "order.closed", "never.seen"):
        EventType.objects.create(name=name, created_at=NOW)
    work(cast, starts, 0.3)
    others = [
        (Metric("order.created", Measure.PER_HEAD), 0.1),
        (Metric("order.created"), 0.1),
        (Metric("never.seen", Measure.RATIO, "order.created"), 0.1),
    ]
    made = lock(intervention=registered(cast, starts, others=others), by=EVERYTHING, now=BEFORE)
    overlapping = registered(cast, starts, title="A release on the same day")
    lock(intervention=overlapping, by=EVERYTHING, now=BEFORE)

    answer = json.loads(evaluate(intervention=made, by=EVERYTHING, now=NOW).text)

    mean, share, never = answer["others"]
    assert (mean["result"]["kind"], share["result"]["kind"], never["result"]) == ("mean", "rate", None)
    assert 0.2 < mean["result"]["estimate"]["value"] < 0.4
    assert mean["adjusted"] >= mean["result"]["p"]
    check = {one["code"]: one["light"] for one in answer["metrics"][0]["result"]["checks"]}
    assert check["COINCIDENT_EVENT"] == "stop"
    assert answer["metrics"][0]["result"]["verdict"] == "cannot_tell"


@pytest.mark.once
@pytest.mark.parametrize(("chance", "verdict"), [(0.04, "cannot_tell"), (0.001, "increase")])
def test_several_primary_metrics_pay_for_their_number_and_agreed_readings_are_made(
    cast: Cast, chance: float, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.insight.impact.evaluate.DRAWS", 19)
    monkeypatch.setattr(impact, "evaluate_panel", lambda *of, **by: replace(evaluate_panel(*of, **by), p=chance))
    starts = shops(cast)
    EventType.objects.create(name="order.created", created_at=NOW)
    work(cast, starts, 0.3)
    further = [(Metric("order.created", Measure.PER_HEAD), 0.1, Direction.HIGHER)]
    rails = [(Metric("order.created"), 0.1, Direction.HIGHER)]
    look = START + timedelta(days=30)
    asked = registered(cast, starts, further=further, rails=rails, outcome=further[0], looks=[look])
    plain = registered(cast, starts, title="Points for orders")
    made = lock(intervention=asked, by=EVERYTHING, now=BEFORE)

    early = evaluate_due(now=NOW - timedelta(days=13))
    again = evaluate_due(now=NOW - timedelta(days=12))
    told = json.loads(evaluate(intervention=made, by=EVERYTHING, now=NOW).text)

    assert (early, again) == (1, 0)
    assert [one.verdict for one in made.evaluations.order_by("made_at")] == ["interim", verdict]
    assert [(one["adjusted"], one["result"]["verdict"]) for one in told["metrics"]] == [(2 * chance, verdict)] * 2
    assert (verdict == "cannot_tell") is ("MULTIPLE" in told["metrics"][0]["against"])
    assert told["guardrails"][0]["held"] == "held"
    assert hash_of(asked) != hash_of(plain)
    assert made.plan["outcome"] == {**further[0][0].facts(), "smallest": "0.1", "direction": "higher"}


def test_a_panel_counts_events_a_head_for_each_other_and_hours_of_an_object(cast: Cast) -> None:
    starts: dict[str, None] = dict.fromkeys(shops(cast))
    who = Identity.objects.filter(source="shops").order_by("pk")
    first, second = who[0], who[1]
    day = TODAY - timedelta(days=TODAY.weekday() + 7)
    noon = datetime.combine(day, datetime.min.time(), tzinfo=UTC) + timedelta(hours=4)

    def happened(identity: Identity, name: str, thing: str, hours: int, **facts: object) -> None:
        at = noon + timedelta(hours=hours)
        Event.objects.create(
            source="shops", key=f"{name}{thing}{hours}", fingerprint="0" * 64, name=name, tzdb="2026a", object=thing,
            identity=identity, company=cast.beiyuan, happened_at=at, received_at=at, business_date=day,
            facts=facts,
        )  # fmt: skip

    happened(first, "order.created", "order/1", 0)
    happened(first, "order.created", "order/2", 0)
    happened(second, "order.closed", "order/1", 2, on_time=False)
    happened(second, "order.closed", "order/1", 4, on_time=True)
    happened(second, "order.cancelled", "order/2", 3)
    happened(second, "order.closed", "order/3", 3)

    def outcome(metric: Metric, without: set[tuple[int, date]] = set()) -> float | None:  # noqa: B006
        panel = department_panel(starts, metric=metric, first=day, last=day, without=without)
        return None if panel is None else float(panel.outcome[panel.units.index("shop-00"), 0])

    assert outcome(Metric("order.created")) == pytest.approx(1 / PEOPLE)
    assert outcome(Metric("order.created", Measure.PER_HEAD)) == pytest.approx(2 / PEOPLE)
    assert outcome(Metric("order.cancelled", Measure.RATIO, "order.created")) == pytest.approx(1 / 2)
    assert outcome(Metric("order.closed", Measure.HOURS, "order.created")) == pytest.approx(4)
    assert outcome(Metric("order.closed", Measure.RATIO, "never.seen")) is None
    assert outcome(Metric("order.closed", Measure.YES, "on_time")) == pytest.approx(1 / 2)
    flagged = {(first.person_id or 0, day)}
    assert outcome(Metric("order.created", Measure.PER_HEAD), flagged) == 0
    assert outcome(Metric(), flagged) == pytest.approx(1 / PEOPLE)


def test_what_a_rollout_cannot_answer_is_not_locked(cast: Cast) -> None:
    starts = shops(cast)
    work(cast, starts, 0.0)
    draft = registered(cast, starts, smallest=0.005)

    with pytest.raises(refusals.CannotAnswer) as refused:
        lock(intervention=draft, by=EVERYTHING, now=BEFORE)

    assert (refused.value.answer.detectable or 0) > 0.01
    assert (refused.value.answer.needed or 0) > 100
    assert "more_departments" in refused.value.answer.remedies
    draft.refresh_from_db()
    assert draft.locked_at is None


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"title": " "}, refusals.NoTitle),
        ({"starts": {"purchasing": None}}, refusals.NoStart),
        ({"starts": {"dyeing": START}}, refusals.WrongPlace),
        ({"until": START}, refusals.WrongDates),
        ({"until": START + timedelta(days=800)}, refusals.WrongDates),
        ({"smallest": 0}, refusals.WrongSize),
        ({"smallest": 5}, refusals.WrongSize),
        ({"event": "no.such"}, refusals.UnknownEvent),
        ({"others": [(Metric("a.b", Measure.RATIO), 1.0)]}, refusals.WrongMeasure),
        ({"others": [(Metric("a.b", Measure.HOURS, "a.b"), 1.0)]}, refusals.WrongMeasure),
        ({"others": [(Metric("a.b", Measure.YES), 0.1)]}, refusals.WrongMeasure),
        ({"others": [(Metric("order.closed", Measure.YES, "on_time"), 2.0)]}, refusals.WrongSize),
        ({"others": [(Metric(), 2.0)]}, refusals.WrongSize),
        ({"others": [(Metric(), 0.1)] * 13}, refusals.TooMany),
        ({"further": [(Metric(), 0.1, Direction.HIGHER)]}, refusals.WrongMeasure),
        ({"further": [(Metric("a.b"), 0.1, Direction.HIGHER)] * 4}, refusals.TooMany),
        ({"outcome": (Metric("no.such"), 0.1, Direction.HIGHER)}, refusals.UnknownEvent),
        ({"rails": [(Metric("a.b"), 3.0, Direction.LOWER)]}, refusals.WrongSize),
        ({"looks": [UNTIL]}, refusals.WrongLook),
        ({"looks": [START - timedelta(days=1)]}, refusals.WrongLook),
    ],
)
def test_what_makes_no_sense_is_refused(cast: Cast, changes: dict[str, Any], refusal: type[Exception]) -> None:
    slugs = {"purchasing": cast.purchasing.slug, "dyeing": cast.dyeing.slug}
    if "starts" in changes:
        changes = {"starts": {slugs[name]: day for name, day in changes["starts"].items()}}
    with pytest.raises(refusal):
        registered(cast, {cast.purchasing.slug: START}, **changes) if "starts" not in changes else registered(
            cast, **changes
        )
    assert not Intervention.objects.exists()


def test_it_is_locked_once_before_the_start_by_who_may_and_never_changes(cast: Cast) -> None:
    starts = {cast.purchasing.slug: START, cast.finance.slug: None}
    draft = registered(cast, starts)
    with pytest.raises(refusals.NotLocked):
        evaluate(intervention=draft, by=EVERYTHING, now=NOW)
    for stranger in (cast.mo, cast.lin, cast.wei):
        with pytest.raises(NotAllowed):
            lock(intervention=draft, by=cast.viewer(stranger), now=BEFORE)
    with pytest.raises(refusals.TooLate):
        lock(intervention=draft, by=EVERYTHING, now=NOW)

    made = lock(intervention=draft, by=cast.viewer(cast.hua), now=BEFORE)

    assert (len(made.hash), made.gate["state"]) == (64, "no_history")
    with pytest.raises(refusals.AlreadyLocked):
        lock(intervention=made, by=EVERYTHING, now=BEFORE)
    with pytest.raises(refusals.NothingYet):
        evaluate(intervention=made, by=EVERYTHING, now=BEFORE)
    assert evaluate_due(now=NOW) == 0
    rows = Intervention.objects.filter(pk=made.pk)
    for deed in (lambda: rows.update(title="Another"), rows.delete):
        with refused_by_the_database():
            deed()
    told = Evaluation.objects.create(intervention=made, text="{}", sha="0" * 64, verdict="x", grade="B", made_at=NOW)
    for deed in (lambda: Evaluation.objects.update(verdict="y"), told.delete):
        with refused_by_the_database():
            deed()
    assert set(AuditEntry.objects.values_list("deed", flat=True)) >= {"impact.registered", "impact.locked"}
    for viewer, seen in ((cast.hua, 1), (cast.shu, 1), (cast.mo, 0), (cast.lin, 0)):
        assert Intervention.objects.visible_to(cast.viewer(viewer)).count() == seen
        assert Evaluation.objects.visible_to(cast.viewer(viewer)).count() == seen


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    with pytest.raises(DatabaseError), transaction.atomic():
        yield
