"""The live stream: resumed where it stopped, scoped to the person, one poller for all, ended with the session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from uptake.notify.follow import Bookmark
from uptake.web.live.hub import Hub, Listener, News, Told
from uptake.web.live.stream import stream

LIN, MO = 1, 2


def told(number: int, person: int = LIN) -> Told:
    return Told(Bookmark(0, number), person, "points_earned", {"points": number})


@dataclass
class Scripted:
    """A record that shows what the test put in."""

    rows: list[Told] = field(default_factory=list)
    events: dict[int, int] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    breaks: int = 0

    def head(self) -> Bookmark:
        return max((row.mark for row in self.rows), default=Bookmark())

    def look(self, after: Bookmark, with_events: bool) -> News:
        if self.breaks:
            self.breaks -= 1
            raise ConnectionError("the database is away")
        found = tuple(row for row in self.rows if row.mark > after)
        events, self.events = (self.events, {}) if with_events else ({}, self.events)
        return News(found, max([after, *(row.mark for row in found)]), events)

    def live_sessions(self, keys: Iterable[str]) -> set[str]:
        return self.sessions & set(keys)


def said(one: Told) -> tuple[str, dict[str, object]]:
    return "award", dict(one.content)


class Page:
    """A browser that listens: it collects (kind, data, id)."""

    def __init__(self, hub: Hub, listener: Listener, missed: Iterable[Told] = (), head: Bookmark | None = None) -> None:
        self.heard: list[tuple[str, dict[str, object], str]] = []
        self.comments = 0
        source = stream(
            hub,
            listener,
            missed=lambda: list(missed),
            head=head or Bookmark(),
            words=said,
            heartbeat_seconds=0.05,
        )
        self.task = asyncio.create_task(self._read(source))

    async def _read(self, source: object) -> None:
        async for part in source:  # type: ignore[attr-defined]
            kind = data = mark = ""
            for line in part.decode().strip().splitlines():
                name, _, value = line.partition(": ")
                kind, data, mark = (
                    value if name == "event" else kind,
                    value if name == "data" else data,
                    value if name == "id" else mark,
                )
            if kind:
                self.heard.append((kind, json.loads(data), mark))
            elif part.startswith(b":"):
                self.comments += 1

    def points(self) -> list[object]:
        return [data["points"] for kind, data, _ in self.heard if kind == "award"]

    async def until(self, kind: str, count: int = 1) -> None:
        async with asyncio.timeout(5):
            while sum(one[0] == kind for one in self.heard) < count:
                await asyncio.sleep(0.005)


def test_a_page_hears_its_own_messages_and_no_others() -> None:
    async def story() -> None:
        record = Scripted()
        hub = Hub(lambda: record, tick_seconds=0.01)
        lin, mo = Page(hub, Listener(LIN, "a")), Page(hub, Listener(MO, "b"))
        await lin.until("hello")
        await mo.until("hello")
        await asyncio.sleep(0.05)

        record.rows += [told(1), told(2, MO), told(3)]

        await lin.until("award", 2)
        await mo.until("award")
        assert lin.points() == [1, 3]
        assert mo.points() == [2]
        for page in (lin, mo):
            page.task.cancel()

    asyncio.run(story())


def test_a_page_that_comes_back_hears_what_it_missed_once_and_in_order() -> None:
    async def story() -> None:
        record = Scripted(rows=[told(n) for n in range(1, 6)])
        hub = Hub(lambda: record, tick_seconds=0.01)
        others = Page(hub, Listener(MO, "b"))
        await others.until("hello")
        await asyncio.sleep(0.03)
        record.rows.append(told(6))
        page = Page(hub, Listener(LIN, "a"), missed=record.rows[3:6], head=Bookmark(0, 3))
        await page.until("hello")

        record.rows.append(told(7))
        await page.until("award", 4)
        await asyncio.sleep(0.05)

        assert page.points() == [4, 5, 6, 7]
        assert [mark for kind, _, mark in page.heard if kind == "award"] == ["0-4", "0-5", "0-6", "0-7"]
        assert next(mark for kind, _, mark in page.heard if kind == "hello") == "0-6"
        for one in (page, others):
            one.task.cancel()

    asyncio.run(story())


def test_five_hundred_pages_are_served_by_one_poller() -> None:
    async def story() -> None:
        record = Scripted()
        hub = Hub(lambda: record, tick_seconds=0.02)
        pages = [Page(hub, Listener(person, f"s{person}")) for person in range(500)]
        for page in pages:
            await page.until("hello")
        before = hub.looks
        record.rows += [told(n + 1, n) for n in range(500)]
        for page in pages:
            await page.until("award")

        assert all(page.points() == [n + 1] for n, page in enumerate(pages))
        assert hub.looks - before < 100, "the number of looks has nothing to do with the number of pages"
        for page in pages:
            page.task.cancel()
        await asyncio.gather(*(page.task for page in pages), return_exceptions=True)
        assert len(hub) == 0

    asyncio.run(story())


def test_the_poller_rests_when_nobody_listens_and_wakes_for_the_next() -> None:
    async def story() -> None:
        record = Scripted()
        hub = Hub(lambda: record, tick_seconds=0.01)
        first = Page(hub, Listener(LIN, "a"))
        await first.until("hello")
        first.task.cancel()
        await asyncio.sleep(0.1)
        looks = hub.looks
        await asyncio.sleep(0.1)
        assert hub.looks == looks

        second = Page(hub, Listener(LIN, "a"))
        await second.until("hello")
        await asyncio.sleep(0.05)
        record.rows.append(told(1))
        await second.until("award")
        second.task.cancel()

    asyncio.run(story())


def test_signing_out_ends_the_pages_of_that_session_only() -> None:
    async def story() -> None:
        hub = Hub(Scripted, tick_seconds=0.01)
        here, there = Page(hub, Listener(LIN, "here")), Page(hub, Listener(LIN, "there"))
        await here.until("hello")
        await there.until("hello")

        await asyncio.to_thread(hub.end_session, "here")

        await here.until("bye")
        await here.task
        assert not there.task.done()
        there.task.cancel()

    asyncio.run(story())


def test_new_events_are_counted_for_the_companies_of_the_page() -> None:
    async def story() -> None:
        record = Scripted()
        hub = Hub(lambda: record, tick_seconds=0.01)
        beiyuan, nothing = Page(hub, Listener(LIN, "a", frozenset({10, 11}))), Page(hub, Listener(MO, "b"))
        await beiyuan.until("hello")
        await asyncio.sleep(0.05)

        record.events = {10: 3, 11: 1, 12: 50}

        await beiyuan.until("events")
        assert [data for kind, data, _ in beiyuan.heard if kind == "events"] == [{"count": 4}]
        assert all(kind != "events" for kind, _, _ in nothing.heard)
        for page in (beiyuan, nothing):
            page.task.cancel()

    asyncio.run(story())


def test_a_quiet_stream_sends_signs_of_life_and_survives_a_database_that_went_away() -> None:
    async def story() -> None:
        record = Scripted(breaks=1)
        hub = Hub(lambda: record, tick_seconds=0.01, clock_seconds=0.01)
        page = Page(hub, Listener(LIN, "a"))
        await page.until("hello")
        async with asyncio.timeout(5):
            while page.comments < 2:
                await asyncio.sleep(0.005)
        record.rows.append(told(1))

        await page.until("award")
        page.task.cancel()

    asyncio.run(story())


def test_a_person_with_very_many_pages_loses_the_oldest() -> None:
    async def story() -> None:
        hub = Hub(Scripted, tick_seconds=0.01)
        pages = [Page(hub, Listener(LIN, f"s{n}")) for n in range(9)]
        for page in pages:
            await page.until("hello")

        await pages[0].until("bye")
        assert all(kind != "bye" for page in pages[1:] for kind, _, _ in page.heard)
        for page in pages:
            page.task.cancel()

    asyncio.run(story())
