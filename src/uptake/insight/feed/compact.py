"""Folds what came later into the sorted base files, a few buckets at a time, so that a refresh waits a moment at most
and a reader never: each step is a snapshot of its own, and a crash leaves the last one."""

from __future__ import annotations

from uptake.insight.feed.where import activity_log, store

BUCKETS_AT_ONCE = 8


def compact(*, most: int = BUCKETS_AT_ONCE) -> int:
    """Compacts while there is much to compact; gives how many base files were written. Safe to repeat."""
    files = store()
    written = 0
    while files.exists() and files.manifest().deltas:
        with files.writing() as writer:
            if not writer.much_to_compact:
                break
            written += writer.compact(most)
            writer.publish()
    if written:
        activity_log().catch_up()
    return written
