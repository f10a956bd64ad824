"""Threads that make answers stay for the next ones, with their database connection and all that it has read.

Django's ASGI handler starts a thread for every request and another one to end it; on SQLite each of them opened the
database, read its layout and began with nothing in memory: a fifth of what a page costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, Final

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler
from django.http.response import HttpResponseBase

from uptake.config.streams import Kept, send_on, wants_events

KEPT: Final = 4
"""So many threads wait at most; more are made where more requests come at once, and end with them."""


class Lent(ThreadPoolExecutor):
    """One thread, lent to one request. Whoever shuts it down hands it back: a stream does so before it begins."""

    def __init__(self, house: Threads) -> None:
        super().__init__(max_workers=1, thread_name_prefix="page")
        self.house = house
        self.lent = False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Hands the thread back; it never waits, as the request has nothing more for it to do."""
        self.house.take_back(self)

    def end(self) -> None:
        """The thread ends when what it does is done."""
        super().shutdown(wait=False)


class Threads:
    """The threads that wait, the one used last on top: it has the most in memory."""

    def __init__(self) -> None:
        self._waiting: list[Lent] = []
        self._lock = Lock()

    def lend(self) -> Lent:
        """A thread for one request."""
        with self._lock:
            thread = self._waiting.pop() if self._waiting else Lent(self)
            thread.lent = True
        return thread

    def take_back(self, thread: Lent) -> None:
        """The request is over, or needs it no more; told twice, it is taken back once."""
        with self._lock:
            lent, thread.lent = thread.lent, False
            keep = lent and len(self._waiting) < KEPT
            if keep:
                self._waiting.append(thread)
        if lent and not keep:
            thread.end()


class Handler(ASGIHandler):
    """Django's, with threads that stay."""

    def __init__(self) -> None:
        super().__init__()
        self.threads = Threads()

    async def __call__(self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            raise ValueError(f"Django answers HTTP, not {scope['type']}.")
        kept = Kept(send)
        if wants_events(scope):
            # In a context of its own: what Django and its tasks put into this one would stay as long as the stream.
            await asyncio.create_task(self._answer(scope, receive, kept))
        else:
            await self._answer(scope, receive, kept)
        if kept.start is not None and kept.body is not None:
            await send(kept.start)
            kept.start = None  # its headers would stay as long as the stream, and so would those of the request
            scope["headers"] = []
            await send_on(kept.body, receive, send)

    async def _answer(self, scope: Any, receive: Callable[..., Any], kept: Kept) -> None:
        thread = self.threads.lend()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, kept)
        finally:
            self.threads.take_back(thread)

    async def send_response(self, response: HttpResponseBase, send: Callable[..., Any]) -> None:
        """Sends an answer; a stream of events is kept until Django has done with its request."""
        if not (isinstance(send, Kept) and send.keep(response)):
            await super().send_response(response, send)
