"""Reads a list of people (CSV) into rows, and says what is wrong with each. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

ROWS_READ = 5000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "姓名", "名字"),
    "staff_number": ("staff number", "staff no", "employee id", "employee number", "number", "工号", "员工编号"),
    "email": ("e-mail", "email", "mail", "邮箱", "电子邮箱", "电子邮件"),
    "department": ("department", "team", "部门", "班组"),
    "work": ("role", "work", "job", "position", "title", "岗位", "职务"),
}
"""The headings each column is known by."""


class NoNameColumn(Exception):
    """The first line has no heading for the name."""


class TooManyRows(Exception):
    """More than `ROWS_READ` rows."""


class NotText(Exception):
    """The file is neither UTF-8 nor GB 18030 text."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list; `line` counts from 2, after the headings."""

    line: int
    name: str
    staff_number: str = ""
    email: str = ""
    department: str = ""
    work: str = ""
    from_date: date | None = None
    """Since when they belong; None: the date given for the whole list."""


def decode(content: bytes) -> str:
    """The text of an uploaded list: UTF-8 (with or without a mark), else GB 18030, as Excel writes it in China."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotText


def read_roster(text: str) -> list[Row]:
    """The rows of a list with headings, commas, semicolons or tabs; empty lines are left out.

    Raises NoNameColumn, TooManyRows.
    """
    text = text.lstrip("\ufeff")
    lines = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=text.split("\n", 1)[0].count))
    heads = [head.strip().casefold().replace("_", " ") for head in next(lines, [])]
    place = {
        column: heads.index(known) for column, names in COLUMNS.items() for known in reversed(names) if known in heads
    }
    if "name" not in place:
        raise NoNameColumn
    rows = []
    for number, cells in enumerate(lines, start=2):
        held = {column: cells[at].strip() for column, at in place.items() if at < len(cells)}
        if any(held.values()):
            name, staff_number, email, department, work = (held.get(column, "") for column in COLUMNS)
            rows.append(Row(number, name, staff_number, email, department, work))
        if len(rows) > ROWS_READ:
            raise TooManyRows
    return rows
