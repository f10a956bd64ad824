"""Who may ask for what the widget shows: servers with a key for tokens, pages of allowed origins with a token."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.http import HttpRequest

from uptake.directory.models import Person
from uptake.events import widget_keys
from uptake.events.models import WidgetKey
from uptake.web.api.bucket import Buckets
from uptake.web.api.problems import note
from uptake.web.api.refusal import Refused
from uptake.web.pages.points.read import Home
from uptake.web.widget.reading import at_home
from uptake.web.widget.token import Claim, read

TOKENS_PER_SECOND: Final = 50.0
TOKENS_AT_ONCE: Final = 500.0
"""Tokens of one key, after a silence: everybody comes to work at the same minute."""
LOOKS_PER_SECOND: Final = 2.0
LOOKS_AT_ONCE: Final = 30.0
"""Questions of one person's pages."""
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Authorization",
    "Access-Control-Max-Age": "600",
}
_tokens = Buckets(TOKENS_PER_SECOND, TOKENS_AT_ONCE)
_looks = Buckets(LOOKS_PER_SECOND, LOOKS_AT_ONCE)
_counting = threading.Lock()


@dataclass(frozen=True, slots=True)
class Reader:
    """A page with a valid token: what it may see, and the headers that its browser wants to read."""

    claim: Claim
    person: Person
    where: Home


def cors_for(origin: str) -> dict[str, str]:
    """The headers by which a browser lets a page of this origin read the answer."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Retry-After",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def origin_asking(request: HttpRequest) -> str:
    """The origin of the page that asks, in small letters; empty where the browser does not say.

    A page of our own origin names none when it reads, but says where it is.
    """
    origin = request.headers.get("Origin", "")
    if not origin:
        parts = urlsplit(request.headers.get("Referer", ""))
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return origin.lower()


def allowed_by_some_key(origin: str) -> bool:
    """A browser's question before it asks names no token: the origins of all valid keys may go on."""
    rows = WidgetKey.objects.valid().values_list("allowed_origins", flat=True)
    return bool(origin) and any(origin in origins for origins in rows)


def server_asking(request: HttpRequest, now: datetime) -> WidgetKey:
    """The key of a server that asks for a token. Refused: 401, 403 for a web page, 429."""
    if request.headers.get("Origin"):
        raise Refused(403, "servers_only", "Tokens are asked for by servers: a key in a web page is everybody's.")
    secret = _bearer(request)
    key = widget_keys.opened_by(secret=secret, now=now) if secret else None
    if key is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="widget"'}
        raise Refused(401, "no_key", "Send a valid widget key: Authorization: Bearer upw_….", {}, challenge)
    with noting(key):
        _slow_down(_tokens, key.pk)
    return key


@contextmanager
def noting(key: WidgetKey, sample: Callable[[], Any] = lambda: None, detail: str = "") -> Iterator[None]:
    """What is refused within is counted on the page of the key: hints for whoever puts the widget into a page."""
    try:
        yield
    except Refused as refusal:
        note(key.pk, refusal.error, detail or refusal.detail, sample(), widget=True)
        raise


def page_asking(request: HttpRequest, now: datetime, cors: dict[str, str]) -> Reader:
    """Whose points a page may see. Fills `cors` as soon as the page is known to be allowed.

    Refused: 401 for no valid token, or one whose key was revoked; 403 for a page of another origin, or for a person
    who belongs to the company no more; 429.
    """
    claim = read(_bearer(request), now=now)
    key = WidgetKey.objects.valid().filter(pk=claim.key).first() if claim else None
    if claim is None or key is None:
        # The reason is no secret, and only a page that some key allows may read it.
        origin = origin_asking(request)
        if allowed_by_some_key(origin):
            cors.update(cors_for(origin))
        challenge = {"WWW-Authenticate": 'Bearer realm="widget"'}
        raise Refused(401, "no_token", "Send a valid token of the widget: Authorization: Bearer uwt_….", {}, challenge)
    origin = origin_asking(request)
    with noting(key, detail=f"This key does not allow pages of {origin[:200] or '?'}."):
        if origin not in key.allowed_origins:
            raise Refused(403, "wrong_origin", "The key of this token does not allow this page.")
    cors.update(cors_for(origin))
    with noting(key):
        _slow_down(_looks, claim.person)
        person = Person.objects.filter(pk=claim.person).first()
        where = at_home(person, now) if person is not None else None
        if person is None or where is None or where.company.pk != claim.company:
            raise Refused(403, "not_here", "This person does not belong to this company any more.")
    return Reader(claim, person, where)


def person_called(key: WidgetKey, external_id: str) -> Person | None:
    """Whom the key's connection calls so; None for nobody, or an id that was mapped to nobody yet."""
    return Person.objects.filter(identities__source=key.connection.slug, identities__external_id=external_id).first()


def _bearer(request: HttpRequest) -> str:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def forget() -> None:
    """Everybody may ask again at once."""
    with _counting:
        _tokens.held.clear()
        _looks.held.clear()


def _slow_down(buckets: Buckets, number: int) -> None:
    with _counting:
        wait = buckets.take(number, 1, time.monotonic())
    if wait:
        seconds = str(math.ceil(wait))
        more: Mapping[str, object] = {"retry_after_seconds": int(seconds)}
        raise Refused(429, "too_fast", "This asks too fast.", more, {"Retry-After": seconds})
