"""Takes events of web pages over HTTP, under a key that everybody can read.

The key says only whose events these are. What it opens is therefore narrow: pages of the origins it names, page views
and the events that the connection allows, small bodies, few events a second from one address, no company, no hints
about people, no times but recent ones; and nothing of it earns points (the record sees to that).
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.conf import settings

from uptake.connectors.message import PAGE_EVENT
from uptake.connectors.skew import occurred
from uptake.events import keys
from uptake.events.happening import Fate, Happening
from uptake.events.models import BROWSER
from uptake.web.api.bucket import Buckets
from uptake.web.api.intake import JSON, Answer, Asked, cors_of, opened_by, preflight, refusal_of, report_of, write
from uptake.web.api.limits import (
    BURST_SECONDS,
    MAX_PAGE_BODY,
    MAX_PAGE_EVENTS,
    PAGE_EVENT_KEPT_DAYS,
    PAGE_EVENTS_PER_SECOND,
)
from uptake.web.api.reading import happening_of
from uptake.web.api.refusal import Refused

FIELDS = frozenset({"event", "key", "at", "person", "object", "facts"})
MINUTE = timedelta(minutes=1)
OLDEST = timedelta(days=PAGE_EVENT_KEPT_DAYS)


async def answer_page(asked: Asked) -> Answer:
    """Takes the events of a page. Every refusal and failure is an answer too."""
    cors: dict[str, str] = {}
    try:
        if asked.method == "OPTIONS":
            return await preflight(asked)
        if asked.method != "POST":
            raise Refused(405, "method_not_allowed", "Events are sent by POST.", {}, {"Allow": "POST, OPTIONS"})
        key = await _key(asked)
        cors = cors_of(asked, key)
        if not cors:
            raise Refused(403, "wrong_origin", "Web pages name their origin; programs send to /api/v1/events.")
        now = datetime.now(UTC)
        sent_at, items = _content(await _body(asked))
        _slow_down(key, asked.client, len(items))
        read = [_happening(item, key, sent_at, now) for item in items]
        happenings = [one for one in read if isinstance(one, Happening)]
        stored = iter(await write(key, happenings) if happenings else [])
        fates = [one if isinstance(one, Fate) else next(stored) for one in read]
    except Refused as refusal:
        return refusal_of(refusal, cors)
    return Answer(200, report_of(fates), {**JSON, **cors})


async def _key(asked: Asked) -> keys.Authenticated:
    secret = parse_qs(asked.query).get("key", [""])[0]
    key = await opened_by(secret) if secret else None
    if key is None:
        raise Refused(401, "no_key", "Send a valid key of web pages: ?key=upb_….")
    if key.connection.kind != BROWSER:
        raise Refused(403, "not_a_page_key", "This key is a secret of programs. Make one for web pages.")
    return key


async def _body(asked: Asked) -> bytes:
    parts, size = [], 0
    async for chunk in asked.chunks:
        size += len(chunk)
        if size > MAX_PAGE_BODY:
            limit = {"limit": MAX_PAGE_BODY}
            close = {"Connection": "close"}
            raise Refused(413, "body_too_large", f"The body passes {MAX_PAGE_BODY} bytes.", limit, close)
        parts.append(chunk)
    return b"".join(parts)


def _content(body: bytes) -> tuple[str | None, list[Any]]:
    """(when it was sent by the browser's clock, the events). Any Content-Type: text/plain spares a question before."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "malformed_json", f"The body is not JSON: {error}.") from None
    items = content.get("events") if isinstance(content, dict) else None
    if not isinstance(items, list):
        raise Refused(400, "not_events", 'Send {"sent_at": …, "events": […]}.')
    if len(items) > MAX_PAGE_EVENTS:
        limit = {"limit": MAX_PAGE_EVENTS, "sent": len(items)}
        raise Refused(413, "too_many_events", f"At most {MAX_PAGE_EVENTS} events of a page go into one request.", limit)
    sent_at = content.get("sent_at")
    return sent_at if isinstance(sent_at, str) else None, items


def _happening(item: Any, key: keys.Authenticated, sent_at: str | None, now: datetime) -> Happening | Fate:
    if not isinstance(item, dict):
        return Fate("", "rejected", None, "An event is an object.")
    own = str(item.get("key") or "")[:255]
    if not FIELDS.issuperset(item):
        names = ", ".join(sorted(str(name) for name in item.keys() - FIELDS))[:200]
        return Fate(own, "rejected", None, f"Web pages may not send: {names}.")
    name = item.get("event")
    if name != PAGE_EVENT and name not in key.connection.page_events:
        return Fate(own, "rejected", None, "This event is not among those that web pages may send.")
    happening = happening_of(item)
    if isinstance(happening, Fate):
        return happening
    at = _when(item["at"], sent_at, now)
    if at < now - OLDEST:
        return Fate(own, "rejected", None, f"It happened more than {PAGE_EVENT_KEPT_DAYS} days ago.")
    return replace(happening, at=at)


def _when(told: str, sent_at: str | None, now: datetime) -> datetime:
    """When it happened, the browser's clock put right by whole minutes; the future is now.

    By whole minutes, so that an event sent twice says the same both times: how long a request took must not count.
    """
    received = now
    if sent_at is not None:
        try:
            sent = datetime.fromisoformat(sent_at)
            received = sent + MINUTE * round((now - sent) / MINUTE)
        except (ValueError, TypeError, OverflowError):  # TypeError: a time without its zone
            sent_at = None
    at = occurred(time=told, sent_at=sent_at, received_at=received).at
    return now if at > now + 2 * MINUTE else at


_of_keys: Buckets | None = None
_of_visitors = Buckets(PAGE_EVENTS_PER_SECOND, float(MAX_PAGE_EVENTS))


def _slow_down(key: keys.Authenticated, client: str, events: int) -> None:
    """Refused: 429 where the key, or one address under it, sends too fast."""
    global _of_keys
    rate = float(settings.INTAKE_EVENTS_PER_SECOND)
    if _of_keys is None or _of_keys.rate != rate:
        _of_keys = Buckets(rate, rate * BURST_SECONDS)
    now = time.monotonic()
    visitor = hash((key.key_id, client))
    wait = max(_of_visitors.take(visitor, max(1, events), now), _of_keys.take(key.key_id, max(1, events), now))
    if wait:
        seconds = str(math.ceil(wait))
        more = {"retry_after_seconds": int(seconds)}
        raise Refused(429, "too_fast", "Too many events from here.", more, {"Retry-After": seconds})
