"""A line of writers: who came first writes first.

SQLite lets one write at a time; who finds it taken sleeps for up to a tenth of a second and asks again, and may be
passed by others for as long as these keep coming. Threads of one process can do better: they stand in a line.
"""

from __future__ import annotations

import threading
from collections import deque


class Line:
    """A lock that is passed on in the order in which it was asked for."""

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def take(self, seconds: float) -> bool:
        """Wait for one's turn; False if it did not come in time."""
        with self._door:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(seconds):
            return True
        with self._door:
            if mine.is_set():
                return True
            self._waiting.remove(mine)
            return False

    def give_back(self) -> None:
        """Let the next one in."""
        with self._door:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False
