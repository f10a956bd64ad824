"""One at a time in whatever process (the runner of the jobs, a migration): free again the moment its holder is gone."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Any, Final, Protocol

from django.conf import settings
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

HOUSE: Final = 0x7570746B
"""The first of the two numbers by which PostgreSQL tells advisory locks apart; the second is the lease's."""
JOBS: Final = "jobs"
MIGRATIONS: Final = "migrations"
_NUMBERS: Final = {JOBS: 1, MIGRATIONS: 2}


class Lease(Protocol):
    """The right to be the only one."""

    def take(self) -> bool:
        """Whether it is ours now; asked again, whether it still is."""

    def give_back(self) -> None:
        """Let another runner have it."""


class FileLease:
    """For SQLite: a lock on a file beside the database. The system drops it when the process ends, however it ends."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.held: IO[str] | None = None

    def take(self) -> bool:
        if self.held is not None:
            return True
        opened = self.file.open("a")
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            opened.close()
            return False
        self.held = opened
        return True

    def give_back(self) -> None:
        if self.held is not None:
            self.held.close()
            self.held = None


class AdvisoryLease:
    """For PostgreSQL: an advisory lock of a session of its own, outside any transaction."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.session: BaseDatabaseWrapper | None = None

    def take(self) -> bool:
        """As of every lease; the database's error where it cannot be reached at all."""
        if self.session is not None:
            try:
                return self._ask("SELECT true")
            except Error:
                self.give_back()
                return False
        self.session = connections["default"].copy()
        # A session that holds a lock must not return to the pool.
        self.session.settings_dict = _without_pool(self.session.settings_dict)
        taken = False
        try:
            taken = self._ask(f"SELECT pg_try_advisory_lock({HOUSE}, {self.number})")
        finally:
            if not taken:
                self.give_back()
        return taken

    def give_back(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None

    def _ask(self, question: str) -> bool:
        assert self.session is not None, "a session is opened before it is asked"
        with self.session.cursor() as cursor:
            cursor.execute(question)
            return bool(cursor.fetchone()[0])


def lease(name: str = JOBS) -> Lease:
    """The lease of this name that fits the database of this installation."""
    wrapper = connections["default"]
    if wrapper.vendor == "postgresql":
        return AdvisoryLease(_NUMBERS[name])
    return FileLease(Path(settings.DATA) / f"{name}.lock")


def _without_pool(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "OPTIONS": {name: value for name, value in entry["OPTIONS"].items() if name != "pool"}}
