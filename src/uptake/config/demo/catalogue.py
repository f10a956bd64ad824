"""What the demo's ERP and portal say: names of events with labels in both languages and their properties."""

from __future__ import annotations

from typing import Any, NamedTuple


class Described(NamedTuple):
    """One name of the demo's catalogue."""

    name: str
    label_en: str
    label_zh: str
    category: str
    object_type: str
    properties: dict[str, Any]
    counts_as_active: bool = True


def _number(en: str, zh: str) -> dict[str, str]:
    return {"type": "number", "label_en": en, "label_zh": zh}


def _text(en: str, zh: str) -> dict[str, str]:
    return {"type": "text", "label_en": en, "label_zh": zh}


def _yes_no(en: str, zh: str) -> dict[str, str]:
    return {"type": "boolean", "label_en": en, "label_zh": zh}


LINES = _number("lines", "行数")
QUANTITY = _number("quantity", "数量")
PIECES = _number("pieces", "件数")
ON_TIME = _yes_no("on time", "按时")
AMOUNT = _number("amount", "金额")

CATALOGUE: tuple[Described, ...] = (
    Described("auth.login", "Log-in", "登录", "access", "", {"client": _text("client", "客户端")}),
    Described("$pageview", "Page viewed", "浏览页面", "pages", "", {"path": _text("page", "页面")}),
    Described("order.created", "Order entered", "录入订单", "orders", "order", {"lines": LINES, "amount": AMOUNT}),
    Described(
        "order.processed", "Order processed", "处理订单", "orders", "order", {"lines": LINES, "on_time": ON_TIME}
    ),
    Described("order.cancelled", "Order cancelled", "取消订单", "orders", "order", {"reason": _text("reason", "原因")}),
    Described(
        "goods_receipt.posted",
        "Goods receipt posted",
        "过账收货",
        "stock",
        "goods receipt",
        {"minutes": _number("minutes after delivery", "到货后分钟数"), "lines": LINES},
    ),
    Described(
        "stock.moved",
        "Stock moved",
        "库存移动",
        "stock",
        "movement",
        {"lines": LINES, "quantity": QUANTITY, "direction": _text("direction", "方向")},
    ),
    Described(
        "stock.counted",
        "Stock counted",
        "盘点",
        "stock",
        "count",
        {"lines": LINES, "correct": _yes_no("no difference", "无差异")},
    ),
    Described(
        "label.print_failed", "Label printing failed", "标签打印失败", "stock", "label", {"code": _text("code", "代码")}
    ),
    Described(
        "purchase_order.approved",
        "Purchase order approved",
        "审批采购订单",
        "purchasing",
        "purchase order",
        {"lines": LINES},
    ),
    Described(
        "quality.checked",
        "Quality check done",
        "完成质检",
        "quality",
        "check",
        {"on_time": ON_TIME, "findings": _number("findings", "发现项")},
    ),
    Described("invoice.posted", "Invoice posted", "过账发票", "finance", "invoice", {"amount": AMOUNT}),
    Described("work_order.released", "Work order released", "下达工单", "planning", "work order", {"pieces": PIECES}),
    Described(
        "work_order.completed",
        "Work order completed",
        "工单完工",
        "production",
        "work order",
        {"pieces": PIECES, "scrap": _number("scrap", "报废")},
    ),
    Described("report.submitted", "Report submitted", "提交报表", "reports", "report", {"kind": _text("kind", "种类")}),
    Described("interface.ran", "Nightly interface ran", "夜间接口运行", "access", "", {}, counts_as_active=False),
    Described(
        "course.attended",
        "Course attended",
        "参加课程",
        "learning",
        "course",
        {"minutes": _number("minutes", "分钟数")},
        counts_as_active=False,
    ),
)
