"""The demo's rulebooks, each in two versions by date, so that one sees a change of the rules at work.

The park's is plain. Some companies have one of their own that says the same and more: levels, a streak, orders that are
undone when they are cancelled, points that one waits for, and points that expire.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from uptake.config.demo.names import Words

RICH: Final = ("beiyuan",)
"""The companies with a rulebook of their own."""
MANY_LINES: Final = 10
"""From so many lines on a purchase order pays more, since the rules changed."""
LEVELS: Final = (
    (Words("Starter", "新手"), 50),
    (Words("Steady hand", "熟手"), 250),
    (Words("Expert", "能手"), 600),
    (Words("Master", "行家"), 1000),
    (Words("Grand master", "大师"), 1600),
)


def rulebook(
    *, language: str, first: date, changed: date | None, holidays: list[date], worked: list[date], rich: bool = False
) -> dict[str, Any]:
    """The rulebook file (2b) in force from `first`; with `changed`, the next one, in which three rules change then.
    `rich`: that of a company of `RICH`."""

    def title(en: str, zh: str) -> str:
        return Words(en, zh).in_(language)

    day = [{"times": 1, "every": "day"}]
    start, change = first.isoformat(), changed.isoformat() if changed else None
    receipt = title("Goods receipt posted in time", "及时过账收货")
    moved = title("Stock moved", "库存移动")
    bought, five = title("Purchase order approved", "审批采购订单"), [{"times": 5, "every": "day"}]
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
        _rule("purchase-approved", 1, start, "purchase_order.approved", 3, bought, until=change, cap=five),
        _rule(
            "purchase-approved",
            2,
            change or "",
            "purchase_order.approved",
            {"per": "lines", "steps": [{"at_least": 1, "points": 3}, {"at_least": MANY_LINES, "points": 5}]},
            bought,
            cap=five,
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
    file: dict[str, Any] = {
        "programme": {
            "lateness_days": 7,
            "holidays": [day.isoformat() for day in holidays],
            "work_days": [day.isoformat() for day in worked],
        },
        "rules": [rule for rule in rules if rule["from"] == start or changed],
    }
    if rich:
        _enrich(file, language, first)
    return file


def _enrich(file: dict[str, Any], language: str, first: date) -> None:
    """What only some companies have."""
    # A fiscal year that ends some weeks from now, whenever the demo is made.
    file["programme"] |= {
        "expires": {"end_of": "year"},
        "fiscal_year_start": (first.month + 5) % 12 + 1,
        "season_ends": _quarters(first),
    }
    told = {"log-in": {"expires": {"end_of": "month"}}, "order-on-time": {"available_after_days": 7}}
    for rule in file["rules"]:
        rule |= told.get(rule["rule"], {})
    bonus = _rule(
        "five-days",
        1,
        first.isoformat(),
        "auth.login",
        5,
        Words("Five working days in a row", "连续五个工作日").in_(language),
        cap=[{"times": 1, "every": "week"}],
    )
    streak = {"every": "day", "length": 5, "working_days": True, "freezes_per_month": 1}
    file["rules"].append({**bonus, "streak": streak, "expires": {"days": 90}})
    file["reversals"] = [{"event": "order.cancelled", "undoes": ["order.processed"]}]
    file["levels"] = [{"name": name.in_(language), "at": at} for name, at in LEVELS]


def _quarters(first: date) -> list[str]:
    """The first days of the next quarters."""
    begun = first.year * 4 + (first.month - 1) // 3
    return [date(at // 4, at % 4 * 3 + 1, 1).isoformat() for at in range(begun + 1, begun + 7)]


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
