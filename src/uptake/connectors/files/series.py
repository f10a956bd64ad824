"""A table of a file as rows of business figures, by the headings it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from uptake.connectors.files.cells import BadCell, as_date, as_number, as_text
from uptake.connectors.files.table import BadRow, Table

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "day": ("date", "day", "week", "week of", "日期", "天", "周"),
    "place": ("place", "department", "company", "organization", "部门", "企业", "公司", "单位"),
    "value": ("value", "figure", "amount", "number", "数值", "值", "金额"),
}
"""The headings each column is known by."""


class NoSeriesColumns(Exception):
    """The first line has no heading for the day or for the value."""


class TooManyFigures(Exception):
    """More rows than are taken at once."""


@dataclass(frozen=True)
class SeriesCells:
    """`wrong`: bad_date or bad_value where a cell could not be read."""

    line: int
    place: str
    day: date | None
    value: Decimal | None
    wrong: str = ""


def series_in(table: Table, *, most: int) -> list[SeriesCells]:
    """The rows that are not empty. Raises NoSeriesColumns or TooManyFigures (over `most`)."""
    heads = [head.strip().casefold().replace("_", " ") for head in table.columns]
    where = {
        column: heads.index(known) for column, names in COLUMNS.items() for known in reversed(names) if known in heads
    }
    if not {"day", "value"} <= where.keys():
        raise NoSeriesColumns
    rows = []
    for number, cells in table.rows():
        if isinstance(cells, BadRow):
            rows.append(SeriesCells(number, "", None, None, "bad_value"))
            continue
        held = {column: cells[at] for column, at in where.items() if at < len(cells)}
        if any(as_text(cell) for cell in held.values()):
            rows.append(series_cells(number, held))
        if len(rows) > most:
            raise TooManyFigures
    return rows


def series_cells(line: int, held: Mapping[str, object]) -> SeriesCells:
    """A row by what its cells of "day", "place" and "value" say."""
    place = as_text(held.get("place"))
    try:
        day = date.fromisoformat(as_date(held.get("day"))[:10])
    except (BadCell, ValueError, TypeError):
        return SeriesCells(line, place, None, None, "bad_date")
    try:
        value = Decimal(str(as_number(held.get("value"))))
    except (BadCell, ArithmeticError):
        return SeriesCells(line, place, day, None, "bad_value")
    return SeriesCells(line, place, day, value)
