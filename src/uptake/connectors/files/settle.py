"""Takes a table through the door of the record, a few thousand rows at a time, and counts what became of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import compress, islice

from uptake.connectors.files.table import Table
from uptake.connectors.files.totals import ControlTotals
from uptake.connectors.files.translate import Refused, Translator
from uptake.connectors.models import ImportRun
from uptake.directory.models import Kind, Organization
from uptake.events.content import Content, contents_of
from uptake.events.happening import Happening
from uptake.events.models import Batch, Connection, Event
from uptake.events.record import record

CHUNK_ROWS = 8000
"""Rows of one transaction: others who write wait about a quarter of a second for it."""
MOST_ERRORS = 1000


@dataclass
class Outcome:
    """What became of the rows so far."""

    rows: int = 0
    new: int = 0
    replayed: int = 0
    rejected: int = 0
    conflicts: int = 0
    quarantined: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(row, code, column, value or sentence), the first MOST_ERRORS."""

    def copy(self) -> Outcome:
        return replace(self, reasons=Counter(self.reasons), errors=list(self.errors))

    def note(self, row: int, code: str, column: str = "", value: str = "") -> None:
        """Remember why a row was rejected or put into quarantine."""
        self.reasons[code] += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append((row, code, column, value))


@dataclass
class Chunk:
    """Rows of one transaction: what they say, and those that say nothing usable."""

    last: int
    """How many rows of the table are read with this chunk."""
    happenings: list[tuple[int, Happening]]
    refused: list[Refused]
    contents: list[Content | None]
    """Of each happening, where it is plain."""


def chunks(
    table: Table, translator: Translator, totals: ControlTotals, *, settled: int = 0, most: int | None = None
) -> Generator[Chunk, None, None]:
    """The rows of the table in chunks of CHUNK_ROWS (or `most`), translated and counted in the control totals.

    The first `settled` rows are counted and numbered, and left out.
    """
    size = min(CHUNK_ROWS, most or CHUNK_ROWS)
    rows, read = table.rows(), 0
    while some := list(islice(rows, min(size, settled - read) if read < settled else size)):
        read += len(some)
        happenings, refused = translator.happenings(some)
        totals.add([happening for _row, happening in happenings])
        if read > settled:
            yield Chunk(read, happenings, refused, contents_of([happening for _row, happening in happenings]))


def settle(
    chunk: Chunk, outcome: Outcome, *, connection: Connection, batch: Batch, earn: bool, now: datetime
) -> Outcome:
    """Records the rows of a chunk (in the caller's transaction); the outcome with them counted."""
    after = outcome.copy()
    after.rows = chunk.last
    for row, code, column, value in chunk.refused:
        after.rejected += 1
        after.note(row, code, column, value)
    rows, contents = chunk.happenings, chunk.contents
    held = _held_otherwise(rows, connection, earn)
    if held:
        for row in [row for row, happening in rows if happening.key in held]:
            after.rejected += 1
            after.note(row, "stands_as_history" if earn else "stands_as_earning")
        left = [happening.key not in held for _row, happening in rows]
        rows, contents = list(compress(rows, left)), list(compress(contents, left))
    fates = record(
        [happening for _row, happening in rows],
        connection=connection,
        now=now,
        batch=batch,
        make_people=True,
        contents=contents,
    )
    for (row, happening), fate in zip(rows, fates, strict=True):
        match fate.fate:
            case "new":
                after.new += 1
            case "replayed":
                after.replayed += 1
            case "quarantined":
                after.new += 1
                after.quarantined += 1
                after.note(row, fate.reason, "", happening.at.isoformat() if fate.reason != "odd" else "")
            case "conflict":
                after.rejected += 1
                after.conflicts += 1
                after.note(row, "conflict")
            case _:
                after.rejected += 1
                after.note(row, "refused", "", fate.reason[:200])
    return after


def _held_otherwise(happenings: Sequence[tuple[int, Happening]], connection: Connection, earn: bool) -> set[str]:
    """Keys of rows that stand already as history although these earn, or the other way round.

    The door would keep each as a conflict; for a whole file imported before with the other setting that helps nobody.
    """
    other = ImportRun.objects.filter(connection=connection, rows__gt=0, undone_at__isnull=True, earn=not earn)
    if not other.exists():
        return set()
    return set(
        Event.objects.standing()
        .filter(source=connection.slug, key__in=[happening.key for _row, happening in happenings], history_only=earn)
        .values_list("key", flat=True)
    )


def companies_below(organization: Organization) -> Mapping[str, str]:
    """Slugs and names (in small letters) of the open companies at a place → slug; a name that two share is left out."""
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    places = Organization.objects.open().below(organization).filter(kind=Kind.COMPANY)
    for slug, name in places.order_by("pk").values_list("slug", "name"):
        if found.setdefault(name.lower(), slug) != slug:
            doubtful.add(name.lower())
    for name in doubtful:
        del found[name]
    return {**found, **{slug.lower(): slug for slug in places.values_list("slug", flat=True)}}
