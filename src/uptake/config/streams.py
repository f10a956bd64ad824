"""Streams that outlive their request: Django answers, ends and forgets, and what it gave is sent on from here.

Django keeps a request, its response, its tasks and its context for as long as a stream is open, which for a page that
listens all day is all day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing
from typing import Any, Final

from django.http.response import HttpResponseBase

EVENTS: Final = "text/event-stream"
Message = MutableMapping[str, Any]


def wants_events(scope: Mapping[str, Any]) -> bool:
    """Whether the request says that it reads a stream of events, as every EventSource does."""
    return any(name == b"accept" and EVENTS.encode() in value for name, value in scope["headers"])


class Kept:
    """The `send` that Django is given; a stream of events stays in it, everything else passes through."""

    __slots__ = ("body", "send", "start")

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self.send = send
        self.start: Message | None = None
        self.body: AsyncGenerator[bytes, None] | None = None

    async def __call__(self, message: Mapping[str, Any]) -> None:
        await self.send(dict(message))

    def keep(self, response: HttpResponseBase) -> bool:
        """Whether it is a stream of events, which is then kept instead of being sent."""
        body = getattr(response, "_iterator", None)  # what it was made with: the property holds on to the response
        if not response.headers.get("Content-Type", "").startswith(EVENTS) or not isinstance(body, AsyncGenerator):
            return False
        headers = [(name.encode("ascii"), text.encode("latin1")) for name, text in response.items()]
        headers += [(b"Set-Cookie", one.output(header="").strip().encode("ascii")) for one in response.cookies.values()]
        self.start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
        self.body = body
        return True


async def send_on(
    body: AsyncGenerator[bytes, None],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Sends the parts of a stream until it ends or the reader leaves; it is closed in either case."""
    streaming = asyncio.current_task()
    assert streaming is not None, "an application runs in a task"
    leaving = asyncio.create_task(_left(receive))
    leaving.add_done_callback(lambda ended: None if ended.cancelled() else streaming.cancel())
    try:
        async with aclosing(body):
            async for part in body:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except asyncio.CancelledError:
        if not leaving.done():
            raise  # somebody else ends us
        streaming.uncancel()
    finally:
        leaving.cancel()


async def _left(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
