"""Asks one address once: whether it answers, how soon, and until when its certificate holds.

Names are looked up here and the place that was found is the one that is asked, so a name that leads elsewhere a moment
later leads nobody anywhere. Nothing of the answer but its first line and its headers is read.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from uptake.basics.redaction import redact
from uptake.connectors.probes.allowed import PORTS, Allowed

SECONDS = 10.0
HOPS = 3
"""So many redirects are followed, all at the same host."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ASKS_WHO = frozenset({401, 403, 405, 429})
"""The system is there and wants something of who asks."""
EXPIRED, OTHER_HOST = 10, 62
"""Codes of OpenSSL's check of a certificate (X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """up: whether it answered as a system does that can be used; None: it was not asked at all. code: why, see `words`.

    status: of HTTP; milliseconds: until the answer began; certificate_until: when the certificate ends.
    """

    up: bool | None
    code: str
    detail: str = ""
    status: int | None = None
    milliseconds: int | None = None
    certificate_until: datetime | None = None


class _Fails(Exception):
    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def look(
    address: str,
    *,
    allowed: Allowed,
    seconds: float = SECONDS,
    trusted: ssl.SSLContext | None = None,
    resolve: Callable[..., Any] = socket.getaddrinfo,
) -> Seen:
    """Asks a proper address within so many seconds. Refuses (`up` None) what is not on the list, and private places."""
    begun = time.monotonic()
    until, certificate = begun + seconds, None
    for _hop in range(HOPS + 1):
        parts = urlsplit(address)
        if not allowed.host(parts.hostname or ""):
            return Seen(None, "not_allowed")
        try:
            places = _places(parts, allowed, resolve)
            status, leads, certificate = _ask(parts, places, until, trusted or _trusted())
        except _Fails as failure:
            asked = None if failure.code == "private" else False
            return Seen(asked, failure.code, redact(failure.detail)[:200], certificate_until=certificate)
        took = round((time.monotonic() - begun) * 1000)
        if status not in REDIRECTS or not leads:
            up = status < 400 or status in ASKS_WHO
            return Seen(up, "answered" if up else "status", "", status, took, certificate)
        address = urljoin(address, leads)
        if not _same_host(parts, address):
            return Seen(True, "leads_elsewhere", "", status, took, certificate)
    return Seen(False, "in_circles", certificate_until=certificate)


def _places(parts: SplitResult, allowed: Allowed, resolve: Callable[..., Any]) -> list[str]:
    """The IP addresses a host leads to, as far as they may be asked. Raises _Fails."""
    try:
        found = resolve(parts.hostname, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        raise _Fails("no_name", str(failure)) from failure
    places = list(dict.fromkeys(str(one[4][0]) for one in found))
    kept = [one for one in places if allowed.place(ip_address(one.partition("%")[0]))]
    if not kept:
        raise _Fails("private", ", ".join(places))
    return kept


def _ask(
    parts: SplitResult, places: list[str], until: float, trusted: ssl.SSLContext
) -> tuple[int, str, datetime | None]:
    """(status, where it leads, until when the certificate holds). Raises _Fails."""
    line = _Pinned(parts, places, until, trusted)
    watch = threading.Timer(max(0.0, until - time.monotonic()), line.cut)
    watch.daemon = True
    watch.start()
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        line.request("GET", target, headers={"User-Agent": "uptake-probe/1", "Accept": "*/*", "Connection": "close"})
        answer = line.getresponse()
        if time.monotonic() >= until:
            raise TimeoutError  # cut off: the headers that were read need not be all of them
        return answer.status, answer.getheader("Location", "") or "", line.certificate_until
    except ssl.SSLCertVerificationError as failure:
        codes = {EXPIRED: "certificate_ended", OTHER_HOST: "certificate_of_other"}
        raise _Fails(codes.get(failure.verify_code, "certificate"), failure.verify_message) from failure
    except (OSError, http.client.HTTPException, ValueError) as failure:
        if time.monotonic() >= until or isinstance(failure, TimeoutError):
            raise _Fails("too_slow") from failure
        raise _Fails(_sort(failure), f"{type(failure).__name__}: {failure}") from failure
    finally:
        watch.cancel()
        line.close()


def _sort(failure: Exception) -> str:
    if isinstance(failure, ConnectionRefusedError):
        return "refused"
    if isinstance(failure, ssl.SSLError):
        return "no_tls"
    return "unreachable" if isinstance(failure, OSError) else "no_http"


class _Pinned(http.client.HTTPConnection):
    """A connection to the places that were found, whatever the name says by now."""

    def __init__(self, parts: SplitResult, places: list[str], until: float, trusted: ssl.SSLContext) -> None:
        super().__init__(parts.hostname or "", parts.port or PORTS[parts.scheme])
        self.places, self.until = places, until
        self.trusted = trusted if parts.scheme == "https" else None
        self.certificate_until: datetime | None = None

    def connect(self) -> None:
        problem: OSError | None = None
        for place in self.places:
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                self.sock = socket.create_connection((place, self.port), timeout=left)
                break
            except OSError as failure:
                problem = failure
        else:
            raise problem or OSError
        if self.trusted is not None:
            wrapped = self.trusted.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = wrapped
            wrapped.do_handshake()
            ends = (wrapped.getpeercert() or {}).get("notAfter")
            if isinstance(ends, str):
                self.certificate_until = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)

    def cut(self) -> None:
        """Ends it from another thread: who sends a byte now and then would otherwise keep it for ever."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def _same_host(parts: SplitResult, address: str) -> bool:
    """Whether a redirect stays at the host and port it came from; from http to https of one host it does, too."""
    try:
        leads = urlsplit(address)
        ports = [one.port or PORTS.get(one.scheme) for one in (parts, leads)]
    except ValueError:
        return False
    if leads.hostname != parts.hostname or leads.scheme not in PORTS or leads.username is not None:
        return False
    if (parts.scheme, leads.scheme) == ("http", "https"):
        return ports == [80, 443]
    return parts.scheme == leads.scheme and ports[0] == ports[1]


@cache
def _trusted() -> ssl.SSLContext:
    """What the operating system trusts, or SSL_CERT_FILE names; reading it takes longer than asking."""
    return ssl.create_default_context()
