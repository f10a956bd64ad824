"""Where the activity log of this installation lies, opened once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from uptake.activity.log import ActivityLog
from uptake.activity.store import Store

READER = "activity"


def folder() -> Path:
    """The folder of the log."""
    return Path(settings.DATA) / "activity"


def activity_log() -> ActivityLog:
    """The log to ask; empty while nothing was fed. Its memory is shared by everyone in the process."""
    return _opened(folder(), int(getattr(settings, "ACTIVITY_MEMORY_MB", 256)) * 2**20)


def store() -> Store:
    """The files, for those who write them."""
    return Store(folder())


@lru_cache(maxsize=4)
def _opened(path: Path, memory_bytes: int) -> ActivityLog:
    return ActivityLog.open(path, memory_bytes=memory_bytes, empty_if_missing=True)
