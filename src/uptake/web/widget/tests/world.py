"""What the stories of the widget are made of: an ERP of Beiyuan with a key of the widget, and orders that pay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.test import Client

from tests.cast import Cast
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import Connection, WidgetKey
from uptake.events.record import record
from uptake.events.widget_keys import make_widget_key
from uptake.programme.consider import consider_new_events
from uptake.programme.publish import publish

SITE = "https://erp.example"
RULE = {
    "rule": "orders", "version": 1, "from": "2026-01-01", "on": "order.processed", "points": 10,
    "title": "Orders on time",
}  # fmt: skip


@dataclass
class Erp:
    """The ERP of Beiyuan, whose ids of people are those of the cast's source "orders"."""

    connection: Connection
    key: WidgetKey
    secret: str
    now: datetime

    def ask_token(self, person: str, *, secret: str = "", headers: Mapping[str, str] = {}, **more: Any) -> Any:
        return Client().post(
            "/api/v1/widget/tokens",
            {"person": person, **more},
            content_type="application/json",
            headers={"authorization": f"Bearer {secret or self.secret}", **headers},
        )

    def token(self, person: str = "lin-at-beiyuan") -> str:
        answer = self.ask_token(person)
        assert answer.status_code == 200, answer.content
        given: str = answer.json()["token"]
        return given

    def order(self, number: str, person: str = "lin-at-beiyuan") -> None:
        """An order an hour ago, considered and paid."""
        done = Happening("order.processed", number, self.now - timedelta(hours=1), person, number)
        assert [one.fate for one in record([done], connection=self.connection, now=self.now)] == ["new"]
        consider_new_events(now=self.now)


def look(token: str, *, origin: str = SITE, address: str = "me", **query: Any) -> Any:
    """What a page of this origin is answered."""
    headers = {"authorization": f"Bearer {token}", **({"origin": origin} if origin else {})}
    return Client().get(f"/api/v1/widget/{address}", query, headers=headers)


def erp_of(cast: Cast, now: datetime) -> Erp:
    publish(
        rulebook={"programme": {}, "rules": [RULE], "levels": [{"name": "Apprentice", "at": 10}]},
        organization=cast.beiyuan,
        in_force_date=date(2026, 1, 1),
        by=EVERYTHING,
        now=now,
    )
    connection = connect(slug="orders", kind="api", name="ERP", organization=cast.beiyuan, by=EVERYTHING, now=now)
    key, secret = make_widget_key(connection=connection, by=EVERYTHING, now=now, allowed_origins=[SITE])
    return Erp(connection, key, secret, now)
