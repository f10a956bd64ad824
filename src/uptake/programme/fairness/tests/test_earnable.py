"""Whom a rulebook could reach, before it is published."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cast import TODAY, Cast
from uptake.programme.exploit.effort import minutes_of
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


@pytest.mark.django_db(transaction=True)
def test_the_best_hour_of_a_role_is_filled_with_what_pays_best_of_its_work_under_all_caps(
    cast: Cast,  # noqa: F811
) -> None:
    desk = Desk(cast)
    buyers, clerks = [f"b{n}" for n in range(10)], [f"c{n}" for n in range(12)]
    staff(cast, cast.purchasing, buyers, "buyer")
    staff(cast, cast.finance, clerks, "clerk")
    orders(desk, dict.fromkeys(buyers, 2), lines=3, day=TODAY.replace(day=11))
    orders(desk, dict.fromkeys(clerks, 2), lines=9, day=TODAY.replace(day=11))
    per_line = rule("orders", "order.processed") | {"points": {"per": "lines", "each": 1, "points": 1}}

    def hours(**more: Any) -> dict[str, tuple[float, bool]]:
        found = earnable(read_rulebook(json.dumps({"rules": [per_line | more]})), cast.beiyuan, TODAY)
        assert found is not None
        assert {one.hour.name for one in found.roles if one.hour} == {"order.processed"}
        return {one.name: (one.hour.points, one.hour.less) for one in found.roles if one.hour}

    assert minutes_of("order.processed") == 10
    assert hours() == {"buyer": (18.0, True), "clerk": (54.0, False)}
    assert hours(cap=[{"points": 20, "every": "day"}]) == {"buyer": (18.0, False), "clerk": (20.0, False)}
    assert hours(cap=[{"times": 1, "every": "day"}]) == {"buyer": (3.0, True), "clerk": (9.0, False)}
    for every in ("week", "month", "ever"):
        assert hours(cap=[{"points": 20, "every": every}]) == {"buyer": (18.0, False), "clerk": (20.0, False)}, every
    assert hours(cooldown_seconds=1_300) == {"buyer": (6.0, True), "clerk": (18.0, False)}, "every third of six"
    first = {"multiplier": "first", "factor": 2, "when": [{"history": "first", "op": "eq", "value": True}]}
    found = earnable(read_rulebook(json.dumps({"rules": [per_line], "multipliers": [first]})), cast.beiyuan, TODAY)
    assert found is not None
    assert [one.hour.points for one in found.roles if one.hour] == [18.0, 54.0], "what was before is not asked"
    only_large = [{"fact": "lines", "op": "gte", "value": 5}]
    assert hours(when=only_large) == {"buyer": (0.0, True), "clerk": (54.0, False)}
