"""Reads the first filled sheet of an Excel workbook."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from uptake.connectors.files.table import BadRow, Row, Table, UnreadableFile, column_names, is_empty

LARGEST_SHEETS = 1 << 30
"""Unpacked bytes of a workbook; more does not fit into memory and should come as CSV."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def open_xlsx(path: Path) -> Table:
    """The table in the first visible sheet with content. UnreadableFile if it is protected, broken or too large."""
    _check_archive(path)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = _first_filled(workbook)
    except PasswordError as failure:
        raise UnreadableFile("encrypted") from failure
    except (CalamineError, OSError, ValueError) as failure:
        raise UnreadableFile("broken_workbook", detail=str(failure)) from failure

    def records() -> Iterator[tuple[int, list[Any]]]:
        first = (sheet.start or (0, 0))[0]
        try:
            for number, cells in enumerate(sheet.iter_rows(), start=1):
                if number > first:
                    yield number, cells
        except CalamineError as failure:
            raise UnreadableFile("broken_workbook", detail=str(failure)) from failure

    found = next(((number, cells) for number, cells in records() if not is_empty(cells)), None)
    if found is None:
        raise UnreadableFile("empty")
    header_row = found[0]
    header = list(itertools.dropwhile(lambda cell: cell is None or cell == "", reversed(found[1])))[::-1]
    columns = column_names([_plain(cell) for cell in header])

    def rows() -> Iterator[Row]:
        width = len(columns)
        for number, cells in records():
            if number <= header_row or is_empty(cells):
                continue
            if not is_empty(cells[width:]):
                yield number, BadRow("too_many_cells", f"{len(cells)}/{width}")
            else:
                yield number, [_plain(cell) for cell in cells[:width]]

    return Table("xlsx", columns, rows, max(sheet.total_height - header_row, 0), {"sheet": sheet.name})


def _check_archive(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if not head.startswith(b"PK"):
        if ENCRYPTED in path.read_bytes():
            raise UnreadableFile("encrypted")
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as failure:
        raise UnreadableFile("broken_workbook", detail=str(failure)) from failure
    if not any(entry.filename.startswith("xl/") for entry in entries):
        raise UnreadableFile("zip_archive")
    if sum(entry.file_size for entry in entries) > LARGEST_SHEETS:
        raise UnreadableFile("too_large_workbook")


def _first_filled(workbook: CalamineWorkbook) -> CalamineSheet:
    for described in workbook.sheets_metadata:
        if described.typ != SheetTypeEnum.WorkSheet or described.visible != SheetVisibleEnum.Visible:
            continue
        sheet = workbook.get_sheet_by_name(described.name)
        if sheet.height:
            return sheet
    raise UnreadableFile("empty")


def _plain(cell: Any) -> Any:
    """Excel keeps every number as a float: whole ones become integers again."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 2**53 else cell
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, time):
        return cell.isoformat()
    if isinstance(cell, str | int | date | datetime):
        return cell
    return None if cell is None else str(cell)
