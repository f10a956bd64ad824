"""Numbers equal things in the order they come, in bounded memory: beyond a limit the counts move to a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from types import TracebackType

IN_MEMORY = 1_000_000


class RunningNumbers:
    """How often each digest was seen before. `distinct` is the number of different ones. Close when done."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._counts: dict[bytes, int] = {}
        self._limit = in_memory
        self._file: sqlite3.Connection | None = None
        self.distinct = 0

    def __enter__(self) -> RunningNumbers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def number(self, digest: bytes) -> int:
        """0 for a digest seen first, 1 for the second time, and so on."""
        if self._file is None:
            seen = self._counts.get(digest, 0)
            self._counts[digest] = seen + 1
            self.distinct += not seen
            if len(self._counts) > self._limit:
                self._move()
            return seen
        (count,) = self._file.execute(
            "INSERT INTO seen VALUES (?, 1) ON CONFLICT (digest) DO UPDATE SET count = count + 1 RETURNING count",
            (digest,),
        ).fetchone()
        self.distinct += count == 1
        return int(count) - 1

    def meet(self, digests: Iterable[bytes]) -> None:
        """Take digests into account that need no number."""
        for digest in digests:
            self.number(digest)

    def _move(self) -> None:
        # An empty name makes SQLite keep a private file that vanishes with the connection.
        # One thread at a time uses it, not always the same one.
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY, count INTEGER) WITHOUT ROWID")
        self._file.execute("BEGIN")
        self._file.executemany("INSERT INTO seen VALUES (?, ?)", self._counts.items())
        self._counts.clear()
