"""Threads that write what all requests of this process bring: whatever has gathered goes into one commit.

A commit waits for the disk; many small requests that share one are as fast as a large one. A request is answered only
after the commit that holds its events. If the shared write fails, each request is tried again by itself, so that
nobody's data can harm anybody else's. SQLite has one writer, so one thread; on PostgreSQL a second one prepares its
rows while the first waits for the database.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.utils import translation

from uptake.events.happening import Fate, Happening
from uptake.events.keys import Authenticated, note_use
from uptake.events.models import Connection
from uptake.events.record import record
from uptake.web.api.limits import EVENTS_AT_ONCE

log = logging.getLogger(__name__)
THREADS = 2
USE_NOTED_EVERY = timedelta(minutes=1)


class QueueFull(Exception):
    """More events wait than the writer should hold."""


class Stopped(Exception):
    """The server is shutting down."""


@dataclass(slots=True, eq=False)
class _Job:
    """What one request brings, and where its answer goes."""

    key: Authenticated
    happenings: Sequence[Happening]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[list[Fate]]


class Writer:
    """The queue and its threads, which start with the first request."""

    def __init__(self, *, most_waiting: int) -> None:
        self.most_waiting = most_waiting
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._used: dict[int, datetime] = {}

    async def write(self, key: Authenticated, happenings: Sequence[Happening]) -> list[Fate]:
        """The fates, after the commit. Raises QueueFull, Stopped, and what the record door raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Fate]] = loop.create_future()
        with self._changed:
            if self._stopping:
                raise Stopped
            if self._waiting and self._waiting + len(happenings) > self.most_waiting:
                raise QueueFull
            self._jobs.append(_Job(key, happenings, loop, future))
            self._waiting += len(happenings)
            if not self._threads:
                for _number in range(1 if database.vendor == "sqlite" else THREADS):
                    self._threads.append(threading.Thread(target=self._work, name="intake writer", daemon=True))
                    self._threads[-1].start()
            self._changed.notify()
        return await future

    def drain(self) -> None:
        """Writes what still waits and ends the threads. Nothing is taken afterwards."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        # Answers go to programs, in English whatever the installation speaks.
        with translation.override("en"):
            while jobs := self._take():
                try:
                    outcomes = self._write_together(jobs)
                except Exception:
                    log.warning("a shared write of %d requests failed; each is tried alone", len(jobs), exc_info=True)
                    database.close()
                    outcomes = [self._write_alone(job) for job in jobs]
                _deliver(jobs, outcomes)
                self._note_use(jobs)
        database.close()

    def _take(self) -> list[_Job]:
        """The jobs of the next commit; none when the writer is to end."""
        with self._changed:
            while not self._jobs and not self._stopping:
                self._changed.wait()
            taken: list[_Job] = []
            events = 0
            while self._jobs and (not taken or events + len(self._jobs[0].happenings) <= EVENTS_AT_ONCE):
                taken.append(self._jobs.popleft())
                events += len(taken[-1].happenings)
            self._waiting -= events
            return taken

    def _write_together(self, jobs: list[_Job]) -> list[list[Fate] | Exception]:
        groups: dict[int, list[int]] = {}
        for index, job in enumerate(jobs):
            groups.setdefault(job.key.connection.pk, []).append(index)
        outcomes: list[list[Fate] | Exception] = [[] for _ in jobs]
        if len(groups) == 1:
            self._write_group(jobs, list(range(len(jobs))), outcomes)
        else:
            with transaction.atomic():
                for _connection, members in sorted(groups.items()):
                    self._write_group(jobs, members, outcomes)
        return outcomes

    def _write_group(self, jobs: list[_Job], members: list[int], outcomes: list[list[Fate] | Exception]) -> None:
        happenings = [one for index in members for one in jobs[index].happenings]
        fates = _record(jobs[members[0]].key.connection, happenings)
        start = 0
        for index in members:
            end = start + len(jobs[index].happenings)
            outcomes[index] = fates[start:end]
            start = end

    def _write_alone(self, job: _Job) -> list[Fate] | Exception:
        try:
            return _record(job.key.connection, job.happenings)
        except Exception as error:
            log.exception("a request of connection %s could not be written", job.key.connection.slug)
            database.close()
            return error

    def _note_use(self, jobs: list[_Job]) -> None:
        now = datetime.now(UTC)
        due = {
            job.key.key_id
            for job in jobs
            if now - self._used.get(job.key.key_id, datetime.min.replace(tzinfo=UTC)) >= USE_NOTED_EVERY
        }
        if due:
            try:
                note_use(key_ids=due, now=now)
            except Exception:
                log.warning("the last use of a key was not noted", exc_info=True)
                database.close()
            self._used |= dict.fromkeys(due, now)


def _record(connection: Connection, happenings: Sequence[Happening]) -> list[Fate]:
    return record(happenings, connection=connection, now=datetime.now(UTC))


def _deliver(jobs: list[_Job], outcomes: list[list[Fate] | Exception]) -> None:
    """Hands the answers to the event loops, with one call to each."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Job, list[Fate] | Exception]]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        loops.setdefault(job.loop, []).append((job, outcome))
    for loop, answers in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:
            log.warning("%d answers had nobody left to hear them", len(answers))


def _settle(answers: list[tuple[_Job, list[Fate] | Exception]]) -> None:
    for job, outcome in answers:
        if job.future.done():
            continue
        if isinstance(outcome, Exception):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)


_writer: Writer | None = None
_making = threading.Lock()


def the_writer(most_waiting: int) -> Writer:
    """The writer of this process; a new one after `drain_writer`."""
    global _writer
    with _making:
        if _writer is None:
            _writer = Writer(most_waiting=most_waiting)
        return _writer


def drain_writer() -> None:
    """Writes what waits and ends the threads, as at a shutdown."""
    global _writer
    with _making:
        writer, _writer = _writer, None
    if writer is not None:
        writer.drain()


atexit.register(drain_writer)
