"""Takes seats over HTTP: who was given which product, by the key of a connection of the company or park."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson
from django.db.utils import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from uptake.directory.issue_seats import SeatFate, SeatRow, issue_seats
from uptake.directory.place import settings_at
from uptake.directory.scope import Grant, Viewer
from uptake.events import keys
from uptake.events.models import BROWSER
from uptake.web.api.bucket import Buckets
from uptake.web.api.intake import JSON
from uptake.web.api.limits import MAX_BODY, MAX_SEATS, RETRY_SECONDS, SEAT_LISTS_AT_ONCE, SEAT_LISTS_PER_SECOND
from uptake.web.api.refusal import Refused

FATES = ("new", "changed", "known", "refused")
TEXTS = ("product", "company", "person", "staff_number", "email", "name", "module")
DATES = {"issued": "issued_date", "invited": "invited_date", "until": "until_date"}
REASONS: Mapping[str, str] = {
    "no_company": "No such company here; with a key of a park, company names one by its slug.",
    "no_product": "No such product here.",
    "nobody": "Nobody here has this staff number or e-mail; send person, the id in the product's source, instead.",
    "two_people": "This means more than one person.",
    "ends_early": "invited and until lie not before issued.",
    "twice": "This seat stands in the request already.",
}


def answer_seats(request: HttpRequest) -> HttpResponse:
    """Issues the seats of a request in one transaction. Every refusal is an answer too."""
    try:
        key = _who(request)
        rows = [_row(number, item) for number, item in enumerate(_items(request))]
        fates = _issue(key, rows)
    except Refused as refusal:
        body = {"error": refusal.error, "detail": refusal.detail, **refusal.more}
        return _response(refusal.status, orjson.dumps(body), refusal.headers)
    return _response(200, _report(fates))


def _issue(key: keys.Authenticated, rows: Sequence[SeatRow]) -> list[SeatFate]:
    """As whoever manages the people of the connection's place: that is what its key stands for here."""
    place, now = key.connection.organization, datetime.now(UTC)
    today = settings_at(place).date_of(now)
    sender = Viewer(None, None, f"key of {key.connection.slug}", (Grant("manager", place.path),), today)
    try:
        fates = issue_seats(rows, place=place, today=today, by=sender, now=now)
        keys.note_use(key_ids=[key.key_id], now=now)
    except (OperationalError, InterfaceError):
        detail = "The database did not take the seats; send them again."
        raise Refused(503, "database_busy", detail, {}, {"Retry-After": str(RETRY_SECONDS)}) from None
    return fates


_buckets = Buckets(SEAT_LISTS_PER_SECOND, SEAT_LISTS_AT_ONCE)
_counting = threading.Lock()


def _who(request: HttpRequest) -> keys.Authenticated:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    key = None
    if scheme.lower() == "bearer" and secret.strip():
        key = keys.authenticate(secret=secret.strip(), now=datetime.now(UTC))
    if key is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="seats"'}
        raise Refused(401, "no_key", "Send a valid key: Authorization: Bearer upk_….", {}, challenge)
    if key.connection.kind == BROWSER or request.headers.get("Origin"):
        raise Refused(403, "page_key", "Seats are sent by servers, not by web pages.")
    if key.connection.paused_at is not None:
        raise Refused(403, "connection_paused", "This connection is paused.")
    with _counting:
        wait = _buckets.take(key.key_id, 1, time.monotonic())
    if wait:
        seconds = str(math.ceil(wait))
        more = {"retry_after_seconds": int(seconds)}
        raise Refused(429, "too_fast", "This key sends lists too fast.", more, {"Retry-After": seconds})
    return key


def _items(request: HttpRequest) -> list[dict[str, Any]]:
    kind, _semicolon, rest = request.headers.get("Content-Type", "").partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise Refused(415, "unsupported_type", "Content-Type must be application/json, in UTF-8.")
    length = request.headers.get("Content-Length", "")
    too_long = length.isdigit() and int(length) > MAX_BODY
    body = b"" if too_long else request.read(MAX_BODY + 1)
    if too_long or len(body) > MAX_BODY:
        raise Refused(413, "body_too_large", f"The body passes {MAX_BODY} bytes.", {"limit": MAX_BODY})
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "malformed_json", f"The body is not JSON: {error}.") from None
    if isinstance(content, dict):
        content = content["seats"] if content.keys() == {"seats"} else [content]
    if not isinstance(content, list):
        raise Refused(400, "not_seats", 'Send one seat, a list of seats, or {"seats": […]}.')
    if len(content) > MAX_SEATS:
        limit = {"limit": MAX_SEATS, "sent": len(content)}
        raise Refused(413, "too_many_seats", f"At most {MAX_SEATS} seats go into one request.", limit)
    for index, item in enumerate(content):
        if not isinstance(item, dict):
            raise Refused(400, "not_a_seat", f"Item {index} is not an object; nothing was stored.", {"index": index})
    return content


def _response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> HttpResponse:
    response = HttpResponse(body, status=status)
    for name, value in {**JSON, **(headers or {})}.items():
        response[name] = value
    return response


def _report(fates: Sequence[SeatFate]) -> bytes:
    counts = {name: sum(fate.fate == name for fate in fates) for name in FATES}
    told = [{"fate": fate.fate, "reason": REASONS.get(fate.reason, "")} for fate in fates]
    return orjson.dumps({"counts": counts, "fates": told})


def _row(number: int, item: Mapping[str, Any]) -> SeatRow:
    """The row of an object. Refused: 400 for what is no seat; nothing is stored then."""

    def wrong(detail: str) -> Refused:
        return Refused(400, "not_a_seat", f"Item {number}: {detail}; nothing was stored.", {"index": number})

    unknown = item.keys() - {*TEXTS, *DATES}
    if unknown:
        raise wrong(f"unknown field {', '.join(sorted(unknown))[:200]}")
    texts: dict[str, str] = {}
    for name in TEXTS:
        value = item.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise wrong(f"{name} must be text")
        texts[name] = str(value)
    if not texts.get("product"):
        raise wrong("product is missing")
    days: dict[str, date] = {}
    for name, field in DATES.items():
        value = item.get(name)
        if value is None:
            continue
        try:
            days[field] = date.fromisoformat(value)
        except (TypeError, ValueError):
            raise wrong(f"{name} must be a date such as 2026-05-13") from None
    return SeatRow(number, **texts, **days)  # type: ignore[arg-type]
