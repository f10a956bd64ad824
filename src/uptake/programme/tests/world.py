"""What the stories of points need beside the cast: a connection, a published rulebook, short ways to tell events."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.cast import NOW, Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.happening import Happening
from uptake.events.models import Batch, Connection, Event
from uptake.events.record import record
from uptake.programme.consider import consider_new_events
from uptake.programme.models import Award, RulebookVersion
from uptake.programme.publish import publish

RULES: list[dict[str, Any]] = [
    {
        "rule": "orders",
        "version": 1,
        "from": "2026-01-01",
        "on": "order.processed",
        "points": {"per": "lines"},
        "cap": [{"points": 100, "every": "day"}],
        "title": "Order processed",
    }
]


class Desk:
    """Beiyuan's connection "orders" and its people at work; every call ends with considering, unless told not to."""

    def __init__(self, cast: Cast, rules: list[dict[str, Any]] | None = None, **more: Any) -> None:
        self.cast = cast
        self.connection = Connection.objects.filter(slug="orders").first() or Connection.objects.create(
            slug="orders", kind="api", name="Orders", organization=cast.beiyuan, created_at=NOW
        )
        self.rulebook = published(cast, rules, **more)

    def processed(
        self,
        key: str,
        at: datetime = NOW,
        *,
        who: str = "lin",
        lines: Any = 10,
        now: datetime | None = None,
        batch: Batch | None = None,
        consider: bool = True,
        **more: Any,
    ) -> Event:
        """Somebody processed an order of some lines."""
        external = self.cast.identities[who].external_id if who in self.cast.identities else who
        happening = Happening("order.processed", key, at, external, key, {"lines": lines}, **more)
        (fate,) = record([happening], connection=self.connection, now=now or max(at, NOW), batch=batch)
        assert fate.event_id is not None, fate.reason
        if consider:
            self.consider(now or max(at, NOW))
        return Event.objects.get(pk=fate.event_id)

    def consider(self, now: datetime = NOW + timedelta(minutes=1)) -> int:
        return consider_new_events(now=now)


def published(cast: Cast, rules: list[dict[str, Any]] | None = None, **more: Any) -> RulebookVersion:
    """The rulebook of Beiyuan since the beginning; `more` is what it says beside rules."""
    return publish(
        rulebook={"rules": RULES if rules is None else rules, **more},
        organization=cast.beiyuan,
        in_force_date=date(2020, 1, 1),
        by=EVERYTHING,
        now=NOW,
    )


def points_of(event: Event) -> int:
    return sum(Award.objects.filter(event=event).values_list("points", flat=True))
