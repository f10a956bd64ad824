"""The one poller of this process and those who listen to it.

However many pages are open, the record is asked once per tick: for messages after the last one handed out, for the
number of new events per company (only if a page asks for it), and now and then for sessions that have ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol

from uptake.notify.follow import Bookmark

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.1
CLOCK_SECONDS: Final = 0.5
SESSIONS_EVERY_SECONDS: Final = 20.0
STREAMS_PER_PERSON: Final = 8
WAITING_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Told:
    """A message for one person, as the stream carries it. `mark` is its place in the sequence of all messages."""

    mark: Bookmark
    person_id: int
    kind: str
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class News:
    """What one look at the record brought."""

    messages: tuple[Told, ...]
    head: Bookmark
    """Up to here everything has been read."""
    events: Mapping[int, int]
    """New events by company id."""


class Record(Protocol):
    """What the poller asks; called in its own thread."""

    def head(self) -> Bookmark: ...

    def look(self, after: Bookmark, with_events: bool) -> News: ...

    def live_sessions(self, keys: Iterable[str]) -> set[str]: ...


@dataclass(eq=False, slots=True)
class Listener:
    """One open page."""

    person_id: int | None
    session_key: str
    companies: frozenset[int] = frozenset()
    """Companies whose new events are counted for this page."""
    messages: list[Told] = field(default_factory=list)
    events: int = 0
    closed: bool = False
    waiting: asyncio.Future[bool] | None = None
    """Of the stream, while it has nothing to send."""
    until: float = 0.0
    """When it has waited long enough, by the clock of the event loop."""

    def hear(self, told: Told) -> None:
        if len(self.messages) < WAITING_AT_MOST:
            self.messages.append(told)
        self._wake(True)

    def count(self, events: int) -> None:
        self.events += events
        self._wake(True)

    def close(self) -> None:
        self.closed = True
        self._wake(True)

    async def wait(self, seconds: float) -> bool:
        """Until there is something to send (True) or the time is over (False)."""
        if self.messages or self.events or self.closed:
            return True
        loop = asyncio.get_running_loop()
        self.waiting, self.until = loop.create_future(), loop.time() + seconds
        try:
            return await self.waiting
        finally:
            self.waiting = None

    def look_at_clock(self, now: float) -> None:
        """Ends the waiting whose time is over. The hub calls it for all pages: ten thousand timers cost more."""
        if self.until <= now:
            self._wake(False)

    def _wake(self, heard: bool) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_result(heard)


class Hub:
    """Listeners by person, and the task that feeds them; it rests while nobody listens."""

    def __init__(
        self,
        record: Callable[[], Record],
        tick_seconds: float = TICK_SECONDS,
        clock_seconds: float = CLOCK_SECONDS,
    ) -> None:
        self._make_record = record
        self._tick = tick_seconds
        self._clock_tick = clock_seconds
        self._by_person: dict[int | None, list[Listener]] = {}
        self._task: asyncio.Task[None] | None = None
        self._clock: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.looks = 0
        """How often the record was asked: with one poller it does not depend on the number of listeners."""

    def __len__(self) -> int:
        return sum(map(len, self._by_person.values()))

    def join(self, listener: Listener) -> None:
        """Let a page listen; the oldest page of a person with too many is closed. Call it in the event loop."""
        pages = self._by_person.setdefault(listener.person_id, [])
        pages.append(listener)
        if listener.person_id is not None and len(pages) > STREAMS_PER_PERSON:
            pages[0].close()
        loop = asyncio.get_running_loop()
        other = self._loop is not loop
        self._loop = loop
        if other or self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        if other or self._clock is None or self._clock.done():
            self._clock = loop.create_task(self._tell_time())

    def drop(self, listener: Listener) -> None:
        pages = self._by_person.get(listener.person_id, [])
        if listener in pages:
            pages.remove(listener)
        if not pages:
            self._by_person.pop(listener.person_id, None)

    def end_session(self, key: str) -> None:
        """Close the pages of a session that was signed out. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_sessions, {key})

    def _close_sessions(self, keys: set[str]) -> None:
        for listener in self._listeners():
            if listener.session_key in keys:
                listener.close()

    def _listeners(self) -> list[Listener]:
        return [listener for pages in self._by_person.values() for listener in pages]

    async def _run(self) -> None:
        record = self._make_record()
        loop = asyncio.get_running_loop()
        after: Bookmark | None = None
        sessions_at = loop.time() + SESSIONS_EVERY_SECONDS
        with ThreadPoolExecutor(1, "uptake-live") as thread:
            while self._by_person:
                try:
                    if after is None:
                        after = await loop.run_in_executor(thread, record.head)
                    wanted = any(listener.companies for listener in self._listeners())
                    self.looks += 1
                    news = await loop.run_in_executor(thread, record.look, after, wanted)
                    after = news.head
                    self.hand_out(news)
                    if loop.time() >= sessions_at:
                        sessions_at = loop.time() + SESSIONS_EVERY_SECONDS
                        keys = {listener.session_key for listener in self._listeners() if listener.session_key}
                        alive = await loop.run_in_executor(thread, record.live_sessions, keys)
                        self._close_sessions(keys - alive)
                except Exception:
                    log.exception("live: the record could not be read, trying again")
                    await asyncio.sleep(2)
                await asyncio.sleep(self._tick)

    async def _tell_time(self) -> None:
        """Beside the record, which may be slow to answer."""
        while self._by_person:
            await asyncio.sleep(self._clock_tick)
            now = asyncio.get_running_loop().time()
            for listener in self._listeners():
                listener.look_at_clock(now)

    def hand_out(self, news: News) -> None:
        """Give each listener its own part of the news."""
        for told in news.messages:
            for listener in self._by_person.get(told.person_id, ()):
                listener.hear(told)
        if news.events:
            for listener in self._listeners():
                count = sum(news.events.get(company, 0) for company in listener.companies)
                if count:
                    listener.count(count)
