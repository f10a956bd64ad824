"""The text of a stream of server-sent events, from hello to goodbye."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Final

from uptake.web.live.hub import Hub, Listener, Told

HEARTBEAT_SECONDS: Final = 15.0
Words = Callable[[Told], Mapping[str, object]]
"""How a message is said to this reader: the data of the event."""


def line(kind: str, data: object, id: int | None = None) -> bytes:
    """One event of the stream."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def stream(
    hub: Hub,
    listener: Listener,
    *,
    missed: Callable[[], Iterable[Told]],
    head: int,
    words: Words,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncIterator[bytes]:
    """hello with the head of the sequence, what was missed, then what comes; a comment where nothing does.

    `missed` is read after the listener has joined, so nothing falls between; what comes twice is said once.
    """
    hub.join(listener)
    try:
        last = 0
        yield b"retry: 2000\n\n"
        for told in await _in_thread(missed):
            last = max(last, told.id)
            yield line(told.kind, words(told), told.id)
        yield line("hello", {}, max(last, head))
        while not listener.closed:
            if not await listener.wait(heartbeat_seconds):
                yield b": still here\n\n"
                continue
            messages, listener.messages = listener.messages, []
            events, listener.events = listener.events, 0
            for told in messages:
                if told.id > last:
                    last = told.id
                    yield line(told.kind, words(told), told.id)
            if events:
                yield line("events", {"count": events})
        yield line("bye", {})
    finally:
        hub.drop(listener)


async def _in_thread(read: Callable[[], Iterable[Told]]) -> Iterable[Told]:
    from asgiref.sync import sync_to_async

    return await sync_to_async(read, thread_sensitive=False)()
