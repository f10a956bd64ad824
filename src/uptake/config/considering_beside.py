"""Considers events in a process of its own while more of them are being stored.

Two threads of Python share one processor; two processes use two. Of PostgreSQL only: on SQLite one writer waits for
the other. The child asks what is new again and again. A byte on its standard input says that no more will come: it ends
when nothing is new. The end of its input alone says that we are gone, and it ends after the batch it is at, so nothing
is left running when we are killed. All it does is safe to repeat; what it leaves undone is there for whoever asks next.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.db import connection
from django.utils import timezone

log = logging.getLogger(__name__)
PAUSE_SECONDS = 0.2
"""How long it waits when nothing is new."""
GRACE_SECONDS = 30
"""How long it may take for the batch it is at."""


class Beside:
    """The child. `finish` once no more events come."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (no word of it comes from outside)
            [sys.executable, "-m", __name__, str(connection.settings_dict["NAME"])],
            stdin=subprocess.PIPE,
            # What is printed to standard output is the answer of our command, not of the child.
            stdout=subprocess.DEVNULL,
        )

    def finish(self) -> bool:
        """Waits until nothing is new; False (and told in the log) if the child ended otherwise."""
        self._say(b".")
        failed = self._process.wait()
        if failed:
            log.warning("The process that considered the events beside ended with %s; this one goes on.", failed)
        return not failed

    def end(self) -> None:
        """Ends it, whatever it is at: PostgreSQL takes an unfinished batch back."""
        self._say(b"")
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _say(self, what: bytes) -> None:
        assert self._process.stdin is not None, "it was opened with a pipe"
        if self._process.stdin.closed:
            return
        try:
            self._process.stdin.write(what)
            self._process.stdin.close()
        except BrokenPipeError:
            pass  # it is gone; its exit code tells


@contextmanager
def considering_beside() -> Iterator[Beside]:
    """Inside, events are considered as they are stored; the child is gone at the end."""
    beside = Beside()
    try:
        yield beside
    finally:
        beside.end()


def main() -> None:
    """What the child does; its argument is the name of the database its parent has open."""
    # Ctrl-C reaches both: the parent ends, and with it our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    django.setup()
    connection.settings_dict["NAME"] = sys.argv[1]
    from uptake.programme.consider import consider_new_events

    more = 0
    while not select.select([sys.stdin], [], [], 0 if more else PAUSE_SECONDS)[0]:
        more = consider_new_events(now=timezone.now())
    if os.read(sys.stdin.fileno(), 1):
        while consider_new_events(now=timezone.now()):
            pass


if __name__ == "__main__":
    main()
