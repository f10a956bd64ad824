"""Shares a back-test among processes where that pays: each judges portions of people, one after the other.

Portions come back in the order of people, so the report is the same however many there are. The processes are begun
anew (not forked: this one may have threads and open connections), read the same database, and end with this one.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from uptake.programme.backtest.judging import Asked, Judged, Judging

MOST = 2
"""Processes at most: on a larger machine there are pages to be served as well."""
WORTH = 50_000
"""Events from which on it is quicker, as every process has to load the programme first."""
AHEAD = 2
"""Portions that wait for each process, so that none is idle; what is held back of the results is bounded by it."""

IN_MEMORY = (":memory:", "mode=memory")


class WorkerLost(Exception):
    """A process that judged a part of the people ended before its time; there is no report."""


class GoingDown(Exception):
    """This process is ending and begins nothing new."""


def judged(asked: Asked, people: Mapping[int, int]) -> Generator[Judged, None, None]:
    """Portion after portion of these people (by how many events each has). Close it to call it off.

    Raises WorkerLost and GoingDown.
    """
    from uptake.programme.backtest.judging import Judging
    from uptake.programme.backtest.read import portions_of

    portions = list(portions_of(people))
    workers = workers_for(sum(people.values()), len(portions))
    if workers > 1:
        yield from judged_by_crew(asked, portions, workers)
        return
    judging = Judging(asked)
    for portion in portions:
        yield judging.judge(portion)


def workers_for(events: int, portions: int) -> int:
    """How many processes; 1: this one alone, as also where others would not see what it sees."""
    in_memory = connection.vendor == "sqlite" and any(
        mark in str(connection.settings_dict["NAME"]) for mark in IN_MEMORY
    )
    alone = connection.in_atomic_block or in_memory
    return 1 if alone or events < WORTH else min(MOST, len(os.sched_getaffinity(0)), portions)


def judged_by_crew(asked: Asked, portions: Sequence[Sequence[int]], workers: int) -> Generator[Judged, None, None]:
    """The portions in their order, judged by so many other processes. Raises WorkerLost and GoingDown."""
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(settings.SETTINGS_MODULE, dict(connection.settings_dict), pickle.dumps(asked)),
    )
    waiting: deque[Future[Judged]] = deque()
    try:
        for portion in portions:
            waiting.append(_submitted(pool, portion))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as lost:
        raise WorkerLost("A process that replayed a part of the people has ended before its time.") from lost
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, portion: Sequence[int]) -> Future[Judged]:
    try:
        return pool.submit(_judge, portion)
    except BrokenProcessPool:
        raise
    except RuntimeError as ending:  # what a pool says when the interpreter shuts down
        raise GoingDown from ending


_judging: list[Judging] = []
"""Of this process, once it has begun."""


def _begin(settings_module: str, database: dict[str, Any], asked: bytes) -> None:
    """Makes a new process ready: it reads what the first one reads, and ends when that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it too, and calls this one off
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    settings.DATABASES = {**settings.DATABASES, "default": database}
    django.setup()
    from uptake.programme.backtest.judging import Judging

    _judging.append(Judging(pickle.loads(asked)))  # noqa: S301


def _leave_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _judge(people: Sequence[int]) -> Judged:
    return _judging[0].judge(people)
