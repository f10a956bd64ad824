"""How another system is asked: encrypted unless allowed otherwise, never sent on, never the machine's own network."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests

from uptake.notify.post import NotAnAddress, check_host

SECONDS = 10
MOST = 1_000_000
"""Bytes of an answer that are read."""


class Session(requests.Session):
    """What allauth's protocols ask with."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self.plain = plain
        self.trust_env = False
        self.request = partial(self.request, timeout=SECONDS)  # type: ignore[method-assign]

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Raises RequestException, also for an address that nothing is asked at and an answer that is too long."""
        kwargs |= {"allow_redirects": False, "stream": True}
        try:
            _check(request.url or "", plain=self.plain)
        except (NotAnAddress, OSError, ValueError) as failure:
            raise requests.RequestException(f"{type(failure).__name__}: {failure}") from failure
        answer = super().send(request, **kwargs)
        body = bytearray()
        for piece in answer.iter_content(65536):
            body += piece
            if len(body) > MOST:
                answer.close()
                raise requests.RequestException("the answer is too long")
        answer._content = bytes(body)
        if answer.is_redirect:
            raise requests.RequestException(f"sends on ({answer.status_code}) to another address")
        return answer


def _check(address: str, *, plain: bool) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (plain and parts.scheme == "http"):
        raise NotAnAddress(f"{address[:100]} is not encrypted")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    for *_about, place in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM):
        check_host(str(place[0]))
