"""Reads NDJSON: one JSON object a line; objects inside become columns with dotted names."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from uptake.connectors.files.table import LARGEST_CELL, MOST_COLUMNS, BadRow, Row, Table, UnreadableFile
from uptake.connectors.files.unpacked import unpacked

DEEPEST = 8


def open_ndjson(path: Path) -> Table:
    """The table in an NDJSON file (packed or not); its columns are all names that occur, in order of first sight.

    Rows are numbered as lines, from 1, as there is no header. A line that is no JSON object is a bad row.
    """
    columns: dict[str, None] = {}
    count = 0
    for number, record in _records(path):
        count += 1
        if isinstance(record, BadRow):
            continue
        columns.update(dict.fromkeys(record))
        if len(columns) > MOST_COLUMNS:
            raise UnreadableFile("too_many_columns", row=number, detail=str(len(columns)))
    if not columns:
        raise UnreadableFile("empty" if not count else "not_a_table")
    names = tuple(columns)

    def rows() -> Iterator[Row]:
        for number, record in _records(path):
            yield number, record if isinstance(record, BadRow) else [record.get(name) for name in names]

    return Table("ndjson", names, rows, count)


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    with unpacked(path) as stream:
        number = 0
        while line := stream.readline(LARGEST_CELL + 1):
            number += 1
            if len(line) > LARGEST_CELL:
                raise UnreadableFile("huge_cell", row=number)
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError as failure:
                yield number, BadRow("broken_json", str(failure))
                continue
            if isinstance(record, dict):
                yield number, dict(_flat(record, "", 1))
            else:
                yield number, BadRow("not_an_object")


def _flat(record: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict) and value and depth < DEEPEST:
            yield from _flat(value, f"{prefix}{key}.", depth + 1)
        elif isinstance(value, dict | list):
            yield prefix + key, orjson.dumps(value).decode() if value else None
        else:
            yield prefix + key, value
