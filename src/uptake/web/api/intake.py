"""Takes events over HTTP: who asks, what was sent, and the fate of each event after the commit.

The door (`door.py`) calls this before Django's own machinery, the API's view within it; both only translate.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

import orjson
from django.conf import settings
from django.db import connection as database
from django.db.utils import InterfaceError, OperationalError

from uptake.events import keys
from uptake.events.happening import Fate, Happening
from uptake.events.models import BROWSER
from uptake.events.record import ConnectionPaused
from uptake.web.api import problems
from uptake.web.api.body import parse, read_body
from uptake.web.api.bucket import Buckets
from uptake.web.api.limits import BURST_SECONDS, RETRY_SECONDS
from uptake.web.api.reading import happening_of
from uptake.web.api.refusal import Refused
from uptake.web.api.writer import QueueFull, Stopped, the_writer

log = logging.getLogger(__name__)
FATES = ("new", "replayed", "conflict", "quarantined", "rejected")
PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True)
class Asked:
    """A request: `headers` by lower-case name, the body as it comes."""

    method: str
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    query: str = ""
    client: str = ""
    """The address of who asks; empty where it is not known."""


@dataclass(frozen=True)
class Answer:
    """Status, JSON body and headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


async def answer(asked: Asked) -> Answer:
    """Takes the events of a request. Every refusal and failure is an answer too."""
    try:
        if asked.method == "OPTIONS":
            return await preflight(asked)
        if asked.method != "POST":
            raise Refused(405, "method_not_allowed", "Events are sent by POST.", {}, {"Allow": "POST, OPTIONS"})
        key = await _who(asked)
        cors = cors_of(asked, key)
    except Refused as refusal:
        return refusal_of(refusal, {})
    try:
        fates, single = await _take(asked, key)
    except Refused as refusal:
        problems.note(key.key_id, refusal.error, refusal.detail)
        return refusal_of(refusal, cors)
    return Answer(_status(fates, single), report_of(fates), {**JSON, **cors})


JSON = {"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def _take(asked: Asked, key: keys.Authenticated) -> tuple[list[Fate], bool]:
    """(fates in order, whether one event was sent by itself)."""
    kind, _semicolon, rest = asked.headers.get("content-type", "").partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise Refused(415, "unsupported_type", "Content-Type must be application/json, in UTF-8.")
    length = asked.headers.get("content-length", "")
    body = await read_body(
        asked.chunks,
        encoding=asked.headers.get("content-encoding", "").strip().lower(),
        length=int(length) if length.isascii() and length.isdigit() else None,
    )
    items, single = parse(body)
    slow_down(key, len(items))
    read = [happening_of(item) for item in items]
    if key.allowed_origins:
        # A key that pages may use can be read in them: what it brings is looked at, never paid, whoever sends it.
        read = [replace(one, history_only=True) if isinstance(one, Happening) else one for one in read]
    happenings = [one for one in read if isinstance(one, Happening)]
    stored = await write(key, happenings)
    if len(stored) < len(read):
        written = iter(stored)
        stored = [one if isinstance(one, Fate) else next(written) for one in read]
    if any(fate.fate not in problems.GOOD for fate in stored):
        problems.note_fates(key.key_id, stored, items)
    return stored, single


def slow_down(key: keys.Authenticated, events: int) -> None:
    """Refused: 429 where the key sends too fast."""
    wait = _buckets().take(key.key_id, max(1, events), time.monotonic())
    if wait:
        seconds = str(math.ceil(wait))
        detail = f"This key sends more than {_buckets().rate:g} events a second."
        raise Refused(429, "too_fast", detail, {"retry_after_seconds": int(seconds)}, {"Retry-After": seconds})


async def write(key: keys.Authenticated, happenings: Sequence[Happening]) -> list[Fate]:
    """The fates after the commit. Refused: 403 where the connection is paused, 503 and 500 where nothing was stored."""
    if not happenings:
        return []
    later = {"Retry-After": str(RETRY_SECONDS)}
    try:
        return await the_writer(settings.INTAKE_QUEUE).write(key, happenings)
    except QueueFull:
        raise Refused(503, "queue_full", "More events wait than can be written now.", {}, later) from None
    except Stopped:
        raise Refused(503, "stopping", "The server is stopping.", {}, later) from None
    except ConnectionPaused:
        raise Refused(403, "connection_paused", "This connection is paused.") from None
    except (OperationalError, InterfaceError):
        raise Refused(
            503, "database_busy", "The database did not take the events; send them again.", {}, later
        ) from None
    except Exception:
        log.exception("events of connection %s were not stored", key.connection.slug)
        raise Refused(500, "failed", "The events were not stored; the server's log says why.") from None


async def _who(asked: Asked) -> keys.Authenticated:
    scheme, _space, secret = asked.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() == "bearer" and secret:
        key = await opened_by(secret)
        if key is not None:
            if key.connection.kind == BROWSER:
                raise Refused(403, "page_key", "This is a key of web pages; they send to /api/v1/collect.")
            return key
    challenge = {"WWW-Authenticate": 'Bearer realm="events"'}
    raise Refused(401, "no_key", "Send a valid key: Authorization: Bearer upk_….", {}, challenge)


async def opened_by(secret: str) -> keys.Authenticated | None:
    """What a key opens; None for one that opens nothing. Refused: 403 where its connection is paused."""
    now = datetime.now(UTC)
    told, key = keys.remembered(secret=secret, now=now)
    if not told:
        key = await wait_for(lambda: keys.authenticate(secret=secret, now=now))
    if key is not None and key.connection.paused_at is not None:
        raise Refused(403, "connection_paused", "This connection is paused.")
    return key


def cors_of(asked: Asked, key: keys.Authenticated) -> dict[str, str]:
    """The headers for a browser; none for a server. Refused: 403 for a page the key does not allow."""
    origin = asked.headers.get("origin", "")
    if not origin:
        return {}
    if origin.lower() not in key.allowed_origins and "*" not in key.allowed_origins:
        raise Refused(403, "wrong_origin", f"This key does not allow pages of {origin[:200]}.")
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}


