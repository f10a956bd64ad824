"""A table in a file, whatever its format: named columns and a stream of numbered rows. Pure values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_COLUMNS = 500
LARGEST_CELL = 1 << 20
"""Characters of one cell; more is nearly always a quotation mark that is never closed."""


class UnreadableFile(Exception):
    """The file cannot be read as a table, or not beyond `row` (the header is row 1; None: as a whole).

    `code` names the reason; its sentence in the reader's language is in `words.py`.
    """

    def __init__(self, code: str, *, row: int | None = None, detail: str = "") -> None:
        super().__init__(f"{code}{'' if row is None else f' in row {row}'}{detail and ': '}{detail}")
        self.code = code
        self.row = row
        self.detail = detail


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be understood, while the rows after it can."""

    code: str
    detail: str = ""


Row = tuple[int, "Sequence[Any] | BadRow"]
"""The number of the row as a spreadsheet shows it (the header is row 1), and its cells in the order of the columns.

Cells are text, int, float, Decimal, bool, date, datetime or None; missing cells at the end are left out.
"""


@dataclass(frozen=True)
class Table:
    """An opened file. `rows()` reads it from the start, each time it is called, in bounded memory."""

    format: str
    """csv, xlsx, parquet, ndjson or xes."""
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    rows_expected: int
    """How many rows there are, for a progress bar; exact or nearly so."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What was found out about the file: encoding, delimiter, sheet."""


def column_names(header: Sequence[Any]) -> tuple[str, ...]:
    """Names for the columns: trimmed, never empty, never twice ("amount", "amount (2)")."""
    if len(header) > MOST_COLUMNS:
        raise UnreadableFile("too_many_columns", row=1, detail=str(len(header)))
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(header, start=1):
        plain = str(cell if cell is not None else "").strip() or f"column {place}"
        name, number = plain, 1
        while name in taken:
            number += 1
            name = f"{plain} ({number})"
        names.append(name)
        taken.add(name)
    return tuple(names)


def is_empty(cells: Sequence[Any]) -> bool:
    """Whether nothing stands in any of the cells."""
    return not any(cell is not None and cell != "" and str(cell).strip() for cell in cells)
