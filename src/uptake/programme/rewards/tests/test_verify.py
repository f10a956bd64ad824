"""What redemptions say and what the ledger says are compared, and a difference is found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cast import NOW, Cast
from uptake.programme.rewards.import_coupons import import_coupons
from uptake.programme.rewards.models import Redemption, Reward
from uptake.programme.rewards.resolve import cancel, fulfil, refund
from uptake.programme.rewards.tests.world import Shop
from uptake.programme.rewards.verify import problems_of

pytestmark = pytest.mark.django_db

BROKEN: list[tuple[str, str, Callable[[], object]]] = [
    ("I16", "taken", lambda: Reward.objects.filter(name_en="Mug").update(taken=0)),
    (
        "I16",
        "has no code",
        lambda: Redemption.objects.filter(key="mug 1").update(reward=Reward.objects.get(name_en="V")),
    ),
    ("I10", "its hold open", lambda: Redemption.objects.filter(key="mug 0").update(state="cancelled", resolved_at=NOW)),
    ("I10", "its hold settled", lambda: Redemption.objects.filter(key="mug 1").update(points=9)),
    ("I10", "differ", lambda: Redemption.objects.filter(key="mug 0").update(price=9)),
]


@pytest.fixture
def shop(cast: Cast) -> Shop:
    shop = Shop(cast)
    shop.earned(100)
    mug = shop.reward(price=10, stock=9)
    an = cast.viewer(cast.an)
    rows = [shop.requested(mug, key=f"mug {number}") for number in range(4)]
    fulfil(redemption=rows[1].pk, by=an, key="f", now=NOW)
    fulfil(redemption=rows[2].pk, by=an, key="f", now=NOW, points=3)
    refund(redemption=rows[2].pk, by=an, key="r", now=NOW)
    cancel(redemption=rows[3].pk, by=an, key="c", now=NOW)
    coupons = shop.reward(kind="coupon", name_en="V", price=1, with_codes=True)
    import_coupons(reward=coupons, codes=["A"], by=an, now=NOW)
    shop.redeem(coupons, key="v")
    return shop


def test_nothing_is_found_where_all_is_well(shop: Shop) -> None:
    assert problems_of(shop.book) == []


@pytest.mark.parametrize(("invariant", "words", "deed"), BROKEN)
def test_a_difference_is_found(shop: Shop, invariant: str, words: str, deed: Callable[[], object]) -> None:
    deed()
    found = [(problem.invariant, problem.what) for problem in problems_of(shop.book)]
    assert any(one == invariant and words in what for one, what in found), found
