"""Suggests a mapping from the names of the columns (Chinese and English) and from the first rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from uptake.connectors.files.cells import BadCell, Clock, as_boolean, as_date, as_number, as_text
from uptake.connectors.files.mapping import Mapping, Property
from uptake.connectors.files.table import BadRow, Table

SAMPLE_ROWS = 10_000

WORDS: dict[str, tuple[str, ...]] = {
    "person": (
        *("org:resource", "person", "user id", "userid", "user", "username", "login", "account", "employee"),
        *("employee id", "staff number", "staff no", "resource", "actor", "operator", "email", "e-mail"),
        *("员工", "员工编号", "工号", "人员", "用户", "用户名", "账号", "帐号", "操作人", "操作员", "经办人", "邮箱"),
    ),
    "person_name": ("person name", "user name", "full name", "employee name", "姓名", "员工姓名", "操作人姓名"),
    "name": (
        *(
            "concept:name",
            "event",
            "event name",
            "activity",
            "action",
            "operation",
            "transaction",
            "event type",
            "verb",
        ),
        *("事件", "事件名称", "动作", "操作", "操作类型", "活动", "功能"),
    ),
    "time": (
        *("time:timestamp", "timestamp", "time", "happened at", "occurred at", "created at", "date time", "datetime"),
        *("event time", "date", "complete timestamp"),
        *("时间", "时间戳", "操作时间", "发生时间", "日期时间", "创建时间", "日期"),
    ),
    "object": (
        *("case:concept:name", "object", "object id", "case", "case id", "document", "document number"),
        *("order", "order number", "order id", "单据", "单据号", "单号", "订单号", "订单", "对象", "案例"),
    ),
    "company": (
        *("company", "company name", "organization", "tenant", "enterprise"),
        *("公司", "公司名称", "企业", "企业名称"),
    ),
}
STAFF_NUMBER = ("staff number", "staff no", "employee id", "employee number", "工号", "员工编号")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})[-/.]\d{4}", re.ASCII)


def suggest(table: Table, *, sample: Sequence[Sequence[Any]] | None = None) -> Mapping:
    """A first mapping of the table: what could be told from names and values; parts that could not are left empty."""
    rows = first_rows(table) if sample is None else sample
    found = {part: _column_for(part, table.columns) for part in WORDS}
    name = [found["name"]] if found["name"] else []
    if found["name"] == "concept:name" and "lifecycle:transition" in table.columns:
        name.append("lifecycle:transition")
    taken = {*found.values(), *name}
    properties = tuple(
        Property(_property_name(column), column, guess_type(values_of(column, table.columns, rows)))
        for column in table.columns
        if column not in taken and any(as_text(value) for value in values_of(column, table.columns, rows))
    )
    return Mapping(
        name=tuple(name),
        time=found["time"],
        person=found["person"],
        person_is=person_is(found["person"], values_of(found["person"], table.columns, rows)),
        person_name=found["person_name"] if found["person_name"] != found["person"] else "",
        object=found["object"],
        company=found["company"],
        properties=_with_own_names(properties),
        order=guess_order(values_of(found["time"], table.columns, rows)),
    )


def first_rows(table: Table, limit: int = SAMPLE_ROWS) -> list[Sequence[Any]]:
    """The first good rows of the table."""
    found: list[Sequence[Any]] = []
    for _number, cells in table.rows():
        if not isinstance(cells, BadRow):
            found.append(cells)
            if len(found) >= limit:
                break
    return found


def values_of(column: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Any]:
    """What stands in a column in these rows; missing cells are left out."""
    if column not in columns:
        return []
    place = columns.index(column)
    return [row[place] for row in rows if place < len(row)]


def guess_type(values: Sequence[Any]) -> str:
    """number, boolean, date or text: the narrowest that fits every value that is there."""
    filled = [value for value in values if as_text(value)]
    if not filled:
        return "text"
    if any(isinstance(value, str) and re.match(r"\s*[+-]?0\d", value) for value in filled):
        return "text"  # 00123 is a code: as a number it would lose its zeros
    if not any(as_text(value) in ("0", "1") for value in filled) and _all(as_boolean, filled):
        return "boolean"
    if _all(as_number, filled):
        return "number"
    if _all(as_date, [value if not str(value).isdigit() else "no" for value in filled]):
        return "date"
    return "text"


def guess_order(values: Sequence[Any]) -> str:
    """dmy or mdy where dates end with the year and some day is above 12; "" where nothing tells (or no need)."""
    order = ""
    for value in values:
        found = _YEAR_LAST.match(str(value).strip()) if isinstance(value, str) else None
        if not found:
            continue
        first, separator, second = int(found[1]), found[2], int(found[3])
        if first > 12:
            return "dmy"
        if second > 12:
            return "mdy"
        if separator == ".":
            order = "dmy"
    return order


def person_is(column: str, values: Sequence[Any]) -> str:
    """Whether a column of people holds e-mail addresses, staff numbers or ids of the source."""
    filled = [text for text in map(as_text, values) if text]
    if filled and all("@" in text for text in filled):
        return "email"
    return "staff_number" if _plain(column) in STAFF_NUMBER else "id"


def times_fit(values: Sequence[Any], order: str) -> bool:
    """Whether the values read as times (for a hint in the wizard)."""
    return _all(Clock("UTC", order).at, [value for value in values if as_text(value)])


def _all(read: Callable[[Any], Any], values: Sequence[Any]) -> bool:
    try:
        for value in values:
            read(value)
    except BadCell:
        return False
    return True


def _plain(column: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    return re.sub(r"[\s_\-]+", " ", words).strip().lower()


def _column_for(part: str, columns: Sequence[str]) -> str:
    """The column whose name is the best word for the part, or ""."""
    plain = {_plain(column): column for column in reversed(columns)}
    return next((plain[word] for word in map(_plain, WORDS[part]) if word in plain), "")


def _property_name(column: str) -> str:
    """case:AMOUNT_REQ → amount_req; Chinese names stay."""
    last = column.rpartition(":")[2] or column
    return re.sub(r"[^\w]+", "_", last).strip("_").lower() or column


def _with_own_names(properties: Sequence[Property]) -> tuple[Property, ...]:
    taken: set[str] = set()
    found = []
    for prop in properties:
        name, number = prop.name, 1
        while name in taken:
            number += 1
            name = f"{prop.name}_{number}"
        taken.add(name)
        found.append(Property(name, prop.column, prop.type))
    return tuple(found)
