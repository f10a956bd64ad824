"""The ASGI door before Django: requests of the intake are answered here, all others go on to Django.

Django reads a whole body to disk before a view may refuse it, and its middleware for pages costs more than storing an
event. Neither sessions nor forms nor languages matter to a program with a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from uptake.web.api.clients import client_door
from uptake.web.api.collect import answer_page
from uptake.web.api.intake import Answer, Asked, answer
from uptake.web.api.problems import write_down
from uptake.web.api.writer import drain_writer

PATH = "/api/v1/events"
PAGES = "/api/v1/collect"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class SenderLeft(Exception):
    """The sender closed the connection before its body had come."""


class IntakeDoor:
    """Wraps an ASGI application; also answers the server's start and stop, and drains the writer at the stop."""

    def __init__(self, inside: Application) -> None:
        self.inside = inside

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http" and (taking := _intake(scope)) is not None:
            await _serve(taking, scope, receive, send)
        else:
            await self.inside(scope, receive, send)


def _intake(scope: Message) -> Callable[[Asked], Awaitable[Answer]] | None:
    path: str = scope["path"]
    path = path.removeprefix(scope.get("root_path", ""))
    return {PATH: answer, PAGES: answer_page}.get(path) or client_door(path)


async def _serve(taking: Callable[[Asked], Awaitable[Answer]], scope: Message, receive: Receive, send: Send) -> None:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    try:
        query = scope.get("query_string", b"").decode("latin-1")
        client = (scope.get("client") or ("",))[0]
        given = await taking(Asked(scope["method"], headers, _chunks(receive), query, client))
    except SenderLeft:
        return
    await _send(send, given)


async def _send(send: Send, given: Answer) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.headers.items()]
    headers.append((b"content-length", str(len(given.body)).encode()))
    await send({"type": "http.response.start", "status": given.status, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderLeft
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await asyncio.get_running_loop().run_in_executor(None, drain_writer)
            await asyncio.get_running_loop().run_in_executor(None, write_down)
            await send({"type": "lifespan.shutdown.complete"})
            return
