"""A reward is asked for once per key, refused for the first reason in the order of the rules, and resolved once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING, NotAllowed
from uptake.events.models import Event
from uptake.ledger.grant import Taking, take_back
from uptake.ledger.verify import verify
from uptake.notify.models import Delivery, Message
from uptake.notify.subscribe import make_webhook
from uptake.programme.publish import publish
from uptake.programme.rewards.models import Redemption, Reward, State, Step
from uptake.programme.rewards.refusals import (
    AlreadyResolved,
    Conflict,
    InDebt,
    LevelTooLow,
    LimitReached,
    MoreThanHeld,
    NotApproved,
    NotEnoughPoints,
    NotFulfilled,
    NotOnOffer,
    OutOfStock,
    Refusal,
    SelfDealing,
    UnknownRedemption,
)
from uptake.programme.rewards.resolve import approve, cancel, fulfil, refund, reject, time_out_redemptions
from uptake.programme.rewards.tests.world import Shop

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=16)
"""After what was requested at NOW has timed out: start of the date after 14 more."""


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


def test_a_request_holds_the_points_and_takes_a_place_in_the_stock_once(shop: Shop) -> None:
    shop.earned(150)
    mug = shop.reward(stock=3)
    first = shop.redeem(mug)
    again = shop.redeem(mug, now=NOW + timedelta(hours=1))
    assert (first.replayed, again.replayed) == (False, True)
    assert first.redemption.pk == again.redemption.pk
    assert (shop.points().available, shop.points().held) == (50, 100)
    assert Reward.objects.get().left == 2
    assert list(Step.objects.values_list("deed", "points")) == [("requested", 100)]
    assert Event.objects.filter(name="reward.requested").count() == 1
    with pytest.raises(Conflict):
        shop.redeem(shop.reward(name_en="Cap", price=1))


def test_other_software_that_listens_hears_of_a_request_once(shop: Shop) -> None:
    make_webhook(
        organization=shop.cast.beiyuan, name="HR", address="https://hr.example/", about=["redemptions"], by=EVERYTHING,
        now=NOW,
    )  # fmt: skip
    shop.earned(300)
    mug = shop.reward()
    for _ in range(2):
        shop.redeem(mug, key="k")

    told = Delivery.objects.get()
    assert (told.kind, told.person, told.company) == ("redemption.requested", shop.cast.lin, shop.cast.beiyuan)
    assert '"price":100' in told.body


def test_the_price_of_the_request_stays(shop: Shop) -> None:
    shop.earned(100)
    mug = shop.reward()
    asked = shop.requested(mug)
    Reward.objects.update(price=7)
    fulfil(redemption=asked.pk, by=EVERYTHING, key="f", now=NOW)
    assert (shop.points().available, shop.points().held) == (0, 0)
    assert Redemption.objects.get().points == 100


REFUSED: list[tuple[type[Refusal], dict[str, Any], int]] = [
    (NotOnOffer, {"hidden": True}, 100),
    (NotOnOffer, {"from_date": date(2026, 5, 14)}, 100),
    (NotOnOffer, {"until_date": date(2026, 5, 13)}, 100),
    (LevelTooLow, {"level": "gold", "per_person": 0, "stock": 0}, 1),
    (LimitReached, {"per_person": 0, "stock": 0}, 1),
    (OutOfStock, {"stock": 0}, 1),
    (NotEnoughPoints, {"stock": 1}, 99),
]


@pytest.mark.parametrize(("refusal", "keys", "points"), REFUSED)
def test_the_first_reason_is_told(shop: Shop, refusal: type[Refusal], keys: dict[str, Any], points: int) -> None:
    shop.earned(points)
    mug = shop.reward(**keys)
    with pytest.raises(refusal):
        shop.redeem(mug)
    assert not Redemption.objects.exists()
    assert not Step.objects.exists()
    assert Reward.objects.get().taken == 0
    assert shop.points().available == points


def test_who_owes_points_hears_that_first(shop: Shop) -> None:
    shop.earned(100)
    spent = shop.requested(shop.reward())
    fulfil(redemption=spent.pk, by=EVERYTHING, key="f", now=NOW)
    owner = str(shop.cast.lin.pk)
    take_back([Taking(book=shop.book, key="back", lot=f"earned/{owner}", points=1, cause="event/2")], now=NOW)
    with pytest.raises(InDebt):
        shop.redeem(shop.reward(level="gold", per_person=0, stock=0), key="other")


def test_only_those_who_belong_to_the_company_redeem_there(shop: Shop) -> None:
    with pytest.raises(NotAllowed):
        shop.redeem(shop.reward(price=0), who=shop.cast.mo)


def test_what_is_cancelled_or_timed_out_frees_its_place(shop: Shop) -> None:
    shop.earned(100)
    mug = shop.reward(stock=1, per_person=1)
    first = shop.requested(mug, key="1")
    with pytest.raises(LimitReached):
        shop.redeem(mug, key="2")
    cancel(redemption=first.pk, by=shop.cast.viewer(shop.cast.lin), key="c", now=NOW)
    second = shop.requested(mug, key="2")
    third = shop.requested(mug, key="3", now=LATER)
    second.refresh_from_db()
    assert (second.state, third.state) == (State.TIMED_OUT, State.REQUESTED)
    assert second.resolved_at == second.times_out_at
    assert Reward.objects.get().taken == 1
    assert shop.points(now=LATER).held == 100


def test_time_over_counts_before_the_job_came_by(shop: Shop) -> None:
    shop.earned(100)
    asked = shop.requested(shop.reward())
    assert asked.times_out_at.isoformat() == "2026-05-27T16:00:00+00:00"
    just_before = asked.times_out_at - timedelta(microseconds=1)
    assert asked.state_at(just_before) == State.REQUESTED
    assert shop.points(now=just_before).held == 100
    assert asked.state_at(asked.times_out_at) == State.TIMED_OUT
    assert shop.points(now=asked.times_out_at).available == 100
    with pytest.raises(AlreadyResolved):
        fulfil(redemption=asked.pk, by=EVERYTHING, key="f", now=asked.times_out_at)
    assert time_out_redemptions(now=just_before) == 0
    assert time_out_redemptions(now=LATER) == 1
    assert time_out_redemptions(now=LATER) == 0
    assert Message.objects.filter(kind="redemption.timed_out").count() == 1


def test_a_part_may_be_fulfilled_and_a_refund_gives_it_back(shop: Shop) -> None:
    shop.earned(100)
    mug = shop.reward(stock=1)
    asked = shop.requested(mug)
    with pytest.raises(MoreThanHeld):
        fulfil(redemption=asked.pk, by=EVERYTHING, key="f", now=NOW, points=101)
    fulfil(redemption=asked.pk, by=EVERYTHING, key="f", now=NOW, points=30)
    assert (shop.points().available, shop.points().held) == (70, 0)
    assert Reward.objects.get().left == 0
    refund(redemption=asked.pk, by=EVERYTHING, key="r", now=NOW)
    assert shop.points().available == 100
    assert Reward.objects.get().left == 1
    with pytest.raises(AlreadyResolved):
        refund(redemption=asked.pk, by=EVERYTHING, key="r2", now=NOW)
    assert list(Step.objects.order_by("number").values_list("deed", "points")) == [
        ("requested", 100),
        ("fulfilled", 30),
        ("refunded", 30),
    ]
    assert verify().holds


def test_a_deed_under_its_key_is_done_once(shop: Shop) -> None:
    shop.earned(100)
    asked = shop.requested(shop.reward())
    assert not reject(redemption=asked.pk, by=EVERYTHING, key="d", now=NOW, answer="None left").replayed
    assert reject(redemption=asked.pk, by=EVERYTHING, key="d", now=NOW, answer="None left").replayed
    with pytest.raises(Conflict):
        reject(redemption=asked.pk, by=EVERYTHING, key="d", now=NOW, answer="Other words")
    for deed in (approve, fulfil, reject, cancel):
        with pytest.raises(AlreadyResolved):
            deed(redemption=asked.pk, by=EVERYTHING, key="e", now=NOW)
    with pytest.raises(NotFulfilled):
        refund(redemption=asked.pk, by=EVERYTHING, key="e", now=NOW)
    with pytest.raises(UnknownRedemption):
        fulfil(redemption=asked.pk + 1, by=EVERYTHING, key="e", now=NOW)


def test_what_needs_approval_waits_for_it(shop: Shop) -> None:
    shop.earned(100)
    asked = shop.requested(shop.reward(needs_approval=True))
    ke = shop.cast.viewer(shop.cast.ke)
    with pytest.raises(NotApproved):
        fulfil(redemption=asked.pk, by=ke, key="f", now=NOW)
    approve(redemption=asked.pk, by=ke, key="a", now=NOW)
    with pytest.raises(AlreadyResolved):
        approve(redemption=asked.pk, by=ke, key="a2", now=NOW)
    fulfil(redemption=asked.pk, by=ke, key="f", now=NOW)
    assert [one.kind for one in Message.objects.order_by("pk")] == ["redemption.approved", "redemption.fulfilled"]


@pytest.mark.parametrize("deed", [approve, fulfil, refund])
def test_nobody_approves_hands_out_or_refunds_their_own(shop: Shop, deed: Callable[..., Any]) -> None:
    shop.earned(100, who=shop.cast.ke)
    asked = shop.requested(shop.reward(), who=shop.cast.ke)
    if deed is refund:
        fulfil(redemption=asked.pk, by=EVERYTHING, key="f", now=NOW)
    with pytest.raises(SelfDealing):
        deed(redemption=asked.pk, by=shop.cast.viewer(shop.cast.ke), key="d", now=NOW)


def test_only_the_desk_decides_and_only_its_own_companies(shop: Shop) -> None:
    shop.earned(100)
    asked = shop.requested(shop.reward())
    for who, refusal in (("lin", NotAllowed), ("hua", UnknownRedemption), ("mo", UnknownRedemption)):
        viewer = shop.cast.viewer(getattr(shop.cast, who))
        with pytest.raises(refusal):
            fulfil(redemption=asked.pk, by=viewer, key="f", now=NOW)
    with pytest.raises(UnknownRedemption):
        cancel(redemption=asked.pk, by=shop.cast.viewer(shop.cast.mo), key="c", now=NOW)


def test_a_level_reached_opens_a_reward_and_nobody_reaches_an_unknown_one(shop: Shop) -> None:
    publish(
        rulebook={"rules": [], "levels": [{"name": "bronze", "at": 0}, {"name": "gold", "at": 500}]},
        organization=shop.cast.beiyuan,
        in_force_date=date(2020, 1, 1),
        by=EVERYTHING,
        now=NOW,
    )
    shop.earned(100)
    shop.redeem(shop.reward(level="bronze", price=1), key="1")
    for level in ("gold", "silver"):
        with pytest.raises(LevelTooLow):
            shop.redeem(shop.reward(level=level, price=1), key=level)


def test_the_database_itself_sells_nothing_twice_and_keeps_what_was_done(shop: Shop) -> None:
    shop.earned(100)
    mug = shop.reward(stock=1)
    asked = shop.requested(mug)
    for broken in (
        lambda: Reward.objects.filter(pk=mug.pk).update(taken=2),
        lambda: Reward.objects.filter(pk=mug.pk).update(stock=0),
        lambda: Step.objects.update(points=1),
        lambda: Step.objects.all().delete(),
        lambda: Redemption.objects.filter(pk=asked.pk)._raw_delete("default"),
        lambda: Redemption.objects.update(state="fulfilled", points=101, resolved_at=timezone.now()),
    ):
        with pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
            broken()
