"""One runner at a time, in whatever process: a lock that is free again the moment its holder is gone."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Any, Final, Protocol

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK_NUMBER: Final = 0x75_70_74_61_6B_65  # "uptake"; advisory locks of PostgreSQL are told apart by number


class Lease(Protocol):
    """The right to run the jobs."""

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

    def __init__(self) -> None:
        self.session: BaseDatabaseWrapper | None = None

    def take(self) -> bool:
        if self.session is not None:
            return self._ask("SELECT true")
        self.session = connections["default"].copy()
        # A session that holds a lock must not return to the pool.
        self.session.settings_dict = _without_pool(self.session.settings_dict)
        if self._ask(f"SELECT pg_try_advisory_lock({LOCK_NUMBER})"):
            return True
        self.give_back()
        return False

    def give_back(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None

    def _ask(self, question: str) -> bool:
        assert self.session is not None, "a session is opened before it is asked"
        try:
            with self.session.cursor() as cursor:
                cursor.execute(question)
                return bool(cursor.fetchone()[0])
        except Exception:
            self.give_back()
            return False


def lease() -> Lease:
    """The lease that fits the database of this installation."""
    wrapper = connections["default"]
    if wrapper.vendor == "postgresql":
        return AdvisoryLease()
    return FileLease(Path(settings.DATA) / "jobs.lock")


def _without_pool(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "OPTIONS": {name: value for name, value in entry["OPTIONS"].items() if name != "pool"}}
