"""Where the activity log of this installation lies, opened once per process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from uptake.activity.log import ActivityLog
from uptake.activity.store import BUCKETS, Store

READER = "activity"


def location() -> str:
    """Of the log: the path of a folder, or s3://bucket/prefix."""
    return str(getattr(settings, "ACTIVITY_FILES", "")) or str(Path(settings.DATA) / "activity")


def buckets() -> int:
    """Into how many buckets people are put where the files are made from nothing."""
    return int(getattr(settings, "ACTIVITY_BUCKETS", BUCKETS))


def activity_log() -> ActivityLog:
    """The log to ask; empty while nothing was fed. Its memory is shared by everyone in the process."""
    memory = int(getattr(settings, "ACTIVITY_MEMORY_MB", 256)) * 2**20
    return _opened(location(), memory, str(getattr(settings, "CLUSTER", "")))


def store() -> Store:
    """The files, for those who write them."""
    return Store(location())


@lru_cache(maxsize=4)
def _opened(where: str, memory_bytes: int, cluster: str) -> ActivityLog:
    return ActivityLog.open(where, memory_bytes=memory_bytes, empty_if_missing=True, cluster=cluster or None)
