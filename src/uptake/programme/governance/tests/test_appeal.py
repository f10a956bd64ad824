"""A line of points is questioned, answered by another in time, and what is given is an entry of its own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, transaction

from tests.cast import NOW, Cast
from uptake.directory.viewer import NotAllowed
from uptake.ledger.balances import entries_by_key, points_of
from uptake.ledger.grant import Grant, grant
from uptake.ledger.verify import verify
from uptake.notify.models import Message
from uptake.programme.governance.appeal import (
    AlreadyDecided,
    AlreadyOpen,
    EntryLine,
    NoSuchLine,
    SelfDealing,
    TextMissing,
    WrongPoints,
    decide_appeal,
    file_appeal,
    take_appeal,
    withdraw_appeal,
)
from uptake.programme.governance.models import About, Appeal
from uptake.programme.models import Award, MeritChange
from uptake.programme.standing_of import standing_of
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)
RULES = [
    {
        "rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10,
        "when": [{"fact": "lines", "op": "gt", "value": 5}],
    }
]  # fmt: skip


class Questioned:
    """An award of 0 points of somebody; the committee is Ke alone."""

    def __init__(self, cast: Cast, who: str = "lin") -> None:
        self.desk = Desk(cast, RULES)
        self.cast = cast
        event = self.desk.processed("A", NOW, who=who, lines=2)
        self.award = Award.objects.get(event=event)
        assert self.award.points == 0

    def file(self, who: str = "lin", text: str = "It had 12 lines.") -> Appeal:
        by = self.cast.viewer(self.cast.people()[who])
        return file_appeal(line=self.award, text=text, by=by, now=NOW)


def available(cast: Cast) -> int:
    return points_of(book=cast.beiyuan.pk, owners=[str(cast.lin.pk)], now=NOW)[str(cast.lin.pk)].available


def test_an_upheld_appeal_is_a_grant_of_its_own(cast: Cast) -> None:
    world = Questioned(cast)
    appeal = world.file()
    ke = cast.viewer(cast.ke)

    decided = decide_appeal(appeal=appeal, upheld=True, answer="The ERP sent half.", points=10, by=ke, now=NOW)

    assert available(cast) == 10
    entry = entries_by_key(book=cast.beiyuan.pk, keys=[f"appeal/{appeal.pk}/grant"])[f"appeal/{appeal.pk}/grant"]
    assert (entry.cause, entry.points, entry.effective_at) == (f"appeal/{appeal.pk}", 10, world.award.happened_at)
    assert entry.explanation["award"] == world.award.pk
    world.award.refresh_from_db()
    assert world.award.points == 0, "never an edit"
    assert (decided.state, decided.decided_by) == ("upheld", cast.ke)
    assert Message.objects.get(person=cast.lin, kind="appeal.decided").content["given"] == 10
    stands = standing_of([cast.lin.pk], company=cast.beiyuan.pk, now=NOW)[cast.lin.pk]
    assert stands.qualifying == 10, "it counts as an award does"
    merit = MeritChange.objects.filter(person=cast.lin, points=10).get()
    assert merit.date == world.award.date, "on boards of the day of what was questioned"
    assert [one.problems for one in verify().books] == [()]


def test_the_clock_and_the_member_who_is_asked(cast: Cast) -> None:
    appeal = Questioned(cast).file()

    assert appeal.due_at == datetime(2026, 5, 20, 16, 0, tzinfo=UTC), "seven whole days in Shanghai"
    assert appeal.assigned == cast.ke
    assert Message.objects.filter(person=cast.ke, kind="appeal.assigned").exists()


def test_a_refused_appeal_gives_nothing_and_says_why(cast: Cast) -> None:
    world = Questioned(cast)
    appeal = world.file()
    ke = cast.viewer(cast.ke)

    with pytest.raises(TextMissing):
        decide_appeal(appeal=appeal, upheld=False, answer=" ", by=ke, now=NOW)
    with pytest.raises(WrongPoints):
        decide_appeal(appeal=appeal, upheld=False, answer="No.", points=3, by=ke, now=NOW)
    decide_appeal(appeal=appeal, upheld=False, answer="It had 2.", by=ke, now=NOW)
    with pytest.raises(AlreadyDecided):
        decide_appeal(appeal=appeal, upheld=True, answer="Well.", points=3, by=ke, now=NOW)
    with pytest.raises(DatabaseError), transaction.atomic():
        Appeal.objects.update(state="upheld", points=5)
    assert available(cast) == 0


def test_nobody_decides_on_their_own_points(cast: Cast) -> None:
    world = Questioned(cast, who="ke")
    appeal = world.file("ke")
    ke = cast.viewer(cast.ke)

    assert appeal.assigned is None, "no other member: whoever manages rules above takes it"
    with pytest.raises(SelfDealing):
        take_appeal(appeal=appeal, by=ke, now=NOW)
    with pytest.raises(SelfDealing):
        decide_appeal(appeal=appeal, upheld=True, answer="Yes.", points=10, by=ke, now=NOW)
    taken = take_appeal(appeal=appeal, by=cast.viewer(cast.ren), now=NOW)
    assert taken.assigned == cast.ren
    decide_appeal(appeal=appeal, upheld=True, answer="Yes.", points=10, by=cast.viewer(cast.ren), now=NOW)


def test_who_took_the_decision_does_not_judge_it(cast: Cast) -> None:
    Desk(cast, RULES)
    grant(
        [Grant(book=cast.beiyuan.pk, key="special/1", lot="special/1", owner=str(cast.lin.pk), points=5,
               cause="special/1", happened_at=NOW, available_from=NOW)],
        now=NOW,
    )  # fmt: skip
    line = EntryLine(company=cast.beiyuan, key="special/1", about=About.SPECIAL, parties=[cast.ke.pk])
    appeal = file_appeal(line=line, text="It was ten.", by=cast.viewer(cast.lin), now=NOW)

    assert appeal.assigned is None
    with pytest.raises(SelfDealing):
        decide_appeal(appeal=appeal, upheld=True, answer="Yes.", points=5, by=cast.viewer(cast.ke), now=NOW)
    with pytest.raises(NoSuchLine):
        file_appeal(line=line, text="Mine!", by=cast.viewer(cast.hua), now=NOW)
    none = EntryLine(company=cast.beiyuan, key="special/2")
    with pytest.raises(NoSuchLine):
        file_appeal(line=none, text="And that?", by=cast.viewer(cast.lin), now=NOW)


def test_one_line_is_questioned_once_at_a_time_by_whose_it_is(cast: Cast) -> None:
    world = Questioned(cast)
    appeal = world.file()

    with pytest.raises(AlreadyOpen):
        world.file()
    for other in ("hua", "mo"):
        with pytest.raises(NoSuchLine):
            world.file(other)
    with pytest.raises(NotAllowed):
        withdraw_appeal(appeal=appeal, by=cast.viewer(cast.ke), now=NOW)
    withdraw_appeal(appeal=appeal, by=cast.viewer(cast.lin), now=NOW)
    assert world.file().pk != appeal.pk


def test_the_other_company_has_no_say(cast: Cast) -> None:
    appeal = Questioned(cast).file()

    for who in (cast.mo, cast.hua, cast.lin):
        with pytest.raises(NotAllowed):
            decide_appeal(appeal=appeal, upheld=True, answer="Yes.", points=1, by=cast.viewer(who), now=NOW)
    assert list(Appeal.objects.visible_to(cast.viewer(cast.mo))) == []
    assert list(Appeal.objects.visible_to(cast.viewer(cast.lin))) == [appeal]
