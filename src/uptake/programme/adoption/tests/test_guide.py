"""The starter guide: ticked by real events, finished once; the welcome bonus is a part of a rulebook."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import Event
from uptake.events.record import record
from uptake.ledger.balances import points_of
from uptake.notify.models import Message
from uptake.programme.adoption.finish_guides import finish_guides, look_at_points, set_guide
from uptake.programme.adoption.guides import GUIDES, LOOK, ORDER, Step
from uptake.programme.adoption.models import GuideFinished
from uptake.programme.adoption.progress import newcomers_at, progress_of, steps_at
from uptake.programme.adoption.refusals import StepsWrong
from uptake.programme.adoption.welcome import with_welcome
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award
from uptake.programme.publish import publish
from uptake.programme.rulebook_reading import parse_rulebook

pytestmark = pytest.mark.django_db


def process_an_order(cast: Cast) -> None:
    erp = connect(slug="erp", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=NOW)
    happening = Happening(
        event="order.processed", key="1", at=NOW - timedelta(hours=1), person="lin", person_email=cast.lin.email
    )
    record([happening], connection=erp, now=NOW)


def test_steps_are_ticked_by_events(cast: Cast) -> None:
    process_an_order(cast)
    lin = cast.viewer(cast.lin)
    assert [look_at_points(company=cast.beiyuan, by=lin, now=NOW + timedelta(hours=turn)) for turn in (0, 1)] == [
        True,
        False,
    ]

    progress = progress_of(cast.lin, cast.beiyuan, TODAY)
    assert {one.step.key for one in progress.steps if one.at} == {"work", "points"}
    assert (progress.done, progress.role, progress.finished) == (2, "employee", False)
    assert progress.following is not None
    assert progress_of(cast.hua, cast.beiyuan, TODAY).role == "manager"
    assert progress_of(cast.ke, cast.beiyuan, TODAY).done == 0


def test_a_place_sets_its_own_steps_and_takes_them_back(cast: Cast) -> None:
    ke = cast.viewer(cast.ke)
    own = Step("one", "Count", "", ("stock.counted",))
    with pytest.raises(NotAllowed):
        set_guide(organization=cast.beiyuan, role="employee", steps=[own], by=cast.viewer(cast.lin), now=NOW)
    for wrong in ([Step("one", "", "", ("a.b",))], [Step("one", "A", "", ())], [Step("x", "A", "", ("no name",))]):
        with pytest.raises(StepsWrong):
            set_guide(organization=cast.beiyuan, role="employee", steps=wrong, by=ke, now=NOW)

    set_guide(organization=cast.park, role="employee", steps=[LOOK], by=EVERYTHING, now=NOW)
    assert steps_at(cast.beiyuan, "employee") == (LOOK,)
    set_guide(organization=cast.beiyuan, role="employee", steps=[own], by=ke, now=NOW)
    assert steps_at(cast.beiyuan, "employee") == (own,)
    assert steps_at(cast.qinghe, "employee") == (LOOK,)
    for place in (cast.beiyuan, cast.park):
        set_guide(organization=place, role="employee", steps=[], by=EVERYTHING, now=NOW)
    assert steps_at(cast.beiyuan, "employee") == GUIDES["employee"]


def test_a_newcomer_who_did_every_step_is_found_once(cast: Cast) -> None:
    set_guide(organization=cast.beiyuan, role="employee", steps=[LOOK, ORDER], by=EVERYTHING, now=NOW)
    process_an_order(cast)
    look_at_points(company=cast.beiyuan, by=cast.viewer(cast.lin), now=NOW)
    assert finish_guides(now=NOW) == 0, "she is not new"
    Person.objects.filter(pk=cast.lin.pk).update(joined_date=TODAY - timedelta(days=20))

    assert [one.pk for one in newcomers_at(cast.beiyuan, TODAY)] == [cast.lin.pk]
    assert [finish_guides(now=NOW + timedelta(hours=turn)) for turn in (0, 1)] == [1, 0]
    assert GuideFinished.objects.get().person == cast.lin
    assert Event.objects.get(name="guide.finished").identity.person == cast.lin  # type: ignore[union-attr]
    assert Message.objects.filter(kind="guide.finished").count() == 1


@pytest.mark.once
def test_the_welcome_bonus_is_a_part_of_a_rulebook_and_is_added_once() -> None:
    rule = {"rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10}
    once = with_welcome({"rules": [rule]}, since=date(2026, 5, 14), title="Guide")
    read = parse_rulebook(once)

    assert with_welcome(once, since=date(2026, 6, 1), title="Guide") == once
    assert [one.multiplier for one in read.multipliers] == ["welcome_weeks"]
    assert read.in_force(date(2026, 5, 14))[-1].on == ("guide.finished",)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("weeks", "points"), [(2, 60), (5, 30)])
def test_who_finishes_the_guide_is_paid_once_and_twice_as_much_in_the_first_weeks(
    cast: Cast, weeks: int, points: int
) -> None:
    Person.objects.filter(pk=cast.lin.pk).update(joined_date=TODAY - timedelta(weeks=weeks))
    publish(
        rulebook=with_welcome({"rules": []}, since=TODAY - timedelta(days=1), title="Guide"),
        organization=cast.beiyuan, in_force_date=TODAY - timedelta(days=1), by=EVERYTHING, now=NOW,
    )  # fmt: skip
    set_guide(
        organization=cast.beiyuan, role="employee", steps=[Step("one", "Order", "", ("order.processed",))],
        by=EVERYTHING, now=NOW,
    )  # fmt: skip
    process_an_order(cast)

    for later in (0, 1):
        finish_guides(now=NOW + timedelta(hours=later))
        while consider_new_events(now=NOW + timedelta(hours=later)):
            pass

    paid = Award.objects.filter(person=cast.lin, points__gt=0)
    assert list(paid.values_list("rule", "points")) == [("welcome_guide", points)]
    assert points_of(book=cast.beiyuan.pk, owners=[str(cast.lin.pk)], now=NOW)[str(cast.lin.pk)].available == points
