"""Sums over much of the record that pages need not read anew for every visit: each process keeps them a few seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from django.conf import settings

KEPT = 200
Read = TypeVar("Read")

_known: OrderedDict[tuple[Hashable, ...], tuple[float, Any]] = OrderedDict()
_lock = Lock()


def remembered(
    scope: tuple[str, ...], asked: tuple[Hashable, ...], read: Callable[[], Read], *, seconds: float | None = None
) -> Read:
    """What `read` gives, or gave to one of the same scope who asked the same in the last few seconds.

    `scope` are the paths at which the viewer may do what the reading needs; nothing is shared between scopes. How long
    is `settings.REMEMBERED_SECONDS`: no longer than the figures of the activity log stay behind the record. `seconds`:
    so long instead, of what changes by the day, or whose state `asked` names, such as a bookmark (never, where
    the setting remembers nothing).
    """
    key, now = (scope, *asked), time.monotonic()
    kept = (seconds or settings.REMEMBERED_SECONDS) if settings.REMEMBERED_SECONDS else 0
    with _lock:
        known = _known.get(key)
    if known is not None and now - known[0] < kept:
        found: Read = known[1]
        return found
    found = read()
    with _lock:
        _known[key] = (now, found)
        _known.move_to_end(key)
        if len(_known) > KEPT:
            _known.popitem(last=False)
    return found
