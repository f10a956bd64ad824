"""A cap that let too much through is found by `ledger verify`, a cap for one role too; an honest record is silent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.cast import NOW, Cast
from uptake.directory.models import Membership
from uptake.programme.models import Award
from uptake.programme.tests.world import RULES, Desk
from uptake.programme.verify import problems_of

pytestmark = pytest.mark.django_db(transaction=True)


def told(cast: Cast) -> list[str]:
    return [one.what for one in problems_of(cast.beiyuan.pk) if one.invariant == "I15"]


def played(cast: Cast, caps: list[dict[str, Any]]) -> Desk:
    """Lin is a clerk on the first date, and something else on the second."""
    first = Membership.objects.get(person=cast.lin)
    Membership.objects.filter(pk=first.pk).update(role="clerk", until_date=NOW.date() + timedelta(days=1))
    Membership.objects.create(
        person=cast.lin, organization=first.organization, role="buyer", from_date=NOW.date() + timedelta(days=1)
    )
    desk = Desk(cast, [{**RULES[0], "cap": caps}])
    for day in range(2):
        for turn in range(4):
            desk.processed(f"o/{day}/{turn}", NOW + timedelta(days=day, minutes=turn))
    return desk


@pytest.mark.parametrize(
    ("caps", "paid", "raised", "sentence"),
    [
        ([{"points": 25, "every": "day"}], [25, 25], 1, "points of orders in the day of 2026-05-13, the cap lets 25"),
        ([{"times": 3, "every": "day"}], [30, 30], 1, ""),
        (
            [{"points": 25, "every": "month", "role": "clerk"}],
            [25, 40],
            1,
            "Person {lin} has 26 points of orders in the month of 2026-05-01, the cap for clerk lets 25",
        ),
        ([{"points": 25, "every": "month", "role": "nobody"}], [40, 40], 500, ""),
    ],
)
def test_what_a_cap_should_have_stopped_is_told(
    cast: Cast, caps: list[dict[str, Any]], paid: list[int], raised: int, sentence: str
) -> None:
    played(cast, caps)
    days: dict[date, int] = {}
    for day, points in Award.objects.values_list("date", "points"):
        days[day] = days.get(day, 0) + points
    assert [days[day] for day in sorted(days)] == paid
    assert told(cast) == []
    award = Award.objects.filter(points__gt=0).order_by("pk")[0]
    Award.objects.filter(pk=award.pk).update(points=award.points + raised)
    found = told(cast)
    if sentence:
        assert len(found) == 1
        assert sentence.format(lin=cast.lin.pk) in found[0]
    else:
        assert found == []
