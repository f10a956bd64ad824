"""The widget's script and its questions: a token for a server, what is shown for a page, and the stream that says when.

The stream carries nothing of anybody: it says that something came, and the page asks again. So whatever a message is
about, a page sees what belongs to its own company only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from uptake.events.models import WidgetKey
from uptake.events.widget_keys import opened_by
from uptake.notify.follow import last_bookmark
from uptake.web.api.intake import JSON
from uptake.web.api.refusal import Refused
from uptake.web.collector.script import script_of
from uptake.web.collector.views import served
from uptake.web.live.hub import Listener, Told
from uptake.web.live.record import WIDGET
from uptake.web.live.stream import stream
from uptake.web.live.views import HUB
from uptake.web.widget.access import (
    PREFLIGHT,
    Reader,
    allowed_by_some_key,
    cors_for,
    noting,
    origin_asking,
    page_asking,
    person_called,
    server_asking,
)
from uptake.web.widget.reading import at_home, beside, shown
from uptake.web.widget.token import LONGEST, SHORTEST, Claim, sign

SCRIPT: Final = "widget.js"
MAX_BODY: Final = 10_000
LANGUAGES: Final = {"zh": "zh-hans", "en": "en"}


def script(request: HttpRequest) -> HttpResponseBase:
    """The script, for pages of any site: it holds nothing of anybody."""
    return served(request, script_of(SCRIPT))


def give_token(request: HttpRequest) -> HttpResponse:
    """A token for one person, by a key of the server that knows who is signed in: {"token", "expires_at"}."""
    return _answered(lambda: _token(request), {})


def _token(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    key = server_asking(request, now)
    with noting(key):
        asked = _body(request)
    with noting(key, lambda: asked):
        return _given(key, asked, now)


def token_by(secret: str, asked: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """As `give_token`, for a host that runs in this process: the demo's. Refused as there."""
    key = opened_by(secret=secret, now=now)
    if key is None:
        raise Refused(401, "no_key", "No valid widget key.")
    return _given(key, asked, now)


def _given(key: WidgetKey, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    unknown = asked.keys() - {"person", "source", "company", "seconds"}
    called, seconds = asked.get("person"), asked.get("seconds", int(LONGEST.total_seconds()))
    if (
        unknown
        or not isinstance(called, str)
        or not called
        or isinstance(seconds, bool)
        or not isinstance(seconds, int)
    ):
        raise Refused(400, "not_a_question", 'Send {"person": "the id your software uses"}; "seconds" may be less.')
    if not SHORTEST.total_seconds() <= seconds <= LONGEST.total_seconds():
        raise Refused(400, "bad_seconds", f"A token lasts {SHORTEST.seconds} to {LONGEST.seconds} seconds.")
    if asked.get("source", key.connection.slug) != key.connection.slug:
        raise Refused(403, "wrong_source", "This key gives tokens for the people of its own connection only.")
    person = person_called(key, called)
    where = at_home(person, now) if person is not None else None
    if (
        person is None
        or where is None
        or not where.company.path.startswith(key.connection.organization.path)
        or asked.get("company", where.company.slug) != where.company.slug
    ):
        raise Refused(404, "nobody", "Nobody of this connection's place is known by this id.")
    ends = (now + timedelta(seconds=seconds)).replace(microsecond=0)
    return {"token": sign(Claim(key.pk, person.pk, where.company.pk, ends)), "expires_at": ends}


def look(request: HttpRequest) -> HttpResponse:
    """What the widget shows of the person of the token; with `more=1` also what is reckoned on opening it."""
    if request.method == "OPTIONS":
        return preflight(request)
    cors: dict[str, str] = {}
    return _answered(lambda: _look(request, cors), cors)


def _look(request: HttpRequest, cors: dict[str, str]) -> dict[str, Any]:
    now = timezone.now()
    reader = page_asking(request, now, cors)
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    with translation.override(_language(request)):
        told = shown(reader.person, reader.where, now=now, after=number, site=settings.URL.geturl().rstrip("/"))
        if request.GET.get("more") == "1":
            told |= beside(reader.person, reader.where, now=now)
    return told


def listen(request: HttpRequest) -> HttpResponseBase:
    """The stream: `changed` when something came, `bye` when the token ends or its key is revoked."""
    if request.method == "OPTIONS":
        return preflight(request)
    cors: dict[str, str] = {}
    try:
        if request.method != "GET":
            raise Refused(405, "method_not_allowed", "The stream is read by GET.", {}, {"Allow": "GET, OPTIONS"})
        reader = page_asking(request, timezone.now(), cors)
        response: HttpResponseBase = StreamingHttpResponse(_stream(reader), content_type="text/event-stream")
    except Refused as refusal:
        return _refusal(refusal, cors)
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    _dress(response, cors)
    if not database.in_atomic_block:
        database.close()
    return response


def _stream(reader: Reader) -> AsyncIterator[bytes]:
    listener = Listener(reader.claim.person, f"{WIDGET}{reader.claim.key}")
    seconds = (reader.claim.ends_at - timezone.now()).total_seconds()
    body = stream(HUB, listener, missed=None, head=last_bookmark(), words=_something)
    return _until_it_ends(body, listener, seconds)


async def _until_it_ends(body: Any, listener: Listener, seconds: float) -> AsyncIterator[bytes]:
    ending = asyncio.get_running_loop().call_later(max(0.0, seconds), listener.close)
    try:
        async with aclosing(body):
            async for part in body:
                yield part
    finally:
        ending.cancel()


def _something(_told: Told) -> tuple[str, Mapping[str, object]]:
    return "changed", {}


def preflight(request: HttpRequest) -> HttpResponse:
    """A browser's question before it asks."""
    origin = origin_asking(request)
    if not allowed_by_some_key(origin):
        return _refusal(Refused(403, "wrong_origin", "No widget key allows pages of this origin."), {})
    response = HttpResponse(status=204)
    _dress(response, {**cors_for(origin), **PREFLIGHT})
    return response


def _language(request: HttpRequest) -> str:
    """That of the page (`lang`), else that of the browser, as Django found it."""
    asked = request.GET.get("lang", "")[:2].lower()
    return LANGUAGES.get(asked) or translation.get_language() or settings.LANGUAGE_CODE


def _body(request: HttpRequest) -> dict[str, Any]:
    body = request.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        raise Refused(413, "body_too_large", f"The body passes {MAX_BODY} bytes.")
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused(400, "malformed_json", "The body is not a JSON object.")
    return asked


def _answered(tell: Callable[[], dict[str, Any]], cors: dict[str, str]) -> HttpResponse:
    """What is told, or why not; `cors` is filled while it is found out."""
    try:
        response = HttpResponse(orjson.dumps(tell()))
    except Refused as refusal:
        return _refusal(refusal, cors)
    _dress(response, {**JSON, **cors})
    return response


def _refusal(refusal: Refused, cors: Mapping[str, str]) -> HttpResponse:
    body = orjson.dumps({"error": refusal.error, "detail": refusal.detail, **refusal.more})
    response = HttpResponse(body, status=refusal.status)
    _dress(response, {**JSON, **cors, **refusal.headers})
    return response


def _dress(response: HttpResponseBase, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        response[name] = value
    patch_vary_headers(response, ["Origin"])
