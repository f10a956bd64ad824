"""Badges are defined without code, given once from what really happened, and taken back while it may be undone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.cast import NOW, TODAY, Cast
from uptake.directory.scope import EVERYTHING
from uptake.directory.viewer import NotAllowed
from uptake.events.models import Event
from uptake.notify.models import Message
from uptake.programme.merit import Gain, note_merit
from uptake.programme.merits import keep_merits as module
from uptake.programme.merits.deeds import Done, earned_by
from uptake.programme.merits.define_badge import BadgeTerms, define_badge, retire_badge
from uptake.programme.merits.give_badge import give_by_hand, take_back_by_hand
from uptake.programme.merits.keep_boards import keep_boards
from uptake.programme.merits.keep_merits import keep_merits
from uptake.programme.merits.models import Badge, GivenBadge
from uptake.programme.merits.periods import WEEK
from uptake.programme.merits.refusals import NotAMember, NotOpen, ReasonMissing, SelfDealing, Unusable
from uptake.programme.models import PersonLevel
from uptake.programme.publish import publish
from uptake.programme.rulebook import Programme
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(minutes=5)


def badge(cast: Cast, **terms: Any) -> Badge:
    given: dict[str, Any] = {"kind": "deed", "name_en": "Second order", "event_name": "order.processed", "count": 2}
    return define_badge(company=cast.beiyuan, terms=BadgeTerms(**{**given, **terms}), by=cast.viewer(cast.hua), now=NOW)


def holders(one: Badge) -> set[str]:
    return set(one.given.held().values_list("person__name", flat=True))


def test_the_second_order_brings_its_badge_once_from_before_and_from_now_on(cast: Cast) -> None:
    desk = Desk(cast)
    desk.processed("1")
    desk.processed("2")
    desk.processed("3", who="hua")
    one = badge(cast)
    assert badge(cast) == one
    keep_merits(now=LATER)
    assert holders(one) == {"Lin Fang"}
    desk.processed("4", who="hua", now=LATER)
    desk.processed("5", now=LATER)
    keep_merits(now=LATER + timedelta(minutes=5))
    keep_merits(now=LATER + timedelta(minutes=9))
    assert holders(one) == {"Lin Fang", "Hua Jing"}
    assert Event.objects.filter(name="badge.given", source__startswith="uptake").count() == 2
    assert Message.objects.filter(kind="badge.given").count() == 2
    retire_badge(badge_id=one.pk, by=cast.viewer(cast.hua), now=LATER)
    desk.processed("6", who="ke", now=LATER)
    desk.processed("7", who="ke", now=LATER)
    keep_merits(now=LATER + timedelta(minutes=20))
    assert holders(one) == {"Lin Fang", "Hua Jing"}


def test_what_is_undone_while_it_is_open_takes_the_badge_back(cast: Cast) -> None:
    rules = [{**RULES[0], "on": ["order.processed"]}]
    desk = Desk(cast, rules)
    desk.processed("1")
    second = desk.processed("2")
    one = badge(cast)
    keep_merits(now=LATER)
    row = GivenBadge.objects.get()
    assert row.open_until is not None
    second.awards.update(points=0, reasons=["reversed"])
    keep_merits(now=LATER + timedelta(minutes=1))
    assert holders(one) == set()
    assert Message.objects.filter(kind="badge.taken_back").count() == 1
    desk.processed("3", now=LATER + timedelta(minutes=2))
    keep_merits(now=LATER + timedelta(minutes=3))
    assert holders(one) == {"Lin Fang"}
    closed = GivenBadge.objects.get().open_until
    assert closed is not None
    keep_merits(now=closed)
    for event in Event.objects.filter(name="order.processed"):
        event.awards.update(points=0, reasons=["reversed"])
    keep_merits(now=closed + timedelta(minutes=1))
    assert holders(one) == {"Lin Fang"}


def test_a_level_a_rank_and_a_hand_bring_badges(cast: Cast) -> None:
    file = {"rules": RULES, "levels": [{"name": "Novice", "at": 0}, {"name": "Skilled", "at": 50}]}
    publish(rulebook=file, organization=cast.beiyuan, in_force_date=date(2020, 1, 2), by=EVERYTHING, now=NOW)
    skilled = badge(cast, kind="level", name_en="Skilled", level="Skilled", event_name="", count=1)
    podium = badge(cast, kind="rank", name_en="First of the week", event_name="", count=1, period=WEEK)
    PersonLevel.objects.create(person=cast.lin, company=cast.beiyuan, rank=1, points=60, since=NOW, as_of=NOW)
    PersonLevel.objects.create(person=cast.ke, company=cast.beiyuan, rank=0, points=6, since=NOW, as_of=NOW)
    for who, points in ((cast.lin, 5), (cast.hua, 9), (cast.ke, 9)):
        note_merit([Gain(cast.beiyuan.pk, who.pk, TODAY, points, NOW)], now=NOW)
    keep_merits(now=LATER)
    assert (holders(skilled), holders(podium)) == ({"Lin Fang"}, set())
    while keep_boards(now=LATER):
        pass
    keep_merits(now=NOW + timedelta(days=14))
    assert holders(podium) == {"Hua Jing", cast.ke.name}


def test_a_badge_by_hand_has_a_reason_and_is_not_for_oneself(cast: Cast) -> None:
    one = badge(cast, kind="hand", name_en="Helping hand", event_name="", count=1)
    hua = cast.viewer(cast.hua)
    for who, reason, refusal in (
        (cast.hua, "Me", SelfDealing),
        (cast.lin, "  ", ReasonMissing),
        (cast.mo, "Not ours", NotAMember),
    ):
        with pytest.raises(refusal):
            give_by_hand(badge_id=one.pk, person=who, reason=reason, by=hua, now=NOW)
    for by in (cast.lin, cast.mo):
        with pytest.raises(NotAllowed):
            give_by_hand(badge_id=one.pk, person=cast.lin, reason="Kind", by=cast.viewer(by), now=NOW)
    given = give_by_hand(badge_id=one.pk, person=cast.lin, reason="Stayed with the new one", by=hua, now=NOW)
    assert give_by_hand(badge_id=one.pk, person=cast.lin, reason="Again", by=hua, now=LATER).reason == given.reason
    assert list(GivenBadge.objects.visible_to(cast.viewer(cast.lin))) == [given]
    assert not GivenBadge.objects.visible_to(cast.viewer(cast.mo))
    take_back_by_hand(given_id=given.pk, by=hua, now=LATER)
    assert holders(one) == set()
    deed = badge(cast)
    with pytest.raises(NotOpen):
        give_by_hand(badge_id=deed.pk, person=cast.lin, reason="Earned", by=hua, now=NOW)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"name_en": ""}, "name_en"),
        ({"kind": "luck"}, "kind"),
        ({"icon": "../x"}, "icon"),
        ({"count": 0}, "count"),
        ({"event_name": ""}, "event_name"),
        ({"kind": "level"}, "level"),
        ({"kind": "rank", "period": "ever"}, "period"),
        ({"name_zh": "章" * 81}, "name_zh"),
    ],
)
@pytest.mark.once
def test_what_makes_no_badge_is_refused(cast: Cast, terms: dict[str, Any], field: str) -> None:
    with pytest.raises(Unusable) as refused:
        badge(cast, **terms)
    assert refused.value.field == field


@pytest.mark.once
@pytest.mark.parametrize(
    ("days", "count", "earned"),
    [
        ([11, 12, 13], 3, 13),
        ([11, 13, 14], 3, None),
        ([8, 11, 12], 3, 12),  # Friday, Monday, Tuesday
        ([8, 9, 11, 12, 12], 3, 12),  # worked on Saturday: neither lengthens nor breaks
    ],
)
def test_days_in_a_row_are_working_days(days: list[int], count: int, earned: int | None) -> None:
    done = [Done(NOW.replace(day=day), date(2026, 5, day)) for day in days]
    found = earned_by("streak", count, done, Programme())
    assert (found.date.day if found else None) == earned


def test_where_one_company_fails_the_others_get_theirs_and_nothing_is_lost(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(cast)
    one = badge(cast, count=1)
    keep_merits(now=NOW)
    desk.processed("1")
    monkeypatch.setattr(module, "give_badges", lambda *_, **__: 1 // 0)
    with pytest.raises(ExceptionGroup, match=f"company {cast.beiyuan.pk}"):
        keep_merits(now=LATER)
    monkeypatch.undo()
    keep_merits(now=LATER)
    assert holders(one) == {"Lin Fang"}
