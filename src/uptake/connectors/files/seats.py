"""A table of a file as rows of a list of seats, by the headings it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from uptake.connectors.files.cells import BadCell, as_date, as_text
from uptake.connectors.files.table import BadRow, Table
from uptake.directory.issue_seats import SeatRow

MOST_ROWS = 200_000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "product": ("product", "system", "产品", "系统"),
    "company": ("company", "organization", "企业", "公司"),
    "person": ("person", "user", "user id", "account", "login", "id", "账号", "用户", "登录名"),
    "staff_number": ("staff number", "staff no", "employee id", "employee number", "number", "工号", "员工编号"),
    "email": ("e-mail", "email", "mail", "邮箱", "电子邮箱", "电子邮件"),
    "name": ("name", "full name", "姓名", "名字"),
    "module": ("module", "模块"),
    "issued_date": ("issued", "issued on", "issued date", "from", "发放日期", "开通日期"),
    "invited_date": ("invited", "invited on", "invited date", "邀请日期"),
    "until_date": ("until", "until date", "revoked", "revoked on", "to", "收回日期", "截止日期"),
}
"""The headings each column is known by."""
DATES = ("issued_date", "invited_date", "until_date")


class NoSuchColumns(Exception):
    """The first line has no heading by which people are told apart."""


class TooManySeats(Exception):
    """More rows than are taken at once."""


def seats_in(table: Table, *, product: str = "", most: int = MOST_ROWS) -> list[SeatRow]:
    """The rows of a table; `product` is meant where a row names none. Raises NoSuchColumns, TooManySeats (over `most`).

    Rows that cannot be read come out as such, so that they are told and not lost.
    """
    heads = [head.strip().casefold().replace("_", " ") for head in table.columns]
    places = {
        column: heads.index(known) for column, names in COLUMNS.items() for known in reversed(names) if known in heads
    }
    if not {"person", "staff_number", "email"} & places.keys():
        raise NoSuchColumns
    rows = []
    for number, cells in table.rows():
        if isinstance(cells, BadRow):
            rows.append(SeatRow(number, product, unreadable=True))
        else:
            held = {column: cells[at] for column, at in places.items() if at < len(cells)}
            if any(as_text(cell).strip() for cell in held.values()):
                rows.append(row_of(number, held, product=product))
        if len(rows) > most:
            raise TooManySeats
    return rows


def row_of(line: int, cells: Mapping[str, Any], *, product: str = "") -> SeatRow:
    """One row of named cells; a date that is none makes it unreadable."""
    texts = {name: as_text(cell).strip() for name, cell in cells.items() if name not in DATES}
    dates, wrong = _dates((name, cells.get(name)) for name in DATES)
    return SeatRow(
        line=line,
        product=texts.get("product") or product,
        company=texts.get("company", ""),
        person=texts.get("person", ""),
        staff_number=texts.get("staff_number", ""),
        email=texts.get("email", ""),
        name=texts.get("name", ""),
        module=texts.get("module", ""),
        unreadable=wrong,
        **dates,
    )


def _dates(cells: Iterable[tuple[str, Any]]) -> tuple[dict[str, date], bool]:
    found, wrong = {}, False
    for name, cell in cells:
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        try:
            found[name] = date.fromisoformat(as_date(cell)[:10])
        except (BadCell, ValueError):
            wrong = True
    return found, wrong
