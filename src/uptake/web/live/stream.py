"""The text of a stream of server-sent events, from hello to goodbye."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Final

from asgiref.sync import SyncToAsync

from uptake.notify.follow import Bookmark
from uptake.web.live.hub import Hub, Listener, Told

HEARTBEAT_SECONDS: Final = 15.0
Words = Callable[[Told], tuple[str, Mapping[str, object]]]
"""How a message is said to this reader: the name and the data of the event."""


def line(kind: str, data: object, mark: Bookmark | None = None) -> bytes:
    """One event of the stream."""
    head = f"id: {mark}\n" if mark is not None else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def stream(
    hub: Hub,
    listener: Listener,
    *,
    missed: Callable[[], Iterable[Told]] | None,
    head: Bookmark,
    words: Words,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncIterator[bytes]:
    """hello with the head of the sequence, what was missed, then what comes; a comment where nothing does.

    `missed` (None: nothing) is read after the listener has joined, so nothing falls between; what comes twice is said
    once.
    """
    give_thread_back()
    hub.join(listener)
    try:
        last = head
        yield b"retry: 2000\n\n"
        for told in await _in_thread(missed) if missed else ():
            last = max(last, told.mark)
            yield line(*words(told), told.mark)
        yield line("hello", {}, last)
        while not listener.closed:
            if not await listener.wait(heartbeat_seconds):
                yield b": still here\n\n"
                continue
            messages, listener.messages = listener.messages, []
            events, listener.events = listener.events, 0
            for told in messages:
                if told.mark > last:
                    last = told.mark
                    yield line(*words(told), told.mark)
            if events:
                yield line("events", {"count": events})
        yield line("bye", {})
    finally:
        hub.drop(listener)


def give_thread_back() -> None:
    """End the thread in which Django made this answer; it would be kept, idle, as long as the stream is open."""
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context is not None else None
    if executor is not None:
        executor.shutdown(wait=False)


async def _in_thread(read: Callable[[], Iterable[Told]]) -> Iterable[Told]:
    """Without a copy of our context, which would be put into ours afterwards and kept as long as the stream."""
    return await asyncio.get_running_loop().run_in_executor(None, read)
