"""Lists leave the house as CSV or XLSX; a cell can never be taken for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import xlsxwriter
from django.http import HttpResponse
from django.utils import timezone

Cell = str | int | float | Decimal | date | datetime | None
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
FIGURE = re.compile(r"[+-][\d.,]+%?( [^\W\d_]+)?( … [+-]?[\d.,]+%?( [^\W\d_]+)?)?")
"""A change as our reports write it, with its unit, or the two ends of its interval."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def harmless(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula (also after spaces)."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def as_csv(name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """A CSV file in UTF-8 with a byte order mark, which spreadsheets need to read Chinese."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([harmless(head) for head in heads])
    writer.writerows(
        [[harmless(_written(cell)) if isinstance(cell, str) else _written(cell) for cell in row] for row in rows]
    )
    return _file(("\ufeff" + text.getvalue()).encode(), f"{name}.csv", "text/csv; charset=utf-8")


def as_xlsx(name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """An XLSX file of one sheet; texts are written as texts, numbers and dates as such."""
    return as_book(name, [("", heads, rows)])


def as_book(name: str, sheets: Sequence[tuple[str, Sequence[str], Iterable[Sequence[Cell]]]]) -> HttpResponse:
    """An XLSX file of several sheets, each (title, heads, rows); an empty title is the program's own."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    bold = book.add_format({"bold": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for title, heads, rows in sheets:
        sheet = book.add_worksheet(title[:31] or None)
        for column, head in enumerate(heads):
            sheet.write_string(0, column, harmless(head), bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(number, column, timezone.localtime(cell).replace(tzinfo=None), moment)
                elif isinstance(cell, date):
                    sheet.write_datetime(number, column, cell)
                elif isinstance(cell, int | float | Decimal):
                    sheet.write_number(number, column, cell)
                elif cell is not None:
                    sheet.write_string(number, column, _in_a_book(cell)[:32767])
        sheet.freeze_panes(1, 0)
    book.close()
    return _file(target.getvalue(), f"{name}.xlsx", XLSX)


def _in_a_book(text: str) -> str:
    """A cell of a book has its type, so a plain figure with its sign needs no apostrophe; anything else may be copied
    into a file without types."""
    return text if FIGURE.fullmatch(text) else harmless(text)


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return timezone.localtime(cell).isoformat(sep=" ", timespec="seconds")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _file(content: bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
