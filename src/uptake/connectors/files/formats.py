"""Tells the format of a file by its content and opens the table in it."""

from __future__ import annotations

from pathlib import Path

from uptake.connectors.files.csv_table import open_csv
from uptake.connectors.files.ndjson_table import open_ndjson
from uptake.connectors.files.parquet_table import open_parquet
from uptake.connectors.files.table import Table, UnreadableFile
from uptake.connectors.files.unpacked import unpacked
from uptake.connectors.files.xes_table import open_xes
from uptake.connectors.files.xlsx_table import open_xlsx

OPENERS = {"csv": open_csv, "xlsx": open_xlsx, "parquet": open_parquet, "ndjson": open_ndjson, "xes": open_xes}
OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How a workbook of Excel 97 begins, and also a newer one that is protected by a password."""


def open_table(path: Path) -> Table:
    """The table in a file of any known format. UnreadableFile if there is none."""
    return OPENERS[format_of(path)](path)


def format_of(path: Path) -> str:
    """csv, xlsx, parquet, ndjson or xes, by the first bytes; names of files are not trusted."""
    with unpacked(path) as stream:
        head = stream.read(4096)
    if not head.strip():
        raise UnreadableFile("empty")
    if head.startswith((b"PK\x03\x04", OLD_OFFICE)):
        return "xlsx"
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\x00<")):
        return "xes"
    if text.startswith(b"{"):
        return "ndjson"
    if text.startswith(b"["):
        raise UnreadableFile("json_array")
    return "csv"
