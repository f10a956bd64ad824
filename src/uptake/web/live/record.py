"""What the poller asks of the record: messages after a bookmark, new events per company, sessions that still stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from django.contrib.sessions.models import Session
from django.db import close_old_connections, connection

from uptake.events.models import Event, WidgetKey
from uptake.events.read import Position, events_after
from uptake.notify.follow import Bookmark, last_bookmark, messages_after
from uptake.notify.models import Message
from uptake.web.live.hub import News, Told

MESSAGES_AT_ONCE: Final = 2000
EVENTS_AT_ONCE: Final = 20000
MISSED_AT_MOST: Final = 20
WIDGET: Final = "widget:"
"""How the session of a page begins that listens by a token of the widget; the number of its key follows."""


def told(message: Message) -> Told:
    return Told(Bookmark(message.txid, message.pk), message.person_id, message.kind, message.content)


class DatabaseRecord:
    """The record in the database, read by the poller's one thread, which keeps its connection."""

    def __init__(self) -> None:
        self._events_at: Position | None = None

    def head(self) -> Bookmark:
        close_old_connections()
        return last_bookmark()

    def look(self, after: Bookmark, with_events: bool) -> News:
        close_old_connections()
        found = messages_after(after, limit=MESSAGES_AT_ONCE)
        events: Counter[int] = Counter()
        if not with_events:
            self._events_at = None
        elif self._events_at is None:
            last = Event.objects.order_by("-pk").values_list("txid", "pk").first()
            self._events_at = Position(*last) if last else Position()
        else:
            rows = list(events_after(self._events_at, limit=EVENTS_AT_ONCE).values_list("txid", "pk", "company_id"))
            if rows:
                self._events_at = Position(rows[-1][0], rows[-1][1])
            events.update(company for _, _, company in rows if company is not None)
        return News(tuple(map(told, found.messages)), found.bookmark, events)

    def live_sessions(self, keys: Iterable[str]) -> set[str]:
        close_old_connections()
        asked = set(keys)
        standing = Session.objects.filter(session_key__in=list(asked), expire_date__gt=datetime.now(UTC))
        found = set(standing.values_list("session_key", flat=True))
        if widgets := [int(one.removeprefix(WIDGET)) for one in asked if one.startswith(WIDGET)]:
            valid = WidgetKey.objects.valid().filter(pk__in=widgets)
            found |= {f"{WIDGET}{key}" for key in valid.values_list("pk", flat=True)}
        return found


def missed_by(person_id: int, after: Bookmark) -> list[Told]:
    """What a page that comes back has not heard yet: the newest of it. Gives its thread's connection back."""
    try:
        rows = messages_after(after, limit=200, person_id=person_id).messages
        return [told(message) for message in rows[-MISSED_AT_MOST:]]
    finally:
        connection.close()
