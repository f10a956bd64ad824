"""By an access token one reads what one can redeem and did redeem; who keeps the desk reads extra leave for HR."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.models import Person
from uptake.directory.tokens import make_token
from uptake.programme.rewards.models import Redemption
from uptake.programme.rewards.tests.world import Shop

pytestmark = pytest.mark.django_db


def read(cast: Cast, who: Person, address: str) -> Any:
    viewer = cast.viewer(who, timezone.localdate())
    _token, secret = make_token(by=viewer, days=1, now=timezone.now())
    return Client().get(f"/api/v1/{address}", headers={"authorization": f"Bearer {secret}"})


def test_what_one_can_redeem_and_did_redeem(cast: Cast) -> None:
    shop = Shop(cast)
    shop.earned(100)
    mug = shop.reward(stock=3, price=40, name_zh="保温杯")
    shop.reward(name_en="Chair", price=900)
    shop.redeem(mug, now=timezone.now())
    told = read(cast, cast.lin, "rewards").json()
    assert told["available"] == 60
    assert [(one["name_en"], one["left"], one["missing"], one["refused"]) for one in told["rewards"]] == [
        ("Mug", 2, 0, ""),
        ("Chair", None, 840, "not_enough_points"),
    ]
    (one,) = read(cast, cast.lin, "redemptions").json()["redemptions"]
    assert (one["reward"], one["price"], one["state"], one["redeemed"]) == (mug.pk, 40, "requested", None)
    assert read(cast, cast.ke, "redemptions").json() == {"redemptions": []}


def test_extra_leave_is_for_who_keeps_the_desk(cast: Cast) -> None:
    shop = Shop(cast)
    shop.earned(100)
    now = timezone.now()
    shop.redeem(shop.reward(kind="leave", leave_days=1), now=now, leave_from_date=now.date())
    address = f"leave-requests?company={cast.beiyuan.slug}"
    assert read(cast, cast.lin, address).status_code == 403
    (one,) = read(cast, cast.ke, address).json()["leave"]
    assert (one["person"], one["days"], one["from_date"], one["state"]) == (
        "Lin Fang",
        1.0,
        now.date().isoformat(),
        "requested",
    )
    assert Redemption.objects.get().exported_at is not None
    since = urlencode({"since": (now + timedelta(hours=1)).isoformat()})
    assert read(cast, cast.ke, f"{address}&{since}").json() == {"leave": []}
    assert read(cast, cast.ke, f"{address}&since=yesterday").status_code == 400


def test_without_a_token_nothing_is_told(cast: Cast) -> None:
    for address in ("rewards", "redemptions", "leave-requests"):
        assert Client().get(f"/api/v1/{address}").status_code == 401
        assert cast.sign_in(cast.lin).get(f"/api/v1/{address}").status_code == 401
