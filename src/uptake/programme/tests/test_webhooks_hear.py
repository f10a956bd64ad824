"""Other software hears of every award, of what is taken back and of levels, of its own company only."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cast import Cast
from uptake.directory.scope import EVERYTHING
from uptake.notify.models import Delivery
from uptake.notify.subscribe import make_webhook
from uptake.programme.tests.test_levels_held import LATER, Levelled

pytestmark = pytest.mark.django_db(transaction=True)


def test_awards_and_levels_are_announced_to_their_company_also_when_they_are_old_news(cast: Cast) -> None:
    desk = Levelled(cast)
    desk.follow_levels()
    for place in (cast.beiyuan, cast.qinghe):
        make_webhook(
            organization=place, name="HR", address="https://hr.example/", about=["awards", "levels"], by=EVERYTHING,
            now=LATER,
        )  # fmt: skip
    desk.processed("a", LATER, now=LATER)
    desk.processed("b", LATER, now=LATER + timedelta(days=3))
    desk.consider(LATER + timedelta(days=3))

    told = [(one.webhook.organization, one.person, one.kind, json.loads(one.body)["data"]) for one in
            Delivery.objects.select_related("webhook__organization", "person").order_by("pk")]  # fmt: skip
    assert {(place, person) for place, person, _kind, _data in told} == {(cast.beiyuan, cast.lin)}
    awards = [data for _place, _person, kind, data in told if kind == "points.awarded"]
    assert [(one["points"], one["rule"]) for one in awards] == [(10, "orders")] * 2
    assert len({one["award"] for one in awards}) == 2
    assert [(kind, data["level"]) for *_who, kind, data in told if kind != "points.awarded"][-1] == (
        "level.reached", "silver",
    )  # fmt: skip
