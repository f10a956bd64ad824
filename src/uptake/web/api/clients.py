"""Takes what event clients of other makers send, each at an address of its protocol: /in/segment, /in/posthog ….

Clients throw events away at most answers of the kind 4xx, and some take nothing but 200 for a success. So a request
with a valid key is answered 200 even where single messages of it cannot be used (the page of the key tells of them),
and what may come again later is answered 429 or 503 with Retry-After. A refusal says its reason as `code` and
`message`, which some clients insist on.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from uptake.connectors.message import Message, Reading, Unreadable, text_of
from uptake.connectors.protocols import PROTOCOLS, Protocol
from uptake.connectors.request import Request
from uptake.connectors.told import happening_of_message
from uptake.directory.models import Organization
from uptake.events import keys
from uptake.events.models import BROWSER
from uptake.web.api import problems
from uptake.web.api.body import read_body
from uptake.web.api.intake import JSON, Answer, Asked, cors_of, opened_by, preflight, slow_down, wait_for, write
from uptake.web.api.limits import MAX_EVENTS
from uptake.web.api.refusal import Refused

PREFIX = "/in/"
PAUSED_SECONDS = 60
COMPANIES_BELIEVED_SECONDS = 60.0
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def client_door(path: str) -> Callable[[Asked], Awaitable[Answer]] | None:
    """What answers this path; None if it is no address of a client."""
    if not path.startswith(PREFIX):
        return None
    name, _slash, rest = path.removeprefix(PREFIX).partition("/")
    protocol = PROTOCOLS.get(name)
    return None if protocol is None else lambda asked: _answer(protocol, f"/{rest}", asked)


async def _answer(protocol: Protocol, path: str, asked: Asked) -> Answer:
    cors: dict[str, str] = {}
    key: keys.Authenticated | None = None
    try:
        if asked.method == "OPTIONS":
            return _as_asked(await preflight(asked), asked)
        if asked.method not in {"POST", "GET"}:
            raise Refused(
                405, "method_not_allowed", "Clients send by POST or GET.", {}, {"Allow": "POST, GET, OPTIONS"}
            )
        request = await _request(path, asked)
        reading, unreadable = _read(protocol, request)
        if not (reading.messages or reading.problems or unreadable):
            return _taken(protocol, request, reading, _origin_alone(asked))
        key = await _key(protocol, request, reading)
        cors = cors_of(asked, key)
        if unreadable:
            raise Refused(400, "unreadable", unreadable)
        await _store(key, reading)
    except Refused as refusal:
        if key is not None:
            problems.note(key.key_id, refusal.error, refusal.detail)
        return _refused(refusal, cors)
    return _taken(protocol, request, reading, cors)


async def _request(path: str, asked: Asked) -> Request:
    length = asked.headers.get("content-length", "")
    body = await read_body(
        asked.chunks,
        encoding="",  # whatever the header says: packed bodies are known by their first bytes
        length=int(length) if length.isascii() and length.isdigit() else None,
    )
    return Request(asked.method, f"{path}?{asked.query}" if asked.query else path, asked.headers, body)


def _read(protocol: Protocol, request: Request) -> tuple[Reading, str]:
    """(what was read, why it could not be read)."""
    try:
        return protocol.read(request), ""
    except Unreadable as failure:
        return Reading(None), str(failure)


async def _key(protocol: Protocol, request: Request, reading: Reading) -> keys.Authenticated:
    """The key, from wherever the protocol puts it, else from `?key=`. Refused: 401, 403, 503."""
    named = (
        request.query.get("key"),
        request.named.get("x-api-key"),
        *(_token_auth(request) if protocol.name == "matomo" else ()),
    )
    told = (reading.key, request.bearer, request.basic, *named)
    secret = next((one for one in told if one and keys.FORM.fullmatch(one)), None)
    if secret is not None:
        try:
            key = await opened_by(secret)
        except Refused as refusal:
            # A client would throw away what is refused for good; a paused connection takes it later.
            again = {"Retry-After": str(PAUSED_SECONDS)}
            raise Refused(503, refusal.error, refusal.detail, {}, again) from None
        if key is not None:
            if key.connection.kind == BROWSER:
                raise Refused(403, "page_key", "This is a key of our own script; make one for clients of other makers.")
            return key
    raise Refused(401, "no_key", "Send a valid key (upk_…) as the write key of the client, or as ?key=.")


def _token_auth(request: Request) -> tuple[str | None, ...]:
    """Where Matomo's clients put a secret, beside the number of a site."""
    beside = (request.query.get("token_auth"), request.form.get("token_auth"))
    if not request.unpacked.lstrip().startswith(b"{"):
        return beside
    content = request.document
    return (*beside, text_of(content.get("token_auth")) if isinstance(content, dict) else None)


