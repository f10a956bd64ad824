"""Asks systems side by side, each in a thread of its own, so that one that answers slowly lets no other wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from django.db import connection

from uptake.connectors.pull.pull_due import Turn, due_pulls, pull_connection
from uptake.connectors.pull.read_page import TakenOver
from uptake.events.record import ConnectionPaused

AT_ONCE = 4
"""Systems asked at the same time; each may hold a connection to the database."""


class SideBySide:
    """Who is asked at this moment, and what came of it. One of them for a process; its threads die with the process,
    and what they were at is taken up again by who asks next."""

    def __init__(self, *, ask: Callable[..., Turn] = pull_connection, most: int = AT_ONCE) -> None:
        self._ask = ask
        self._most = most
        self._changed = threading.Condition()
        self._asked: set[int] = set()
        self._new = 0
        self._failures: list[Exception] = []

    def turn(self, *, clock: Callable[[], datetime], patience_seconds: float = 0.5) -> int:
        """Begins to ask those that are due, waits a little for their answers, and gives how many events came of those
        that ended since the last turn. Raises the first failure among them; each was logged and noted."""
        with self._changed:
            room = self._most - len(self._asked)
            keys = [key for key in due_pulls(clock(), limit=room + len(self._asked)) if key not in self._asked][:room]
            self._asked.update(keys)
        for key in keys:
            threading.Thread(target=self._one, args=(key, clock), name=f"system {key}", daemon=True).start()
        until = time.monotonic() + patience_seconds
        with self._changed:
            while self._asked and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            new, failures = self._new, self._failures
            self._new, self._failures = 0, []
        if failures:
            raise failures[0]
        return new

    def _one(self, key: int, clock: Callable[[], datetime]) -> None:
        new, failed = 0, []
        try:
            new = self._ask(pull_id=key, clock=clock).new
        except (TakenOver, ConnectionPaused):
            pass
        except Exception as failure:  # told by the next turn
            failed = [failure]
        finally:
            connection.close()
            with self._changed:
                self._asked.discard(key)
                self._new += new
                self._failures += failed
                self._changed.notify_all()
