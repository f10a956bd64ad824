"""Leave that is told afterwards, by a file, repairs the streak that it would not have broken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.moved import take_leave_in
from uptake.programme.models import Award
from uptake.programme.tests.world import Desk
from uptake.programme.verify_again import problems_of

pytestmark = pytest.mark.django_db(transaction=True)

STREAK: list[dict[str, Any]] = [
    {
        "rule": "streak", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 5,
        "streak": {"every": "day", "length": 3},
    }
]  # fmt: skip


def test_leave_from_a_file_repairs_a_streak(cast: Cast) -> None:
    desk = Desk(cast, STREAK)
    assert NOW.weekday() == 2
    for days in (5, 2, 0):  # Friday, Monday, Wednesday: Tuesday is missing
        desk.processed(f"o{days}", NOW - timedelta(days=days))
    assert [one.points for one in Award.objects.order_by("happened_at")] == [0, 0, 0]

    now, away = NOW + timedelta(hours=1), (NOW - timedelta(days=1)).date()
    text = f"email,from,to\n{cast.lin.email},{away},{away}\n"
    found = take_leave_in(text=text, company=cast.beiyuan, by=EVERYTHING, now=now)
    desk.consider(now)

    assert (found.added, list(found.people)) == (1, [cast.lin.pk])
    assert [one.points for one in Award.objects.order_by("happened_at")] == [0, 0, 5]
    assert problems_of(cast.beiyuan.pk) == []
    again = take_leave_in(text=text, company=cast.beiyuan, by=EVERYTHING, now=now)
    assert (again.known, again.people) == (1, {})
