"""Around the demo stand a directory, software and a group; nothing leaves the machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.config.demo.outside import stand_around
from uptake.config.demo.park import make_park
from uptake.connectors.people.models import PeopleSource
from uptake.notify.deliver import deliver
from uptake.notify.models import Chat, Delivery, Webhook

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_all_is_there_and_nothing_is_sent(cast: Cast) -> None:
    stand_around(make_park(seed=1, today=NOW.date(), days=30, language="zh-hans", rest=frozenset()), NOW)

    assert PeopleSource.objects.get().company == cast.beiyuan
    assert {one.chat for one in Webhook.objects.all()} == {"", Chat.DINGTALK}
    assert Delivery.objects.count() == 1
    assert deliver(clock=lambda: NOW + timedelta(minutes=5), post=_sent) == 0


def _sent(*_about: Any, **_more: Any) -> Any:
    raise AssertionError("it was sent")
