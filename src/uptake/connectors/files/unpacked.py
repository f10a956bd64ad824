"""The bytes of a file, unpacked if they are gzip; a broken or endless archive is refused."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from uptake.connectors.files.table import UnreadableFile

GZIP = b"\x1f\x8b"
LARGEST_UNPACKED = 8 << 30
CHUNK = 1 << 20


class _Limited(io.RawIOBase):
    """Reads a stream and refuses it once more than a number of bytes came out."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, limit: int) -> None:
        super().__init__()
        self._stream, self._left = stream, limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise UnreadableFile("too_large")
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def unpacked(path: Path, *, limit: int = LARGEST_UNPACKED) -> Iterator[IO[bytes]]:
    """The bytes of the file for reading, unpacked if it is gzip (by its first bytes, not its name)."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        try:
            if not packed:
                yield io.BufferedReader(_Limited(file, limit), CHUNK)
                return
            with gzip.GzipFile(fileobj=file) as stream:
                yield io.BufferedReader(_Limited(stream, limit), CHUNK)
        except (gzip.BadGzipFile, EOFError, zlib.error) as failure:
            raise UnreadableFile("broken_gzip", detail=str(failure)) from failure
