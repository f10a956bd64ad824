"""The next best step is what pays most now, by the rules in force and what is left of the limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.events.happening import Happening
from uptake.events.models import Event
from uptake.events.record import record
from uptake.programme.models import Award
from uptake.programme.next_step import next_step
from uptake.programme.tests.world import RULES, Desk

pytestmark = pytest.mark.django_db(transaction=True)
COUNTED: dict[str, Any] = {
    "rule": "counts", "version": 1, "from": "2026-01-01", "on": "stock.counted", "points": 25, "title": "Count",
    "cap": [{"times": 2, "every": "week"}],
}  # fmt: skip


def counted(desk: Desk, key: str, days: int) -> None:
    at = NOW - timedelta(days=days)
    happening = Happening("stock.counted", key, at, desk.cast.identities["lin"].external_id, key, {})
    record([happening], connection=desk.connection, now=at)
    desk.consider()


def test_the_deed_that_pays_most_wins_until_its_cap_is_used(cast: Cast) -> None:
    desk = Desk(cast, [*RULES, COUNTED])
    assert next_step(cast.lin.pk, cast.beiyuan, now=NOW) is None
    desk.processed("1", at=NOW - timedelta(days=3), lines=10)
    assert (step := next_step(cast.lin.pk, cast.beiyuan, now=NOW)) is not None
    assert (step.event, step.points, [one.rule for one in step.rules]) == ("order.processed", 10, ["orders"])
    counted(desk, "a", 2)
    before = (Event.objects.count(), Award.objects.count())
    assert (step := next_step(cast.lin.pk, cast.beiyuan, now=NOW)) is not None
    assert (step.event, step.points) == ("stock.counted", 25)
    assert (Event.objects.count(), Award.objects.count()) == before
    counted(desk, "b", 1)
    assert (step := next_step(cast.lin.pk, cast.beiyuan, now=NOW)) is not None
    assert step.event == "order.processed"
    desk.processed("2", lines=95)
    assert (step := next_step(cast.lin.pk, cast.beiyuan, now=NOW + timedelta(minutes=1))) is not None
    assert step.points == 5
    desk.processed("3", at=NOW + timedelta(minutes=1), lines=95)
    assert next_step(cast.lin.pk, cast.beiyuan, now=NOW + timedelta(minutes=2)) is None
