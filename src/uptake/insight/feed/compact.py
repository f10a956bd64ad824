"""Folds what came later into the sorted base files, a few buckets at a time, so that a refresh waits a moment at most
and a reader never: each step is a snapshot of its own, and a crash leaves the last one."""

from __future__ import annotations

import logging

from uptake.activity.storage import Overtaken
from uptake.insight.feed.where import activity_log, store

logger = logging.getLogger(__name__)
BUCKETS_AT_ONCE = 8


def compact(*, most: int = BUCKETS_AT_ONCE) -> int:
    """Compacts while there is much to compact; gives how many base files were written. Safe to repeat."""
    files = store()
    written = 0
    while files.exists() and files.manifest().deltas:
        try:
            with files.writing() as writer:
                if not writer.much_to_compact:
                    break
                folded = writer.compact(most)
                writer.publish()
                written += folded
        except Overtaken as overtaken:
            logger.info("Compaction was left to another writer: %s.", overtaken)
            break
    if written:
        activity_log().catch_up()
    return written