_origins: tuple[float, frozenset[str]] = (-math.inf, frozenset())


async def preflight(asked: Asked) -> Answer:
    """A browser's question names no key, so any origin that some key allows may go on to ask."""
    global _origins
    origin = asked.headers.get("origin", "")
    if time.monotonic() - _origins[0] > keys.BELIEVED_FOR.total_seconds():
        _origins = (time.monotonic(), await wait_for(keys.origins_allowed))
    if not origin or (origin.lower() not in _origins[1] and "*" not in _origins[1]):
        raise Refused(403, "wrong_origin", "No key allows pages of this origin.")
    return Answer(204, b"", {"Access-Control-Allow-Origin": origin, "Vary": "Origin", **PREFLIGHT})


def forget_origins() -> None:
    """Asks the record again at the next preflight."""
    global _origins
    _origins = (-math.inf, frozenset())


Told = TypeVar("Told")
_clerk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake keys")


async def wait_for(question: Callable[[], Told]) -> Told:
    """Asks the database beside the event loop. One thread is enough: answers are kept for seconds."""

    def asked() -> Told:
        try:
            return question()
        finally:
            database.close()

    return await asyncio.get_running_loop().run_in_executor(_clerk, asked)


_limits: Buckets | None = None


def _buckets() -> Buckets:
    global _limits
    rate = float(settings.INTAKE_EVENTS_PER_SECOND)
    if _limits is None or _limits.rate != rate:
        _limits = Buckets(rate, rate * BURST_SECONDS)
    return _limits


def _status(fates: Sequence[Fate], single: bool) -> int:
    """200, but for one event sent by itself also 409 for a conflict and 422 where it was rejected."""
    if single:
        return {"conflict": 409, "rejected": 422}.get(fates[0].fate, 200)
    return 200


def report_of(fates: Sequence[Fate]) -> bytes:
    """The answer: how many of each fate, and the fates in order."""
    counts = dict.fromkeys(FATES, 0)
    for fate in fates:
        counts[fate.fate] += 1
    return orjson.dumps({"counts": counts, "fates": fates})


def refusal_of(refusal: Refused, cors: Mapping[str, str]) -> Answer:
    """A refusal as an answer."""
    body = {"error": refusal.error, "detail": refusal.detail, **refusal.more}
    return Answer(refusal.status, orjson.dumps(body), {**JSON, **cors, **refusal.headers})
