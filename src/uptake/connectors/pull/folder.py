"""A folder into which another system puts files: Excel, CSV, Parquet or JSON lines, row by row.

The key of a row is `_key`: what it says and a running number among equal rows of its file, so that a file that grows,
or comes again under another name, brings nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from uptake.connectors.files.formats import open_table
from uptake.connectors.files.table import BadRow, UnreadableFile
from uptake.connectors.pull.declaration import Declaration, Stream
from uptake.connectors.pull.protocol import Access, Health, Page, Position, Record, Unfit

UNFINISHED = (".part", ".tmp", ".crdownload", "~")


class Folder:
    """The folder of the connection. Files are taken in the order in which they were last written."""

    def __init__(self, declaration: Declaration, access: Access) -> None:
        self.access = access
        self.folder = Path(access.folder)
        self._calls = 0

    def check(self) -> Health:
        if not self.folder.is_dir():
            raise Unfit(self.folder.name, code="folder_missing")
        return Health(about=str(sum(1 for _ in self.folder.iterdir())))

    def pull(self, stream: Stream, after: Position, limit: int) -> Page:
        self._calls += 1
        if not self.folder.is_dir():
            raise Unfit(self.folder.name, code="folder_missing")
        records: list[Record] = []
        for at, path in self._files(str(stream.options.get("pattern", "*"))):
            if after.at is not None and at < after.at:
                continue
            last = after.id if after.at == at else ""
            for record in self._rows(path, at):
                if record.id > last:
                    records.append(record)
                if len(records) == limit:
                    return Page(records)
        return Page(records, complete=True)

    def ids(self, stream: Stream, after: str, limit: int) -> Sequence[str]:
        raise Unfit(stream.name, code="no_sweep")

    def calls(self) -> int:
        done, self._calls = self._calls, 0
        return done

    def close(self) -> None:
        """Nothing is open."""

    def _files(self, pattern: str) -> list[tuple[datetime, Path]]:
        found = []
        for path in self.folder.iterdir():
            plain = path.is_file() and not path.is_symlink()
            if (
                plain
                and fnmatch(path.name, pattern)
                and not path.name.startswith(".")
                and path.suffix not in UNFINISHED
            ):
                found.append((datetime.fromtimestamp(path.stat().st_mtime, UTC), path))
        return sorted(found)

    def _rows(self, path: Path, at: datetime) -> Iterator[Record]:
        seen: Counter[bytes] = Counter()
        try:
            table = open_table(path)
            for number, cells in table.rows():
                id_ = f"{path.name} {number:09d}"
                about = {"_file": path.name, "_row": number}
                if isinstance(cells, BadRow):
                    yield Record({**about, "_detail": cells.detail}, id_, at, problem="row")
                    continue
                row = {
                    name: cell.isoformat() if isinstance(cell, datetime | date) else cell
                    for name, cell in zip(table.columns, cells, strict=False)
                }
                digest = blake2b(_bytes(row), digest_size=16)
                seen[digest.digest()] += 1
                yield Record({**row, **about, "_key": f"{digest.hexdigest()}:{seen[digest.digest()]}"}, id_, at)
        except UnreadableFile as refusal:
            row_number = refusal.row or 0
            detail = {"_file": path.name, "_row": row_number, "_detail": f"{refusal.code} {refusal.detail}"[:200]}
            yield Record(detail, f"{path.name} {row_number:09d}", at, problem="file")


def _bytes(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, default=str, option=orjson.OPT_SORT_KEYS)
