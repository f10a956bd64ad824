"""A retroactive run gives what a published rulebook would have given more; by two people, once, and nobody loses."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from tests.cast import NOW, TODAY, Cast
from uptake.directory.scope import EVERYTHING, NotAllowed, Viewer
from uptake.events.models import Event
from uptake.ledger.accounts import AVAILABLE
from uptake.ledger.accounts import person as account
from uptake.ledger.models import Account, Lot
from uptake.ledger.verify import verify
from uptake.programme.models import Award, MeritChange, RulebookVersion
from uptake.programme.publish import publish
from uptake.programme.retroactive.models import RetroactiveRun
from uptake.programme.retroactive.refusals import (
    NothingDiffers,
    Refused,
    SelfDealing,
    TooEarly,
    WhyMissing,
    WrongSpan,
    WrongState,
)
from uptake.programme.retroactive.run import approve_run, execute_run, plan_correction, plan_run, withdraw_run
from uptake.programme.retroactive.verify import problems_of
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + timedelta(days=3)
SINCE, UNTIL = TODAY - timedelta(days=5), TODAY + timedelta(days=1)


def rules(**changes: Any) -> dict[str, Any]:
    return {"rules": [{**RULES[0], **changes}], "programme": {"expires": {"days": 10}}}


def better(cast: Cast, **changes: Any) -> RulebookVersion:
    """A rulebook that pays orders twice, published for tomorrow."""
    told = {"version": 2, "points": {"per": "lines", "points": 2}, "cap": [], **changes}
    day = TODAY + timedelta(days=4)
    return publish(organization=cast.beiyuan, rulebook=rules(**told), in_force_date=day, by=EVERYTHING, now=NOW)


def planned(cast: Cast, version: RulebookVersion, by: Viewer = EVERYTHING, **told: Any) -> RetroactiveRun:
    told = {"since": SINCE, "until": UNTIL, "why": "Lines were forgotten", "by": by, "now": LATER, **told}
    return plan_run(company=cast.beiyuan, version=version, **told)


def points_of(cast: Cast) -> int:
    """What Lin can spend."""
    code = account(str(cast.lin.pk), AVAILABLE)
    return sum(Account.objects.filter(book=cast.beiyuan.pk, code=code).values_list("balance", flat=True))


def sound(cast: Cast) -> bool:
    return verify().holds and not problems_of(cast.beiyuan.pk)


def test_run_gives_the_difference_once_and_keeps_awards_and_boards_as_they_are(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("a", lines=10)
    desk.processed("b", lines=7)
    before = list(Award.objects.values_list("event__key", "points"))
    changes = MeritChange.objects.count()
    run = planned(cast, better(cast))

    assert (run.points, run.people, run.state) == (17, 1, "planned")
    assert [(line.before, line.after, line.points) for line in run.lines.order_by("pk")] == [(10, 20, 10), (7, 14, 7)]
    assert points_of(cast) == 17
    approve_run(run=run, by=cast.viewer(cast.ren), now=LATER)
    execute_run(run=run, by=EVERYTHING, now=LATER)
    again = execute_run(run=run, by=EVERYTHING, now=LATER + timedelta(hours=1))

    assert (again.state, points_of(cast)) == ("executed", 34)
    lots = Lot.objects.filter(key__startswith=f"retroactive/{run.pk}/")
    assert {(lot.amount, lot.last_date) for lot in lots} == {
        (10, LATER.date() + timedelta(days=10)),
        (7, LATER.date() + timedelta(days=10)),
    }
    assert list(Award.objects.values_list("event__key", "points")) == before
    assert MeritChange.objects.count() == changes
    assert sound(cast)
    desk.consider(LATER)
    assert points_of(cast) == 34
    with pytest.raises(NothingDiffers):
        planned(cast, run.version)


@pytest.mark.parametrize(("changes", "gains"), [
    ({"points": 1}, None),
    ({"points": 12, "cap": []}, {"b": 7}),
    ({"points": {"per": "lines", "points": 3}, "cap": [{"points": 20, "every": "day"}]}, {"a": 3}),
])  # fmt: skip
def test_nobody_loses_and_the_gain_is_that_of_all_events_together(
    cast: Cast, changes: dict[str, Any], gains: dict[str, int] | None
) -> None:
    desk = Desk(cast)
    desk.processed("a", lines=12)
    desk.processed("b", lines=5)
    version = better(cast, **changes)
    if gains is None:
        with pytest.raises(NothingDiffers):
            planned(cast, version)
    else:
        run = planned(cast, version)
        assert {Event.objects.get(pk=line.event_id).key: line.points for line in run.lines.all()} == gains


def test_a_run_needs_a_second_person_who_gains_nothing(cast: Cast) -> None:
    Desk(cast).processed("a", lines=10)
    version = better(cast)
    ren, hua = cast.viewer(cast.ren), cast.viewer(cast.hua)
    run = planned(cast, version, by=ren)

    with pytest.raises(WrongState):
        execute_run(run=run, by=ren, now=LATER)
    with pytest.raises(SelfDealing):
        approve_run(run=run, by=ren, now=LATER)
    with pytest.raises(NotAllowed):
        approve_run(run=run, by=hua, now=LATER)
    assert not RetroactiveRun.objects.visible_to(hua).exists()
    approve_run(run=run, by=EVERYTHING, now=LATER)
    withdraw_run(run=run, by=ren, now=LATER)
    with pytest.raises(WrongState):
        execute_run(run=run, by=ren, now=LATER)
    assert points_of(cast) == 10


@pytest.mark.parametrize(("told", "refusal"), [
    ({"why": " "}, WhyMissing),
    ({"until": SINCE}, WrongSpan),
    ({"until": date(2030, 1, 1)}, WrongSpan),
    ({"names": ["stock.moved"]}, NothingDiffers),
])  # fmt: skip
def test_what_cannot_be_planned_is_refused(cast: Cast, told: dict[str, Any], refusal: type[Refused]) -> None:
    Desk(cast).processed("a", lines=10)
    with pytest.raises(refusal):
        planned(cast, better(cast), **told)


def test_what_was_given_too_much_is_taken_back_after_the_time_for_appeals(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("a", lines=10)
    run = planned(cast, better(cast))
    approve_run(run=run, by=cast.viewer(cast.ren), now=LATER)
    execute_run(run=run, by=EVERYTHING, now=LATER)
    plain = RulebookVersion.objects.get(number=1)

    back = plan_correction(run=run, version=plain, why="The factor was a mistake", by=EVERYTHING, now=LATER)
    approve_run(run=back, by=cast.viewer(cast.ren), now=LATER)
    with pytest.raises(TooEarly):
        execute_run(run=back, by=EVERYTHING, now=LATER + timedelta(days=6))
    execute_run(run=back, by=EVERYTHING, now=LATER + timedelta(days=9))

    assert (back.points, points_of(cast)) == (10, 10)
    assert sound(cast)
    with pytest.raises(NothingDiffers):
        plan_correction(run=run, version=plain, why="Once more", by=EVERYTHING, now=LATER + timedelta(days=9))


def test_lines_never_change_and_a_changed_ledger_is_found(cast: Cast) -> None:
    Desk(cast).processed("a", lines=10)
    run = planned(cast, better(cast))
    for rows in (run.lines.all(), RetroactiveRun.objects.all()):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(points=1)
    RetroactiveRun.objects.update(state="executed", approved_at=NOW)
    assert [one.invariant for one in problems_of(cast.beiyuan.pk)] == ["I12"]
