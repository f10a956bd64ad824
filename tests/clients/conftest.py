"""One server for the clients of all languages, and what it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.server import Server, inside, intake_key, running


@dataclass
class Receiver:
    """A running installation with one key."""

    server: Server
    key: str

    def held(self, event: str) -> list[str]:
        """The object facts `n` of the events of this name, in order of storing, as text."""
        with sqlite3.connect(self.server.data / "uptake.sqlite3") as record:
            found = record.execute(
                "SELECT json_extract(event.facts, '$.n') FROM events_event event"
                " WHERE event.name = ? ORDER BY event.id",
                [event],
            )
            return [str(row[0]) for row in found]

    def conflicts(self) -> int:
        """How many events came again with another content."""
        with sqlite3.connect(self.server.data / "uptake.sqlite3") as record:
            return int(record.execute("SELECT count(*) FROM events_conflict").fetchone()[0])


@pytest.fixture(scope="session")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    data: Path = tmp_path_factory.mktemp("clients")
    inside("from django.core.management import call_command; call_command('migrate', verbosity=0); print(1)", data=data)
    with running(data=data) as server:
        yield Receiver(server, intake_key(data=data))
