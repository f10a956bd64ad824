"""Who could redeem anything: against the cheapest reward that is there to be had."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.ledger.grant import Grant, grant
from uptake.programme.fairness.afford import affordable
from uptake.programme.rewards.models import Reward

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("rewards", "price", "able"),
    [
        ([{"price": 50}, {"price": 120}], 50, 1),
        ([{"price": 10, "hidden": True}, {"price": 50}], 50, 1),
        ([{"price": 10, "stock": 3, "taken": 3}, {"price": 51}], 51, 0),
        ([{"price": 10, "level": "Expert"}, {"price": 20}], 20, 2),
        ([{"price": 10, "level": "Expert"}], 10, 2),
    ],
)
def test_counted_are_those_with_points_for_the_cheapest(
    cast: Cast, rewards: list[dict[str, Any]], price: int, able: int
) -> None:
    for nth, one in enumerate(rewards):
        Reward.objects.create(company=cast.beiyuan, kind="goods", name_en=f"R{nth}", created_at=NOW, **one)
    people = {cast.lin.pk: 50, cast.hua.pk: 20}
    grant(
        [
            Grant(
                book=cast.beiyuan.pk, key=f"g/{who}", lot=f"g/{who}", owner=str(who), points=points, cause=f"g/{who}",
                happened_at=NOW, available_from=NOW, reason="x",
            )
            for who, points in people.items()
        ],
        now=NOW,
    )  # fmt: skip

    found = affordable(cast.beiyuan, [*people, cast.an.pk], NOW)

    assert found is not None
    assert (found.price, found.able, found.people) == (price, able, 3)


def test_nothing_on_offer_is_no_share(cast: Cast) -> None:
    assert affordable(cast.beiyuan, [cast.lin.pk], NOW) is None
