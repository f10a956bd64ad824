"""Who waits for a reward: a line in order, a piece kept for some days for whose turn it is, and no points held."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tests.cast import NOW, Cast
from uptake.directory.models import Person
from uptake.directory.scope import EVERYTHING, Viewer
from uptake.directory.viewer import NotAllowed
from uptake.notify.models import Message
from uptake.notify.notices import notice_of
from uptake.programme.rewards.import_coupons import import_coupons
from uptake.programme.rewards.leave_programme import leave_programme
from uptake.programme.rewards.line import join_line, lapse_due, leave_line, place_of
from uptake.programme.rewards.models import Redemption, Reward, Standing, Wait
from uptake.programme.rewards.offer import Offer, offer
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.refusals import LimitReached, NoLine, NotOnOffer, OutOfStock, StillThere, Unusable
from uptake.programme.rewards.resolve import cancel, fulfil, refund, reject, time_out_redemptions
from uptake.programme.rewards.shelf import shelf
from uptake.programme.rewards.tests.test_at_once import at_once, colleagues
from uptake.programme.rewards.tests.world import Shop
from uptake.programme.rewards.verify import problems_of

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Line:
    """One mug, which Lin asked for; Hua and Ke wait for it."""

    def __init__(self, cast: Cast, **keys: Any) -> None:
        self.cast, self.shop = cast, Shop(cast)
        for who in (cast.lin, cast.hua, cast.ke):
            self.shop.earned(500, who=who)
        self.mug = self.shop.reward(stock=1, has_line=True, keep_days=2, **keys)
        self.first = self.shop.requested(self.mug)
        self.hua, self.ke = self.join(cast.hua), self.join(cast.ke)

    def join(self, who: Person) -> Wait:
        return join_line(reward=self.mug, by=self.cast.viewer(who), now=NOW + HOUR)

    def standing(self) -> tuple[str, str]:
        self.hua.refresh_from_db()
        self.ke.refresh_from_db()
        self.mug.refresh_from_db()
        assert problems_of(self.shop.book) == []
        return self.hua.standing, self.ke.standing

    def sell_more(self, **keys: Any) -> Reward:
        given = {"kind": "goods", "name_en": "Mug", "price": 100, "stock": 1, "has_line": True, "keep_days": 2, **keys}
        told = Offer(**given)
        return offer(company=self.cast.beiyuan, offer=told, by=EVERYTHING, now=NOW + 2 * HOUR, reward=self.mug)


def told(who: Person) -> list[str]:
    return list(Message.objects.filter(person=who, kind__startswith="reward.").values_list("kind", flat=True))


def test_what_comes_back_is_kept_for_the_first_and_counts_as_taken_for_all_others(cast: Cast) -> None:
    line = Line(cast)
    assert (place_of(line.hua), place_of(line.ke)) == (1, 2)
    assert line.join(cast.ke).pk == line.ke.pk, "joining twice keeps the place"
    assert line.shop.points(cast.hua).held == 0, "no points are held"

    reject(redemption=line.first.pk, by=cast.viewer(cast.ren), key="r", now=NOW + 2 * HOUR)

    assert line.standing() == ("kept", "waiting")
    assert (line.mug.taken, line.mug.kept, line.mug.left, place_of(line.ke)) == (0, 1, 0, 1)
    assert (told(cast.hua), told(cast.ke)) == (["reward.kept"], [])
    with pytest.raises(OutOfStock):
        line.shop.redeem(line.mug, who=cast.ke, key="ke", now=NOW + 3 * HOUR)
    assert shelf(cast.beiyuan, cast.ke.pk, now=NOW + 3 * HOUR).items[0].why_not == "out_of_stock"
    mine = shelf(cast.beiyuan, cast.hua.pk, now=NOW + 3 * HOUR).items[0]
    assert (mine.why_not, mine.is_kept) == ("", True)

    line.shop.redeem(line.mug, who=cast.hua, key="hua", now=NOW + 3 * HOUR)

    assert line.standing() == ("taken", "waiting")
    assert (line.mug.taken, line.mug.kept) == (1, 0)


def test_who_lets_the_days_pass_is_told_and_the_next_has_their_turn(cast: Cast) -> None:
    line = Line(cast)
    cancel(redemption=line.first.pk, by=cast.viewer(cast.lin), key="c", now=NOW + 2 * HOUR)
    line.hua.refresh_from_db()
    until = line.hua.kept_until
    assert until is not None
    assert until > NOW + 2 * DAY, "two whole days beside today"
    assert lapse_due(now=until - HOUR) == 0
    assert lapse_due(now=until) == 1
    assert lapse_due(now=until) == 0

    assert line.standing() == ("lapsed", "kept")
    assert (told(cast.hua), told(cast.ke)) == (["reward.kept", "reward.lapsed"], ["reward.kept"])
    said = notice_of("reward.kept", Message.objects.get(person=cast.ke, kind="reward.kept").content)
    assert said is not None
    assert said["href"] == f"/rewards/{line.mug.pk}/"
    assert str(said["sub"]).startswith("Mug, up to and including")


def test_a_turn_that_is_over_is_over_although_no_job_came_by(cast: Cast) -> None:
    line = Line(cast)
    cancel(redemption=line.first.pk, by=cast.viewer(cast.lin), key="c", now=NOW + 2 * HOUR)
    late = NOW + 4 * DAY
    with pytest.raises(OutOfStock):
        line.shop.redeem(line.mug, who=cast.hua, key="hua", now=late)
    leave_line(reward=line.mug, person=cast.ke.pk, now=late)
    assert line.standing()[1] == "left"
    line.shop.redeem(line.mug, who=cast.lin, key="again", now=late)
    assert line.standing()[0] == "lapsed"
    assert line.mug.taken == 1


@pytest.mark.parametrize("how", ["refund", "time", "stock", "leave", "leaving the company"])
def test_every_way_in_which_stock_returns_calls_the_next(cast: Cast, how: str) -> None:
    line = Line(cast)
    ren = cast.viewer(cast.ren)
    if how == "refund":
        fulfil(redemption=line.first.pk, by=ren, key="f", now=NOW + 2 * HOUR)
        refund(redemption=line.first.pk, by=ren, key="b", now=NOW + 3 * HOUR)
    elif how == "time":
        while time_out_redemptions(now=NOW + 40 * DAY):
            pass
    elif how == "stock":
        line.sell_more(stock=2)
    elif how == "leave":
        reject(redemption=line.first.pk, by=ren, key="r", now=NOW + 2 * HOUR)
        leave_line(reward=line.mug, person=cast.hua.pk, now=NOW + 3 * HOUR)
        assert line.standing() == ("left", "kept")
        return
    else:
        leave_programme(person=cast.lin, company=cast.beiyuan, key="l", by=ren, now=NOW + 2 * HOUR)
    assert line.standing() == ("kept", "waiting")


def test_codes_that_come_are_kept_and_one_that_is_void_is_not(cast: Cast) -> None:
    shop = Shop(cast)
    for who in (cast.lin, cast.hua):
        shop.earned(500, who=who)
    card = shop.reward(kind="coupon", with_codes=True, has_line=True)
    import_coupons(reward=card, codes=["A"], by=EVERYTHING, now=NOW)
    given = shop.requested(card)
    wait = join_line(reward=card, by=cast.viewer(cast.hua), now=NOW + HOUR)

    refund(redemption=given.pk, by=cast.viewer(cast.ren), key="b", now=NOW + HOUR)
    wait.refresh_from_db()
    assert wait.standing == Standing.WAITING, "the code is void"
    import_coupons(reward=card, codes=["B"], by=EVERYTHING, now=NOW + HOUR)
    wait.refresh_from_db()

    assert wait.standing == Standing.KEPT
    assert shop.redeem(card, who=cast.hua, key="h", now=NOW + HOUR).redemption.state == "fulfilled"
    assert problems_of(shop.book) == []


def test_who_may_wait(cast: Cast) -> None:
    shop = Shop(cast)
    shop.earned(500)
    lin = cast.viewer(cast.lin)
    plenty, plain = shop.reward(stock=3, has_line=True), shop.reward(stock=0)
    hidden = shop.reward(stock=0, has_line=True, hidden=True)
    one = shop.reward(stock=1, has_line=True, per_person=1)
    shop.requested(one)
    for reward, why in ((plenty, StillThere), (plain, NoLine), (hidden, NotOnOffer), (one, LimitReached)):
        with pytest.raises(why):
            join_line(reward=reward, by=lin, now=NOW)
    with pytest.raises(NotAllowed):
        join_line(reward=one, by=cast.viewer(cast.mo), now=NOW)
    for days in (0, 61):
        with pytest.raises(Unusable):
            shop.reward(has_line=True, keep_days=days)


def test_a_line_is_closed_with_a_word_to_those_in_it(cast: Cast) -> None:
    line = Line(cast)
    line.sell_more(stock=2)
    with pytest.raises(Unusable):
        line.sell_more(stock=1)
    line.sell_more(stock=1, has_line=False)

    assert line.standing() == ("closed", "closed")
    assert (told(cast.hua)[-1], told(cast.ke), line.mug.kept) == ("reward.line_closed", ["reward.line_closed"], 0)


def test_the_database_itself_keeps_no_more_than_there_is(cast: Cast) -> None:
    line = Line(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reward.objects.filter(pk=line.mug.pk).update(kept=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Wait.objects.create(company=cast.beiyuan, reward=line.mug, person=cast.hua, joined_at=NOW)
    Wait.objects.filter(pk=line.hua.pk).update(standing=Standing.KEPT, kept_until=NOW)
    assert [one.invariant for one in problems_of(line.shop.book)] == ["I16"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="one writer at a time on SQLite")
def test_many_at_once_take_nothing_that_is_kept(cast: Cast) -> None:
    """A mug comes back while thirty ask for it, five join and leave, and whose turn it is redeems it."""
    shop = Shop(cast)
    people = colleagues(shop, 36)
    mug = shop.reward(stock=2, has_line=True)
    asked = [redeem(reward=mug, by=one, key=f"first/{n}", now=NOW).redemption for n, one in enumerate(people[:2])]
    for one in people[2:7]:
        join_line(reward=mug, by=one, now=NOW)
    ren = cast.viewer(cast.ren)

    def ask(n: int, by: Viewer) -> object:
        return redeem(reward=mug, by=by, key=f"ask/{n}", now=NOW + HOUR)

    came = at_once(
        [
            *(partial(reject, redemption=row.pk, by=ren, key="r", now=NOW + HOUR) for row in asked),
            *(partial(ask, n, by) for n, by in enumerate(people[7:])),
            *(partial(leave_line, reward=mug, person=by.person_id or 0, now=NOW + HOUR) for by in people[3:5]),
        ]
    )

    assert came == Counter({"out_of_stock": 29, "done": 4})
    kept = list(Wait.objects.filter(reward=mug, standing=Standing.KEPT).order_by("pk"))
    assert [one.person_id for one in kept] == [people[2].person_id, people[5].person_id]
    came = at_once([partial(ask, 100 + n, by) for n, by in enumerate(people[2:])])
    assert came == Counter({"out_of_stock": 32, "done": 2})
    assert set(Redemption.objects.filter(reward=mug, state="requested").values_list("person_id", flat=True)) == {
        people[2].person_id, people[5].person_id
    }  # fmt: skip
    assert problems_of(shop.book) == []
