"""Sums over much of the record that pages need not read anew for every visit: each process keeps them a few seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections

KEPT = 200
Read = TypeVar("Read")

_known: OrderedDict[tuple[Hashable, ...], tuple[float, Any]] = OrderedDict()
_being_read: set[tuple[Hashable, ...]] = set()
_lock = Lock()
_beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="remembered")


def remembered(
    scope: tuple[str, ...],
    asked: tuple[Hashable, ...],
    read: Callable[[], Read],
    *,
    seconds: float | None = None,
    ahead: bool = False,
) -> Read:
    """What `read` gives, or gave to one of the same scope who asked the same in the last few seconds.

    `scope` are the paths at which the viewer may do what the reading needs; nothing is shared between scopes. How long
    is `settings.REMEMBERED_SECONDS`: no longer than the figures of the activity log stay behind the record. `seconds`:
    so long instead, of what changes by the day, or whose state `asked` names, such as a bookmark (never, where
    the setting remembers nothing). `ahead`: who comes in the second half of that time has it read anew beside the
    page, so that whoever asks often never waits for it; `read` must then need nothing of the request.
    """
    key, now = (scope, *asked), time.monotonic()
    kept = (seconds or settings.REMEMBERED_SECONDS) if settings.REMEMBERED_SECONDS else 0
    with _lock:
        known = _known.get(key)
    if known is not None and now - known[0] < kept:
        if ahead and now - known[0] > kept / 2:
            _read_beside(key, read)
        found: Read = known[1]
        return found
    found = read()
    _keep(key, now, found)
    return found


def _keep(key: tuple[Hashable, ...], begun: float, found: object) -> None:
    """`begun`: when the reading began; nothing that happened since is promised to be in it."""
    with _lock:
        _known[key] = (begun, found)
        _known.move_to_end(key)
        if len(_known) > KEPT:
            _known.popitem(last=False)


def _read_beside(key: tuple[Hashable, ...], read: Callable[[], object]) -> None:
    """Reads in a thread of its own; once at a time. Should it fail, the next one who finds nothing is told why."""
    with _lock:
        if key in _being_read:
            return
        _being_read.add(key)

    def work() -> None:
        begun = time.monotonic()
        try:
            _keep(key, begun, read())
        finally:
            close_old_connections()
            with _lock:
                _being_read.discard(key)

    _beside.submit(work)
