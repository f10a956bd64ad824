"""Threads that answer requests stay for the next ones; never two requests at once in one."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from django.test import override_settings

from uptake.config.threads import KEPT, Handler, Threads

pytestmark = pytest.mark.once


def test_the_thread_of_one_request_serves_the_next() -> None:
    house = Threads()
    one = house.lend()
    where = one.submit(threading.get_ident).result(10)
    assert house.lend() is not one, "it is in use"
    house.take_back(one)

    again = house.lend()

    assert again is one
    assert again.submit(threading.get_ident).result(10) == where


def test_what_is_handed_back_twice_is_lent_once() -> None:
    house = Threads()
    one = house.lend()
    one.shutdown(wait=False)  # as a stream does before it begins
    house.take_back(one)

    assert house.lend() is one
    assert house.lend() is not one


def test_only_so_many_wait() -> None:
    house = Threads()
    several = [house.lend() for _ in range(KEPT + 2)]
    for one in several:
        house.take_back(one)

    lent = [house.lend() for _ in range(KEPT + 2)]

    assert sum(one in several for one in lent) == KEPT
    with pytest.raises(RuntimeError, match="after shutdown"):
        several[-1].submit(threading.get_ident)


@override_settings(ALLOWED_HOSTS=["testserver"])
def test_a_request_is_answered_and_gives_its_thread_back() -> None:
    async def ask(handler: Handler) -> int:
        told: list[Any] = []
        over = asyncio.Event()
        scope = {
            "type": "http", "http_version": "1.1", "method": "GET", "path": "/static/nothing", "root_path": "",
            "query_string": b"", "scheme": "http", "headers": [(b"host", b"testserver")], "server": ("testserver", 80),
        }  # fmt: skip
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await over.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)
            if not message.get("more_body") and message["type"] == "http.response.body":
                over.set()

        await handler(scope, receive, send)
        return int(told[0]["status"])

    async def several() -> None:
        handler = Handler()
        assert await ask(handler) == 404
        (first,) = handler.threads._waiting
        assert await ask(handler) == 404
        assert handler.threads._waiting == [first]
        assert await asyncio.gather(*(ask(handler) for _ in range(3))) == [404] * 3
        assert first in handler.threads._waiting
        assert len(handler.threads._waiting) <= KEPT

    asyncio.run(several())
