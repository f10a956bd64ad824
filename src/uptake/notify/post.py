"""Posts one delivery to one address: without redirects, in limited time, never to the machine's own services."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from uptake.basics.redaction import redact

logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold whole addresses, which may hold keys

SECONDS = 10.0
KEPT = 2_000
"""Bytes of an answer that are read and kept."""


class NotAnAddress(ValueError):
    """No address of a server, or one that is never sent to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None where nothing did; `after` are the seconds the receiver asked us to wait."""

    status: int | None
    text: str
    after: float | None = None


def check_host(host: str) -> None:
    """Raises NotAnAddress for the network of the machine's own services (169.254, fe80), 0.0.0.0 and multicast."""
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_link_local or found.is_unspecified or found.is_multicast:
        raise NotAnAddress(host)


def post(address: str, *, body: str, headers: Mapping[str, str], seconds: float = SECONDS) -> Answer:
    """Sends the body as JSON. Names are looked up first, as one may lead to where nothing is sent."""
    sent = {"content-type": "application/json", "user-agent": "uptake-webhooks/1", **headers}
    parts, begun = urlsplit(address), time.monotonic()
    try:
        for *_about, place in socket.getaddrinfo(parts.hostname, parts.port or parts.scheme, type=socket.SOCK_STREAM):
            check_host(str(place[0]))
        with (
            httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False, verify=_trusted()) as client,
            client.stream("POST", address, content=body.encode(), headers=sent) as answer,
        ):
            whole = bytearray()
            for piece in answer.iter_raw(KEPT):
                whole += piece
                if len(whole) >= KEPT or time.monotonic() - begun > seconds:
                    break
    except NotAnAddress as refusal:
        return Answer(None, f"{refusal} is not sent to")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failure:
        return Answer(None, redact(f"{type(failure).__name__}: {failure}")[:KEPT])
    text = bytes(whole[:KEPT]).decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Answer(answer.status_code, redact(text), _retry_after(answer))


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted; reading them takes longer than a delivery."""
    return httpx.create_ssl_context(trust_env=False)


def _retry_after(answer: httpx.Response) -> float | None:
    said = answer.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        sent = parsedate_to_datetime(answer.headers.get("Date", ""))
        return max(0.0, (parsedate_to_datetime(said) - sent).total_seconds())
    except (ValueError, TypeError):
        return None
