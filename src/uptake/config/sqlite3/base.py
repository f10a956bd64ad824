"""The backend: Django's own for SQLite, whose transactions begin when it is their turn."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.backends.sqlite3 import base

from uptake.config.sqlite3.line import Line

_lines: defaultdict[str, Line] = defaultdict(Line)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that stands in its file's line. Should a turn not come in time, SQLite's own lock decides."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line: Line | None = None

    def _start_transaction_under_autocommit(self) -> None:
        line = _lines[str(self.settings_dict["NAME"])]
        if self._line is None and line.take(float(self.settings_dict["OPTIONS"].get("timeout", 5))):
            self._line = line
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # Django's, unknown to the stubs
        except BaseException:
            self._give_turn_back()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._give_turn_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._give_turn_back()

    def close(self) -> None:
        try:
            super().close()
        finally:
            if not self.in_atomic_block:
                self._give_turn_back()

    def _give_turn_back(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.give_back()
