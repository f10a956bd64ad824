"""Reads Parquet, a few thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from pyarrow import parquet

from uptake.connectors.files.table import Row, Table, UnreadableFile, column_names

BATCH_ROWS = 4096


def open_parquet(path: Path) -> Table:
    """The table in a Parquet file. UnreadableFile if it is broken or protected."""
    try:
        with parquet.ParquetFile(path) as file:
            columns, expected = column_names(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowException, OSError) as failure:
        raise UnreadableFile("broken_parquet", detail=str(failure)) from failure
    if not columns:
        raise UnreadableFile("empty")

    def rows() -> Iterator[Row]:
        number = 1
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                    for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                        number += 1
                        yield (
                            number,
                            [_plain(cell) if isinstance(cell, dict | list | bytes) else cell for cell in cells],
                        )
        except (pa.ArrowException, OSError) as failure:
            raise UnreadableFile("broken_parquet", row=number + 1, detail=str(failure)) from failure

    return Table("parquet", columns, rows, expected)


def _plain(cell: Any) -> str:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    return orjson.dumps(cell, default=str).decode()
