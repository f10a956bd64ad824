"""A dry run: asks a system and says what its records would become. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from uptake.connectors.pull.declaration import Stream
from uptake.connectors.pull.engines import open_connector
from uptake.connectors.pull.mapping import Reading
from uptake.connectors.pull.protocol import Access, Health, Position, Problem, Record
from uptake.connectors.pull.read_page import understood
from uptake.events.happening import Happening


@dataclass(frozen=True)
class Tried:
    """What a stream gave: its records with what they tell of, or why it gave none."""

    stream: Stream
    rows: list[tuple[Record, list[Happening], str]] = field(default_factory=list)
    """Record, happenings, and the code of what was not understood."""
    problem: Problem | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of a dry run."""

    health: Health | None
    problem: Problem | None
    streams: list[Tried]


def try_out(*, reading: Reading, access: Access, since: datetime | None, limit: int = 5, only: str = "") -> Outcome:
    """Checks the system and reads the first records of each stream after an instant."""
    connector = None
    try:
        connector = open_connector(reading.declaration, access)
        health = connector.check()
        tried = []
        for stream in reading.declaration.streams:
            if only and stream.name != only:
                continue
            try:
                after = Position(since if stream.order.time else None)
                records = list(connector.pull(stream, after, limit).records)[:limit]
            except Problem as problem:
                tried.append(Tried(stream, problem=problem))
            else:
                tried.append(Tried(stream, [_row(reading, stream, one) for one in records]))
    except Problem as problem:
        return Outcome(None, problem, [])
    finally:
        if connector is not None:
            connector.close()
    return Outcome(health, None, tried)


def _row(reading: Reading, stream: Stream, record: Record) -> tuple[Record, list[Happening], str]:
    found = understood(reading, stream, [record])
    return record, found.happenings, found.bad[0][1] if found.bad else ""
