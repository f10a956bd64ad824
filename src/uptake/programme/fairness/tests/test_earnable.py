"""Whom a rulebook could reach, before it is published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cast import TODAY, Cast
from uptake.programme.fairness.earnable import earnable
from uptake.programme.fairness.tests.test_shares import cast, orders, staff  # noqa: F401 - the fixture
from uptake.programme.rulebook_reading import read_rulebook
from uptake.programme.tests.world import Desk


def rule(name: str, on: str) -> dict[str, Any]:
    return {"rule": name, "version": 1, "from": "2026-01-01", "on": on, "points": 1, "title": name.title()}


@pytest.mark.django_db(transaction=True)
def test_who_does_what_no_rule_listens_to_is_left_behind(cast: Cast) -> None:  # noqa: F811
    desk = Desk(cast)
    buyers, clerks = [f"b{n}" for n in range(10)], [f"c{n}" for n in range(12)]
    staff(cast, cast.purchasing, buyers, "buyer")
    staff(cast, cast.finance, clerks, "clerk")
    orders(desk, dict.fromkeys(buyers, 1) | {"c1": 1}, day=TODAY.replace(day=11))
    book = read_rulebook(json.dumps({"rules": [rule("orders", "order.processed"), rule("returns", "goods.returned")]}))
    found = earnable(book, cast.beiyuan, TODAY)

    assert found is not None
    assert (found.rules, found.unheard) == (2, ("Returns",))
    told = [(one.name, one.people, one.able, one.rules, one.behind) for one in found.departments]
    assert told == [(cast.finance.name, 12, 1, 1, True), (cast.purchasing.name, 10, 10, 1, False)]
    assert [one.name for one in found.roles] == ["clerk", "buyer"]
    assert earnable(read_rulebook(json.dumps({"rules": []})), cast.beiyuan, TODAY) is None
    assert earnable(book, cast.qinghe, TODAY) is None, "too few people"
