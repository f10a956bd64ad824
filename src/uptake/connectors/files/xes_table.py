"""Reads XES (IEEE 1849): event attributes by their key, those of the trace as `case:…`, as CSV exports name them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from uptake.connectors.files.table import MOST_COLUMNS, Row, Table, UnreadableFile
from uptake.connectors.files.unpacked import unpacked

VALUES = frozenset({"string", "date", "int", "float", "boolean", "id"})


def open_xes(path: Path) -> Table:
    """The table in an XES log (packed or not): one row per event, numbered from 1.

    A document type or entities are refused: no log needs them, and they can make a reader fetch or swell.
    """
    columns: dict[str, None] = {}
    count = 0
    for record in _records(path):
        count += 1
        columns.update(dict.fromkeys(record))
        if len(columns) > MOST_COLUMNS:
            raise UnreadableFile("too_many_columns", row=count, detail=str(len(columns)))
    if not columns:
        raise UnreadableFile("empty")
    names = tuple(columns)

    def rows() -> Iterator[Row]:
        for number, record in enumerate(_records(path), start=1):
            yield number, [record.get(name) for name in names]

    return Table("xes", names, rows, count)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    number = 0
    with unpacked(path) as stream:
        try:
            context = etree.iterparse(
                stream,
                events=("start", "end"),
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
            )
            case: dict[str, Any] = {}
            event: dict[str, Any] | None = None
            depth = inside = 0
            for action, element in context:
                name = etree.QName(element).localname
                if action == "start":
                    depth += 1
                    if depth == 1:
                        _check_root(element, name)
                    elif name == "trace":
                        case, inside = {}, depth
                    elif name == "event":
                        event, inside = {}, depth
                    continue
                depth -= 1
                if name == "event" and event is not None:
                    number += 1
                    yield {**event, **case}
                    event = None
                    inside = depth if depth > 1 else 0
                elif name == "trace":
                    case, inside = {}, 0
                elif name in VALUES and inside and depth == inside:
                    key = element.get("key", "")
                    if event is None:
                        case[f"case:{key}"] = _value(name, element.get("value", ""))
                    else:
                        event[key] = _value(name, element.get("value", ""))
                if name not in VALUES or depth == inside or not inside:
                    _forget(element)
        except etree.XMLSyntaxError as failure:
            raise UnreadableFile("broken_xml", row=number + 1, detail=str(failure)) from failure


def _check_root(element: Any, name: str) -> None:
    if element.getroottree().docinfo.doctype:
        raise UnreadableFile("xml_with_dtd")
    if name != "log":
        raise UnreadableFile("not_xes", detail=name)


def _forget(element: Any) -> None:
    """Let go of an element that was read, and of those before it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _value(kind: str, text: str) -> Any:
    """Numbers and booleans as values where they are well written; dates stay text with their offset."""
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            number = float(text)
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
    except (ValueError, OverflowError):
        return text
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text
