"""What the operator and the coach keep of their questions: views shared with roles, segments to narrow questions to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from uptake.config.demo.names import Words
from uptake.config.demo.park import DemoPark
from uptake.directory.models import Organization, Role
from uptake.directory.scope import viewer_of
from uptake.insight.metrics.keep_segment import make_segment
from uptake.insight.metrics.keep_view import save_view

# who, place, page, address, name, shared with
VIEWS: tuple[tuple[str, str, str, str, Words, tuple[Role, ...]], ...] = (
    ("ren", "beiyuan", "funnel", "step=goods_receipt.posted&as=&step=invoice.posted&as=&window=14&days=90",
     Words("From goods receipt to invoice", "从收货到发票"), (Role.COACH, Role.MANAGER)),
    ("ren", "linjiang", "trends", "every=week&by=organization&days=90",
     Words("Active people by company, weekly", "各企业每周活跃人数"), (Role.AUDITOR,)),
    ("ren", "linjiang", "matrix", "", Words("Modules of all companies", "各企业的模块使用"), ()),
    ("wei", "beiyuan", "retention", "every=week&days=90",
     Words("Who comes back at Beiyuan", "北源：谁会回来"), (Role.MANAGER,)),
)  # fmt: skip
# who, place, name, criteria (all must hold), shared with
SEGMENTS: tuple[tuple[str, str, Words, list[dict[str, Any]], tuple[Role, ...]], ...] = (
    ("ren", "linjiang", Words("Stopped posting receipts", "不再过账收货的人"),
     [{"kind": "stopped", "event": "goods_receipt.posted", "days": 90, "recent_days": 30}], (Role.AUDITOR,)),
    ("ren", "linjiang", Words("Regular users", "经常使用的人"),
     [{"kind": "regularly", "period_days": 7, "min_periods": 3, "total_periods": 4}], ()),
    ("wei", "beiyuan", Words("Work orders, never quality checks", "完工但从未质检的人"),
     [{"kind": "performed", "event": "work_order.completed", "days": 30, "op": "gte", "count": 1},
      {"kind": "not_performed", "event": "quality.checked", "days": 90}], ()),
)  # fmt: skip


def keep_questions(park: DemoPark, now: datetime) -> None:
    """Saves the views and segments of the demo."""
    users = {one.get_username(): one for one in get_user_model().objects.filter(username__in=["ren", "wei"])}
    viewers = {name: viewer_of(user, today=park.today) for name, user in users.items()}
    places = Organization.objects.in_bulk([place for _who, place, *_rest in VIEWS], field_name="slug")
    for who, slug, page, query, name, roles in VIEWS:
        save_view(
            name=name.in_(park.language), page=page, query=f"at={slug}&{query}".rstrip("&"), organization=places[slug],
            roles=roles, by=viewers[who], now=now,
        )  # fmt: skip
    for who, slug, name, criteria, roles in SEGMENTS:
        make_segment(
            name=name.in_(park.language), organization=places[slug], criteria={"match": "all", "criteria": criteria},
            roles=roles, by=viewers[who], now=now,
        )  # fmt: skip
