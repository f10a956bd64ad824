"""Gathers what intake refused or doubted, and writes it down about once a second: a flood costs a few rows."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection as database

from uptake.connectors.masked import masked
from uptake.connectors.note_problems import Noted, note_problems
from uptake.events.happening import Fate, Happening

log = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
GOOD = frozenset({"new", "replayed"})
_held: dict[tuple[bool, int, str], Noted] = {}
_lock = threading.Lock()
_scribe = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake problems")
_asked_for = False
_next = 0.0
"""By the monotonic clock: when a thread may write again."""


def note(key_id: int, code: str, detail: str = "", sample: Any = None, count: int = 1, *, widget: bool = False) -> None:
    """Counts a problem of a key (of the widget's, with `widget`); the sample is masked here, the last one stays."""
    told = None if sample is None else masked(sample)
    one = Noted(key_id, code, count, datetime.now(UTC), detail, told, widget)
    which = (widget, key_id, code)
    with _lock:
        before = _held.get(which)
        _held[which] = one if before is None else replace(one, count=before.count + count)
    _soon()


def _soon() -> None:
    """Writes down within a second where a loop runs; in a thread at once, if it is a second since the last time, and
    else with the next problem.
    """
    global _asked_for, _next
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        with _lock:
            due, now = time.monotonic() >= _next, time.monotonic()
            _next = now + EVERY_SECONDS if due else _next
        if due:
            _write()
        return
    with _lock:
        due, _asked_for = not _asked_for, True
    if due:
        loop.call_later(EVERY_SECONDS, lambda: _scribe.submit(write_down))


def note_fates(key_id: int, fates: Iterable[Fate], sent: Sequence[Any]) -> None:
    """Counts those fates that are neither new nor replayed; `sent` are what they were of, in the same order."""
    found: dict[str, tuple[int, str, Any]] = {}
    for fate, one in zip(fates, sent, strict=True):
        if fate.fate not in GOOD:
            quarantined = fate.fate == "quarantined"
            code, said = (fate.reason, "") if quarantined else (fate.fate, fate.reason)
            found[code] = (found.get(code, (0,))[0] + 1, said, one)
    for code, (count, said, one) in found.items():
        note(key_id, code, said, _shown(one), count)


def _shown(one: Any) -> Any:
    if not isinstance(one, Happening):
        return one
    facts = dict(one.facts)
    at = one.at.isoformat()
    return {"event": one.event, "key": one.key, "at": at, "person": one.person, "object": one.object, "facts": facts}


def write_down() -> None:
    """Writes what was gathered, in a thread of its own; gives the connection to the database back."""
    try:
        _write()
    finally:
        database.close()


def _write() -> None:
    """What cannot be written is gone, for these are hints and no record."""
    global _asked_for
    with _lock:
        gathered, _asked_for = list(_held.values()), False
        _held.clear()
    if not gathered:
        return
    try:
        note_problems(problems=gathered)
    except Exception:
        log.warning("problems of intake were not noted", exc_info=True)
