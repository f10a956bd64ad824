"""Trainings: enrolled for while there is room, attended once by hand, by list or by code; attendance is an event."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.roster import read_roster
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.events.models import Event
from uptake.ledger.balances import points_of
from uptake.notify.models import Mail, Message
from uptake.programme.adoption.attend import attend_by_code, find_rows, mark_attended, unmark_attended
from uptake.programme.adoption.enrol import enrol, withdraw
from uptake.programme.adoption.hours import learned_by
from uptake.programme.adoption.models import Enrolment, Stand, Training
from uptake.programme.adoption.plan_training import Plan, cancel_training, change_training, plan_training
from uptake.programme.adoption.refusals import (
    CodeWrong,
    Conflict,
    NotForYou,
    NumberWrong,
    Over,
    ReasonMissing,
    TextWrong,
    TooManyTries,
)
from uptake.programme.consider import consider_new_events
from uptake.programme.publish import publish

pytestmark = pytest.mark.django_db
STARTS = NOW + timedelta(days=1)
AFTER = STARTS + timedelta(hours=2)


def planned(cast: Cast, key: str = "a", **more: Any) -> Training:
    told: dict[str, Any] = {"title_en": "Counting", "starts_at": STARTS, "minutes": 90, "where": "Hall B", **more}
    by = cast.viewer(cast.wei)
    return plan_training(organization=cast.beiyuan, plan=Plan(**told), key=key, by=by, now=NOW)


def stand(cast: Cast, who: str) -> str:
    return Enrolment.objects.get(person=cast.people()[who]).stand


def test_coaches_and_managers_plan_and_nobody_else(cast: Cast) -> None:
    plan = Plan(title_zh="盘点", starts_at=STARTS, minutes=30, where="B")
    for who in ("lin", "ke", "mo", "shu"):
        viewer = cast.viewer(cast.people()[who])
        with pytest.raises(NotAllowed):
            plan_training(organization=cast.beiyuan, plan=plan, key="x", by=viewer, now=NOW)
    made = plan_training(organization=cast.beiyuan, plan=plan, key="x", by=cast.viewer(cast.hua), now=NOW)
    assert len(made.code) == 6
    assert plan_training(organization=cast.beiyuan, plan=plan, key="x", by=cast.viewer(cast.hua), now=NOW) == made
    with pytest.raises(Conflict):
        planned(cast, key="x")


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        ({"title_en": ""}, TextWrong),
        ({"where": " "}, TextWrong),
        ({"minutes": 0}, NumberWrong),
        ({"capacity": 0}, NumberWrong),
        ({"minutes": 1441}, NumberWrong),
    ],
)
@pytest.mark.once
def test_what_does_not_fit_is_refused(cast: Cast, told: dict[str, Any], refused: type[Exception]) -> None:
    with pytest.raises(refused):
        planned(cast, **told)


def test_who_waits_moves_up_in_order(cast: Cast) -> None:
    training = planned(cast, capacity=1)
    lin, ke, hua = (cast.viewer(one) for one in (cast.lin, cast.ke, cast.hua))
    for nth, who in enumerate((lin, ke, hua, lin)):
        enrol(training=training, by=who, now=NOW + timedelta(minutes=nth))
    assert [stand(cast, who) for who in ("lin", "ke", "hua")] == [Stand.ENROLLED, Stand.WAITING, Stand.WAITING]

    withdraw(training=training, by=lin, now=NOW + timedelta(hours=1))
    assert [stand(cast, who) for who in ("lin", "ke", "hua")] == [Stand.WITHDRAWN, Stand.ENROLLED, Stand.WAITING]
    assert Message.objects.get(kind="training.moved_up").person == cast.ke
    with pytest.raises(NotForYou):
        enrol(training=training, by=cast.viewer(cast.mo), now=NOW)
    with pytest.raises(Over):
        enrol(training=training, by=lin, now=AFTER)
    with pytest.raises(Over):
        withdraw(training=training, by=ke, now=STARTS)


def test_attendance_is_kept_once_and_is_an_event_that_rules_may_pay_for(cast: Cast) -> None:
    training = planned(cast)
    told: dict[str, Any] = {"training": training, "by": cast.viewer(cast.wei)}
    people = [cast.lin.pk, cast.ke.pk, cast.mo.pk]
    with pytest.raises(Over):
        mark_attended(people=people, now=NOW, **told)

    assert mark_attended(people=people, minutes=60, now=AFTER, **told) == 2
    assert mark_attended(people=people, minutes=90, now=AFTER + timedelta(days=1), **told) == 0
    events = Event.objects.filter(name="training.attended").order_by("pk")
    assert {one.identity.person for one in events} == {cast.lin, cast.ke}  # type: ignore[union-attr]
    assert {(one.happened_at, one.facts["minutes"], one.company) for one in events} == {
        (training.ends_at, 60, cast.beiyuan)
    }
    learned = learned_by(cast.lin.pk, viewer=cast.viewer(cast.lin))
    assert (learned.trainings, learned.minutes) == (1, 60)
    assert learned_by(cast.lin.pk, viewer=cast.viewer(cast.mo)).trainings == 0


@pytest.mark.django_db(transaction=True)
def test_attendance_marked_by_mistake_is_taken_back_with_what_it_paid_and_may_be_marked_again(cast: Cast) -> None:
    rule = {
        "rule": "learn",
        "version": 1,
        "from": "2020-01-01",
        "title": "Learn",
        "on": "training.attended",
        "points": 10,
    }
    publish(
        organization=cast.beiyuan, rulebook={"rules": [rule]}, in_force_date=TODAY, by=EVERYTHING, now=NOW
    )  # fmt: skip
    training, by, lin = planned(cast), cast.viewer(cast.wei), cast.lin.pk

    def mark(at: datetime) -> int:
        mark_attended(training=training, people=[lin], by=by, now=at)
        return paid(at)

    def unmark(at: datetime, why: str = "It was another Lin") -> bool:
        return unmark_attended(training=training, person=lin, why=why, by=by, now=at)

    def paid(at: datetime) -> int:
        consider_new_events(now=at)
        return points_of(book=cast.beiyuan.pk, owners=[str(lin)], now=at)[str(lin)].available

    assert mark(AFTER) == 10
    with pytest.raises(NotAllowed):
        unmark_attended(training=training, person=lin, why="x", by=cast.viewer(cast.lin), now=AFTER)
    with pytest.raises(ReasonMissing):
        unmark(AFTER, " ")
    assert [unmark(AFTER), unmark(AFTER)] == [True, False]
    assert (paid(AFTER), stand(cast, "lin")) == (0, Stand.ENROLLED)
    assert learned_by(lin, viewer=cast.viewer(cast.lin)).trainings == 0

    assert mark(AFTER + timedelta(hours=1)) == 10
    assert Event.objects.standing().filter(name__startswith="training.").count() == 1


def test_the_code_from_the_room_counts_in_its_time_only(cast: Cast) -> None:
    training = planned(cast)
    lin = cast.viewer(cast.lin)

    def told(code: str, now: datetime) -> bool:
        return attend_by_code(training=training, code=code, by=lin, now=now)

    for now in (STARTS - timedelta(minutes=31), training.ends_at + timedelta(hours=2, seconds=1)):
        with pytest.raises(CodeWrong):
            told(training.code, now)
    with pytest.raises(CodeWrong):
        told("000000", STARTS)
    assert told(f" {training.code.lower()} ", STARTS + timedelta(minutes=5))
    assert not told(training.code, STARTS + timedelta(minutes=6))
    assert Event.objects.get(name="training.attended").happened_at == STARTS + timedelta(minutes=5)


def test_the_code_cannot_be_tried_for_ever(cast: Cast) -> None:
    training = planned(cast)
    lin = cast.viewer(cast.lin)
    for _try in range(10):
        with pytest.raises(CodeWrong):
            attend_by_code(training=training, code="wrong", by=lin, now=STARTS)
    with pytest.raises(TooManyTries):
        attend_by_code(training=training, code=training.code, by=lin, now=STARTS)


@pytest.mark.once
def test_a_list_finds_people_by_number_then_mail_then_name_of_the_place(cast: Cast) -> None:
    training = planned(cast)
    rows = read_roster("name,number,email\nX,B001,\nX,,hua@beiyuan.example\nKe Ming,,\nMo Yun,Q001,\nNobody,,\n")
    found = find_rows(training, rows, by=cast.viewer(cast.wei), on=TODAY)

    assert [one.person for one in found] == [cast.lin.pk, cast.hua.pk, cast.ke.pk, None, None]
    assert [one.why for one in found] == ["", "", "", "unknown", "unknown"]


def test_who_enrolled_is_told_of_another_place_and_of_calling_off(cast: Cast) -> None:
    training = planned(cast)
    enrol(training=training, by=cast.viewer(cast.lin), now=NOW)
    wei = cast.viewer(cast.wei)
    plan: dict[str, Any] = {"title_en": "Counting", "starts_at": STARTS, "minutes": 90}
    change_training(training=training, plan=Plan(where="Hall B", trainer="Wei", **plan), by=wei, now=NOW)
    assert not Message.objects.filter(kind="training.moved").exists()
    change_training(training=training, plan=Plan(where="Hall C", **plan), by=wei, now=NOW)
    cancel_training(training=training, by=wei, now=NOW + timedelta(hours=1))
    cancel_training(training=training, by=wei, now=NOW + timedelta(hours=2))

    assert list(Message.objects.filter(person=cast.lin).order_by("pk").values_list("kind", flat=True)) == [
        "training.moved",
        "training.cancelled",
    ]
    assert Mail.objects.filter(person=cast.lin, topic="trainings").count() == 2
    with pytest.raises(Over):
        mark_attended(training=training, people=[cast.lin.pk], by=wei, now=AFTER)
