"""A stream of events outlives its request: Django has forgotten the request while the reader still listens."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from uptake.config.threads import Handler

pytestmark = pytest.mark.once

asked: list[weakref.ref[HttpRequest]] = []
closed: list[bool] = []
more = asyncio.Event()


async def words() -> AsyncIterator[bytes]:
    try:
        yield b"data: one\n\n"
        await more.wait()
        yield b"data: two\n\n"
    finally:
        closed.append(True)


def view(request: HttpRequest) -> StreamingHttpResponse:
    asked.append(weakref.ref(request))
    response = StreamingHttpResponse(words(), content_type="text/event-stream")
    response.set_cookie("seen", "yes")
    return response


urlpatterns = [path("events", view)]
SCOPE: dict[str, Any] = {
    "type": "http", "http_version": "1.1", "method": "GET", "path": "/events", "root_path": "", "query_string": b"",
    "scheme": "http", "headers": [(b"host", b"testserver"), (b"accept", b"text/event-stream")],
    "server": ("testserver", 80), "client": ("127.0.0.1", 1),
}  # fmt: skip


@pytest.mark.parametrize("leaves", [True, False])
@override_settings(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=__name__, MIDDLEWARE=[])
def test_a_stream_goes_on_without_its_request_until_it_ends_or_its_reader_leaves(leaves: bool) -> None:
    asked.clear()
    closed.clear()

    async def listen() -> list[dict[str, Any]]:
        global more
        more, heard, left = asyncio.Event(), asyncio.Queue[dict[str, Any]](), asyncio.Event()
        first = True

        async def receive() -> dict[str, Any]:
            nonlocal first
            if first:
                first = False
                return {"type": "http.request", "body": b"", "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        context, scope = contextvars.copy_context(), {**SCOPE}
        before = set(context)
        answering = asyncio.create_task(Handler()(scope, receive, heard.put), context=context)
        told = [await heard.get(), await heard.get()]
        gc.collect()
        assert asked[0]() is None, "Django still holds the request"
        assert set(context) == before, "what Django put into its context stays as long as the stream"
        assert scope["headers"] == []
        assert not closed
        (left if leaves else more).set()
        await asyncio.wait_for(answering, 10)
        return told + [heard.get_nowait() for _ in range(heard.qsize())]

    told = asyncio.run(listen())

    assert told[0]["status"] == 200
    names = {name.lower() for name, _ in told[0]["headers"]}
    assert names >= {b"content-type", b"set-cookie"}
    bodies = [one["body"] for one in told[1:]]
    assert bodies == ([b"data: one\n\n"] if leaves else [b"data: one\n\n", b"data: two\n\n", b""])
    assert closed == [True]
