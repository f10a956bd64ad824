"""On its day the report of a place is made once, and those are told who may see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.models import RoleAssignment
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.insight.impact.models import Evaluation
from uptake.insight.impact.register import lock
from uptake.insight.impact.tests.test_interventions import BEFORE, registered, shops
from uptake.insight.report.keep_schedule import WrongSchedule, ask_for_one, keep_schedule, readers_of
from uptake.insight.report.make_monthly import make_monthly
from uptake.insight.report.models import MonthlyReport, Schedule
from uptake.notify.models import Message

pytestmark = pytest.mark.django_db


def kept(cast: Cast, day: int, *readers: int) -> Schedule:
    return keep_schedule(
        organization=cast.beiyuan, day=day, readers=readers, active=True, by=cast.viewer(cast.hua), now=NOW
    )


def test_it_is_made_once_a_month_and_once_for_each_wish(cast: Cast) -> None:
    made = lock(intervention=registered(cast, shops(cast)), by=EVERYTHING, now=BEFORE)
    stands = Evaluation.objects.create(
        intervention=made, text="{}", sha="1" * 64, verdict="increase", grade="B", made_at=NOW
    )
    schedule = kept(cast, TODAY.day + 1, cast.hua.pk, cast.ren.pk)

    assert make_monthly(now=NOW) == 0
    assert make_monthly(now=NOW + timedelta(days=1)) == 1
    assert make_monthly(now=NOW + timedelta(days=3)) == 0
    ask_for_one(schedule=schedule, by=cast.viewer(cast.hua), now=NOW)
    assert make_monthly(now=NOW + timedelta(days=3)) == 1
    assert make_monthly(now=NOW + timedelta(days=3)) == 0

    first = MonthlyReport.objects.order_by("pk")[0]
    assert (first.evaluations, first.month, first.told, first.asked) == ([stands.pk], TODAY.replace(day=1), 2, False)
    assert Message.objects.filter(kind="impact.monthly", person=cast.ren).count() == 2


def test_a_day_that_was_past_waits_for_the_next_month_and_nobody_hears_who_may_not_see(cast: Cast) -> None:
    kept(cast, TODAY.day - 1, cast.hua.pk)
    RoleAssignment.objects.filter(person=cast.hua).update(until_date=TODAY + timedelta(days=3))

    assert make_monthly(now=NOW + timedelta(days=5)) == 0
    assert make_monthly(now=NOW + timedelta(days=31)) == 1
    assert MonthlyReport.objects.get().told == 0


def test_only_those_who_see_the_totals_can_be_chosen_and_only_managers_choose(cast: Cast) -> None:
    assert {cast.hua.pk, cast.ren.pk, cast.wei.pk} <= readers_of(cast.beiyuan, TODAY).keys()
    assert not {cast.lin.pk, cast.mo.pk} & readers_of(cast.beiyuan, TODAY).keys()
    for day, reader in ((0, cast.hua.pk), (29, cast.hua.pk), (5, cast.mo.pk)):
        with pytest.raises(WrongSchedule):
            kept(cast, day, reader)
    with pytest.raises(NotAllowed):
        keep_schedule(organization=cast.beiyuan, day=5, readers=[], active=True, by=cast.viewer(cast.mo), now=NOW)
