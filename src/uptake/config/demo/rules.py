"""The demo's rulebook: two versions by date, so that one sees a change of the rules at work."""

from __future__ import annotations

from datetime import date
from typing import Any

from uptake.config.demo.names import Words


def rulebook(
    *, language: str, first: date, changed: date | None, holidays: list[date], worked: list[date]
) -> dict[str, Any]:
    """The rulebook file (2b) in force from `first`; with `changed`, the next one, in which two rules change then."""

    def title(en: str, zh: str) -> str:
        return Words(en, zh).in_(language)

    day = [{"times": 1, "every": "day"}]
    start, change = first.isoformat(), changed.isoformat() if changed else None
    receipt = title("Goods receipt posted in time", "及时过账收货")
    moved = title("Stock moved", "库存移动")
    in_time = {"fact": "minutes", "op": "lte"}
    rules = [
        _rule("log-in", 1, start, "auth.login", 2, title("First log-in of the day", "当日首次登录"), cap=day),
        _rule(
            "order-created",
            1,
            start,
            "order.created",
            {"per": "lines", "each": 1, "points": 1, "min": 2, "max": 10},
            title("Order entered", "录入订单"),
            cap=[{"points": 40, "every": "day"}],
        ),
        _rule(
            "order-on-time",
            1,
            start,
            "order.processed",
            8,
            title("Order processed on time", "按时处理订单"),
            when=[{"fact": "on_time", "op": "eq", "value": True}],
            cap=[{"points": 48, "every": "day"}],
        ),
        _rule(
            "receipt-in-time",
            1,
            start,
            "goods_receipt.posted",
            6,
            receipt,
            until=change,
            when=[{**in_time, "value": 240}],
            cap=[{"times": 8, "every": "day"}],
        ),
        _rule(
            "receipt-in-time",
            2,
            change or "",
            "goods_receipt.posted",
            10,
            receipt,
            when=[{**in_time, "value": 120}],
            cap=[{"times": 6, "every": "day"}],
        ),
        _rule(
            "stock-moved",
            1,
            start,
            "stock.moved",
            3,
            moved,
            until=change,
            cap=[{"points": 60, "every": "day"}],
        ),
        _rule(
            "stock-moved",
            2,
            change or "",
            "stock.moved",
            {"per": "quantity", "each": 20, "points": 1, "whole_units": True, "max": 5},
            moved,
            cap=[{"points": 20, "every": "day"}],
        ),
        _rule(
            "stock-counted",
            1,
            start,
            "stock.counted",
            {"per": "lines", "each": 10, "points": 2, "whole_units": True},
            title("Stock counted without a difference", "盘点无差异"),
            when=[{"fact": "correct", "op": "eq", "value": True}],
            cap=[{"points": 24, "every": "day"}],
        ),
        _rule(
            "quality-on-time",
            1,
            start,
            "quality.checked",
            5,
            title("Quality check on time", "按时完成质检"),
            when=[{"fact": "on_time", "op": "eq", "value": True}],
            cap=[{"times": 6, "every": "day"}],
        ),
        _rule(
            "work-order",
            1,
            start,
            "work_order.completed",
            {"per": "pieces", "each": 50, "points": 1, "min": 1, "max": 5},
            title("Work order reported complete", "完工报工"),
            cap=[{"points": 15, "every": "day"}],
        ),
        _rule(
            "purchase-approved",
            1,
            start,
            "purchase_order.approved",
            3,
            title("Purchase order approved", "审批采购订单"),
            cap=[{"times": 5, "every": "day"}],
        ),
        _rule(
            "report",
            1,
            start,
            ["report.submitted"],
            6,
            title("Report submitted", "提交报表"),
            cap=[{"times": 2, "every": "day"}],
        ),
    ]
    return {
        "programme": {
            "lateness_days": 7,
            "holidays": [day.isoformat() for day in holidays],
            "work_days": [day.isoformat() for day in worked],
        },
        "rules": [rule for rule in rules if rule["from"] == start or changed],
    }


def _rule(
    name: str,
    version: int,
    start: str,
    on: str | list[str],
    points: int | dict[str, Any],
    title: str,
    *,
    until: str | None = None,
    when: list[dict[str, Any]] | None = None,
    cap: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    rule: dict[str, Any] = {"rule": name, "version": version, "from": start, "on": on, "points": points, "title": title}
    if until:
        rule["until"] = until
    if when:
        rule["when"] = when
    if cap:
        rule["cap"] = cap
    return rule
