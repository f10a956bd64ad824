"""A small world of usage: people of Beiyuan and Qinghe who did things on known days before a known today."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.cast import Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.record import record
from uptake.insight.feed.refresh import refresh

ZONE = ZoneInfo("Asia/Shanghai")


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=ZONE).astimezone(UTC)


def happen(cast: Cast, deeds: list[tuple[str, str, date]], today: date) -> None:
    """Records (person's short name, event, day), once each in the order given, and feeds the activity log."""
    for company in (cast.beiyuan, cast.qinghe):
        link = connect(
            slug=f"erp-{company.slug}",
            kind="api",
            name=company.name,
            organization=company,
            by=EVERYTHING,
            now=noon(today),
        )
        happenings = [
            Happening(
                event=event,
                key=f"{index}",
                at=noon(day),
                person=name,
                person_email=cast.people()[name].email,
                history_only=day < today - timedelta(days=3),
                object=f"{'QH-7001' if company == cast.qinghe else 'BY-4500'}",
            )
            for index, (name, event, day) in enumerate(deeds)
            if (name == "mo") == (company == cast.qinghe)
        ]
        record(happenings, connection=link, now=noon(today) + timedelta(hours=1))
    refresh(now=noon(today) + timedelta(hours=2))
