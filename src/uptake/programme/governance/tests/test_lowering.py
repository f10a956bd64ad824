"""A rulebook that only lowers another, and one that does anything else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from uptake.programme.governance.lowering import NotLower, UnknownRule, check_only_lowers, lowered
from uptake.programme.rulebook import Rulebook
from uptake.programme.rulebook_reading import parse_rulebook

pytestmark = pytest.mark.once
DAY = date(2026, 5, 13)
ORDERS: dict[str, Any] = {
    "rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10,
    "cap": [{"points": 100, "every": "day"}], "when": [{"fact": "lines", "op": "gt", "value": 1}],
}  # fmt: skip
COUNTS: dict[str, Any] = {
    "rule": "counts", "version": 1, "from": "2026-01-01", "on": "stock.counted",
    "points": {"per": "lines", "points": 2, "max": 20},
}  # fmt: skip


def book(*rules: dict[str, Any], **more: Any) -> Rulebook:
    return parse_rulebook({"rules": list(rules), **more})


def orders(**change: Any) -> dict[str, Any]:
    return {**ORDERS, "version": 2, "from": "2026-05-13", **change}


@pytest.mark.parametrize(
    "rule",
    [
        orders(points=9),
        orders(points=0),
        orders(cap=[{"points": 50, "every": "day"}]),
        orders(cap=[{"points": 100, "every": "day"}, {"times": 3, "every": "week"}]),
        orders(cooldown_seconds=60),
        orders(when=[*ORDERS["when"], {"fact": "amount", "op": "gt", "value": 5}]),
        {**COUNTS, "version": 2, "from": "2026-05-13", "points": {"per": "lines", "points": 1, "max": 20}},
        {**COUNTS, "version": 2, "from": "2026-05-13", "points": {"per": "lines", "points": 2, "max": 5}},
    ],
)
def test_lowers(rule: dict[str, Any]) -> None:
    assert check_only_lowers(book(ORDERS, COUNTS), book(ORDERS, COUNTS, rule), DAY) == [rule["rule"]]


@pytest.mark.parametrize(
    ("new", "what"),
    [
        (book(ORDERS, COUNTS), ""),
        (book(ORDERS, COUNTS, orders(title="Other words")), ""),
        (book(ORDERS, COUNTS, orders(points=11)), "orders"),
        (book(ORDERS, COUNTS, orders(points=9, cap=[])), "orders"),
        (book(ORDERS, COUNTS, orders(points=9, cap=[{"points": 101, "every": "day"}])), "orders"),
        (book(ORDERS, COUNTS, orders(points=9, cap=[{"points": 100, "every": "week"}])), "orders"),
        (book(ORDERS, COUNTS, orders(points=9, when=[])), "orders"),
        (book(ORDERS, COUNTS, orders(points=9, on=["order.processed", "order.read"])), "orders"),
        (book(ORDERS, COUNTS, orders(points=9), {**COUNTS, "rule": "new"}), "new"),
        (book(ORDERS, COUNTS, orders(points=9), orders(version=3, points=12, **{"from": "2026-06-01"})), "orders"),
        (book(ORDERS, COUNTS, orders(points=9), person_cap=[{"points": 10, "every": "day"}]), "person_cap"),
    ],
)
def test_does_not_only_lower(new: Rulebook, what: str) -> None:
    with pytest.raises(NotLower) as refused:
        check_only_lowers(book(ORDERS, COUNTS), new, DAY)
    assert refused.value.what == what


def test_a_rule_that_is_switched_off_stays_off_and_all_others_stay() -> None:
    coming = orders(version=3, points=12, **{"from": "2026-06-01"})
    new = lowered(book(ORDERS, coming, COUNTS), "orders", DAY)

    assert [rule.rule for rule in new.in_force(date(2026, 5, 12))] == ["orders", "counts"]
    assert [rule.rule for rule in new.in_force(DAY)] == ["counts"]
    assert [rule.rule for rule in new.in_force(date(2026, 7, 1))] == ["counts"]


def test_a_rule_of_today_is_switched_off_too() -> None:
    begun = {**ORDERS, "from": "2026-05-13"}
    grouped = {"groups": [{"group": "g", "rules": ["orders", "counts"], "cap": [{"points": 9, "every": "day"}]}]}

    assert lowered(book(begun, COUNTS, **grouped), "orders", DAY).in_force(DAY)[0].points == 0


@pytest.mark.parametrize(
    ("rule", "points", "per_day", "refused"),
    [("orders", 10, None, NotLower), ("orders", None, 100, NotLower), ("orders", 11, 5, NotLower),
     ("gone", None, None, UnknownRule)],
)  # fmt: skip
def test_what_is_not_lower_is_refused(rule: str, points: int | None, per_day: int | None, refused: type) -> None:
    with pytest.raises(refused):
        lowered(book(ORDERS, COUNTS), rule, DAY, points=points, per_day=per_day)


def test_both_limits_at_once() -> None:
    new = lowered(book(ORDERS, COUNTS), "counts", DAY, points=5, per_day=12).in_force(DAY)[1]

    assert (new.points.max, new.version, [cap.limit for cap in new.cap]) == (5, 2, [12])  # type: ignore[union-attr]
