"""One line per request: method, path, status, milliseconds; never the query, a header or a body."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

log = logging.getLogger("uptake.access")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

QUIET = ("/static/", "/healthz")


def logged(application: Application) -> Application:
    """The ASGI application, with a line in the log when an answer begins."""

    # Not a coroutine of its own: one would stay as long as a stream does.
    def inside(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or scope["path"].startswith(QUIET):
            return application(scope, receive, send)
        begun = time.monotonic()

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                took = 1000 * (time.monotonic() - begun)
                log.info("%s %s %d %.0f ms", scope["method"], scope["path"], message["status"], took)
            await send(message)

        return application(scope, receive, sending)

    return inside
