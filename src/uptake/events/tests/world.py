"""What the stories of events are made of: connections of the cast's places, and happenings with little to say."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.cast import NOW
from uptake.directory.models import Organization
from uptake.directory.scope import EVERYTHING
from uptake.events.connect import connect
from uptake.events.happening import Happening
from uptake.events.models import Batch, Connection

EARLIER = NOW - timedelta(hours=1)


def connection_of(place: Organization, slug: str = "erp", **more: Any) -> Connection:
    return connect(slug=slug, kind="api", name="ERP", organization=place, by=EVERYTHING, now=NOW, **more)


def batch_of(connection: Connection) -> Batch:
    return Batch.objects.create(connection=connection, label="orders.csv", created_at=NOW)


def said(key: str = "1", **what: Any) -> Happening:
    """An order processed an hour ago, unless something else is said."""
    at: datetime = what.pop("at", EARLIER)
    return Happening(event=what.pop("event", "order.processed"), key=key, at=at, **what)