async def _store(key: keys.Authenticated, reading: Reading) -> None:
    """Writes what can be used; notes what cannot. Refused: 413, 429, 503, 500."""
    if len(reading.messages) > MAX_EVENTS:
        limit = {"limit": MAX_EVENTS, "sent": len(reading.messages)}
        raise Refused(413, "too_many_events", f"At most {MAX_EVENTS} events go into one request.", limit)
    slow_down(key, len(reading.messages))
    for sentence in reading.problems:
        problems.note(key.key_id, "bad_item", sentence)
    public, now = bool(key.allowed_origins), datetime.now(UTC)
    companies = await _companies(key, reading.messages)
    read = [happening_of_message(one, received_at=now, public=public, companies=companies) for one in reading.messages]
    happenings = [one for one in read if one is not None]
    fates = await write(key, happenings)
    if any(fate.fate not in problems.GOOD for fate in fates):
        problems.note_fates(key.key_id, fates, happenings)


_known_companies: dict[int, tuple[float, frozenset[str]]] = {}


async def _companies(key: keys.Authenticated, messages: Sequence[Message]) -> Collection[str]:
    """Slugs of the companies an event of this connection may name; asked only where some message names a group."""
    if not any(message.group for message in messages):
        return ()
    place = key.connection.organization
    known = _known_companies.get(key.key_id)
    if known is None or time.monotonic() - known[0] > COMPANIES_BELIEVED_SECONDS:
        named = await wait_for(
            lambda: frozenset(
                Organization.objects.filter(path__startswith=place.path, company__isnull=False).values_list(
                    "slug", flat=True
                )
            )
        )
        if len(_known_companies) > 1000:
            _known_companies.clear()
        known = _known_companies[key.key_id] = (time.monotonic(), named)
    return known[1]


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _taken(protocol: Protocol, request: Request, reading: Reading, cors: dict[str, str]) -> Answer:
    """The success that clients of this protocol look for; always 200, for some take nothing else for one."""
    if _wants_picture(protocol, request):
        return Answer(200, PIXEL, {**JSON, **cors, "Content-Type": "image/gif"})
    return Answer(200, orjson.dumps(_said(protocol.name, request, reading)), {**JSON, **cors})


def _wants_picture(protocol: Protocol, request: Request) -> bool:
    return (request.method == "GET" and protocol.name in {"matomo", "snowplow"}) or request.ends("sa.gif")


def _said(name: str, request: Request, reading: Reading) -> dict[str, Any]:
    if name == "posthog":
        if request.ends("/i/v1/analytics/events"):
            return {"results": {message.id: {"result": "ok"} for message in reading.messages if message.id}}
        return {"status": "Ok"} if reading.messages or reading.problems else {}
    if name == "matomo":
        return {"status": "success", "tracked": len(reading.messages), "invalid": len(reading.problems)}
    if name == "countly":
        return {"result": "Success"}
    if name == "umami":
        return {"cache": "", "sessionId": "", "visitId": ""}
    return {"success": True}


def _refused(refusal: Refused, cors: dict[str, str]) -> Answer:
    body = {"code": refusal.error, "message": refusal.detail, **refusal.more}
    return Answer(refusal.status, orjson.dumps(body), {**JSON, **cors, **refusal.headers})


def _origin_alone(asked: Asked) -> dict[str, str]:
    """For answers that hold nothing, any page may read them."""
    origin = asked.headers.get("origin", "")
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}


def _as_asked(given: Answer, asked: Asked) -> Answer:
    """Clients send headers of their own; whichever they are, they carry nothing but their bookkeeping."""
    wanted = asked.headers.get("access-control-request-headers", "")
    if given.status != 204 or not all(letter.isalnum() or letter in "-_, " for letter in wanted):
        return given
    allowed = {"Access-Control-Allow-Methods": "GET, POST"}
    if wanted:
        allowed["Access-Control-Allow-Headers"] = wanted
    return replace(given, headers={**given.headers, **allowed})
