"""Many at once: one balance is spent once, a stock never oversold, and one key is one redemption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from django.db import connection

from tests.cast import NOW, Cast
from uptake.directory.models import Membership, Person
from uptake.directory.scope import Viewer
from uptake.ledger.balances import points_of
from uptake.ledger.tests.test_again import losing
from uptake.ledger.verify import verify
from uptake.programme.rewards.models import Redemption, Reward, Step
from uptake.programme.rewards.redeem import redeem
from uptake.programme.rewards.refusals import LimitReached, NotEnoughPoints, OutOfStock, Refusal
from uptake.programme.rewards.resolve import cancel, fulfil
from uptake.programme.rewards.tests.world import Shop
from uptake.programme.rewards.verify import problems_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="one writer at a time on SQLite"),
]
THREADS = 16


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return Shop(cast)


def at_once(deeds: list[Callable[[], object]]) -> Counter[str]:
    """How often what came of it, each deed in a connection of its own."""

    def run(deed: Callable[[], object]) -> str:
        try:
            deed()
        except Refusal as refused:
            return refused.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(run, deeds))


def colleagues(shop: Shop, count: int) -> list[Viewer]:
    """People of Beiyuan with points for one mug each."""
    one = shop.cast.viewer(shop.cast.lin)
    found = []
    for number in range(count):
        person = Person.objects.create(name=f"Colleague {number}", created_at=NOW)
        Membership.objects.create(person=person, organization=shop.cast.beiyuan, from_date=one.today)
        shop.earned(100, who=person)
        found.append(replace(one, user_id=None, person_id=person.pk, name=person.name))
    return found


def test_twenty_spends_of_one_balance(shop: Shop) -> None:
    shop.earned(100)
    rewards = [shop.reward(name_en=f"Mug {number}") for number in range(20)]
    lin = shop.cast.viewer(shop.cast.lin)
    told = at_once([partial(redeem, reward=one, by=lin, key=f"k{one.pk}", now=NOW) for one in rewards])
    assert told == {"done": 1, NotEnoughPoints.code: 19}
    assert (shop.points().available, shop.points().held) == (0, 100)
    assert sum(Reward.objects.values_list("taken", flat=True)) == 1
    assert verify().holds
    assert not problems_of(shop.book)


def test_fifty_people_and_ten_in_stock(shop: Shop) -> None:
    mug = shop.reward(stock=10, per_person=1)
    people = colleagues(shop, 50)
    owners = [str(who.person_id) for who in people]
    told = at_once([partial(redeem, reward=mug, by=who, key=f"k{who.person_id}", now=NOW) for who in people])
    assert told == {"done": 10, OutOfStock.code: 40}
    assert Reward.objects.get().left == 0
    assert Redemption.objects.count() == 10
    assert sum(points.held for points in points_of(book=shop.book, owners=owners, now=NOW).values()) == 1000
    assert not problems_of(shop.book)


def test_fifty_clients_of_one_person_with_points_for_one(shop: Shop) -> None:
    """Ten in stock, points for one: one is asked for, and all others hear that the points do not reach."""
    shop.earned(100)
    mug = shop.reward(stock=10)
    lin = shop.cast.viewer(shop.cast.lin)
    told = at_once([partial(redeem, reward=mug, by=lin, key=f"k{n}", now=NOW) for n in range(50)])
    assert told == {"done": 1, NotEnoughPoints.code: 49}
    assert (shop.points().available, shop.points().held, Reward.objects.get().left) == (0, 100, 9)
    assert verify().holds
    assert not problems_of(shop.book)


def test_thirty_two_clients_of_one_person_and_the_last_one_in_stock(shop: Shop) -> None:
    """Asked for, cancelled and asked for again by everybody at once: it is never sold twice."""
    shop.earned(3200)
    mug = shop.reward(stock=1)
    lin = shop.cast.viewer(shop.cast.lin)

    def ask_and_give_back(number: int) -> None:
        asked = redeem(reward=mug, by=lin, key=f"k{number}", now=NOW).redemption
        cancel(redemption=asked.pk, by=lin, key="c", now=NOW)

    told = at_once([partial(ask_and_give_back, number) for number in range(32)])
    assert told["done"] + told[OutOfStock.code] == 32
    assert told["done"] >= 1
    assert (shop.points().available, shop.points().held, Reward.objects.get().left) == (3200, 0, 1)
    assert Redemption.objects.count() == told["done"]
    assert verify().holds
    assert not problems_of(shop.book)


def test_a_redemption_that_loses_to_others_is_done_once(shop: Shop) -> None:
    shop.earned(100)
    mug = shop.reward(stock=1)
    for table in ("ledger_transfer", "rewards_step", "events_event"):
        with losing(1, "40001", table):
            assert shop.redeem(mug).redemption.pk
    assert (Redemption.objects.count(), Step.objects.count(), shop.points().held) == (1, 1, 100)
    ke = shop.cast.viewer(shop.cast.ke)
    with losing(3, "40P01"):
        fulfil(redemption=Redemption.objects.get().pk, by=ke, key="f", now=NOW)
    assert (Step.objects.count(), shop.points().held) == (2, 0)
    assert verify().holds
    assert not problems_of(shop.book)


def test_fifty_times_one_new_key(shop: Shop) -> None:
    shop.earned(1000)
    mug = shop.reward(stock=50)
    lin = shop.cast.viewer(shop.cast.lin)
    assert at_once([partial(redeem, reward=mug, by=lin, key="one", now=NOW)] * 50) == {"done": 50}
    assert (Redemption.objects.count(), Step.objects.count(), shop.points().held) == (1, 1, 100)


def test_one_key_for_several_rewards_is_one_redemption(shop: Shop) -> None:
    shop.earned(1000)
    rewards = [shop.reward(name_en=f"Mug {number}") for number in range(8)]
    lin = shop.cast.viewer(shop.cast.lin)
    told = at_once([partial(redeem, reward=one, by=lin, key="one", now=NOW) for one in rewards])
    assert told == {"done": 1, "conflict": 7}
    assert shop.points().held == 100


def test_a_redemption_is_resolved_once_and_a_limit_holds(shop: Shop) -> None:
    shop.earned(1000)
    mug = shop.reward(stock=5, per_person=2)
    lin, ke = shop.cast.viewer(shop.cast.lin), shop.cast.viewer(shop.cast.ke)
    told = at_once([partial(redeem, reward=mug, by=lin, key=f"k{key}", now=NOW) for key in range(12)])
    assert told == {"done": 2, LimitReached.code: 10}
    asked = Redemption.objects.order_by("pk").first()
    assert asked is not None
    deeds: list[Callable[[], object]] = []
    for number in range(8):
        deeds.append(partial(fulfil, redemption=asked.pk, by=ke, key=f"f{number}", now=NOW))
        deeds.append(partial(cancel, redemption=asked.pk, by=lin, key=f"c{number}", now=NOW))
    assert at_once(deeds) == {"done": 1, "already_resolved": 15}
    assert shop.points().held == 100
    assert not problems_of(shop.book)
    assert verify().holds
