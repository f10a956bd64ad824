"""Every format gives the same table, and what could lose rows unnoticed is refused with the row."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from uptake.connectors.files.formats import open_table
from uptake.connectors.files.table import BadRow, Table, UnreadableFile

HEADER = "person,event,time,amount"
ROWS = ["lin,order.made,2026-05-13T10:00:00+08:00,12", "hua,order.seen,2026-05-13T11:00:00+08:00,13"]
PLAIN = "\n".join([HEADER, *ROWS]) + "\n"


def written(folder: Path, content: bytes, name: str = "file") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def table_of(folder: Path, content: bytes | str) -> Table:
    return open_table(written(folder, content.encode() if isinstance(content, str) else content))


def cells_of(table: Table) -> list[list[Any]]:
    return [["bad", cells.code] if isinstance(cells, BadRow) else list(cells) for _number, cells in table.rows()]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (PLAIN.encode(), ("utf-8", ",")),
        (codecs.BOM_UTF8 + PLAIN.encode(), ("utf-8-sig", ",")),
        (PLAIN.encode("utf-16"), ("utf-16", ",")),
        (PLAIN.replace(",", ";").encode(), ("utf-8", ";")),
        (PLAIN.replace(",", "\t").encode(), ("utf-8", "\t")),
        (PLAIN.replace(",", "|").encode(), ("utf-8", "|")),
        (PLAIN.replace("\n", "\r\n").encode(), ("utf-8", ",")),
        (gzip.compress(PLAIN.encode()), ("utf-8", ",")),
        (PLAIN.rstrip("\n").encode(), ("utf-8", ",")),
    ],
)
def test_csv_is_read_whatever_its_encoding_delimiter_and_line_ends(
    tmp_path: Path, content: bytes, note: tuple[str, str]
) -> None:
    table = table_of(tmp_path, content)
    assert table.columns == ("person", "event", "time", "amount")
    assert cells_of(table) == [row.split(",") for row in ROWS]
    assert (table.notes["encoding"], table.notes["delimiter"]) == note
    assert table.rows_expected == 2


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "工号,操作,时间\nE01,采购订单审核,2026-05-13 10:00\nE02,入库单过账,2026-05-13 11:00\n"),
        ("gb18030", "a,b,c\n" + "plain,ascii,rows\n" * 200_000 + "张三,审核,2026-05-13\n"),
        ("big5", "工號,操作,時間\nE01,採購訂單審核完成,2026-05-13 10:00\nE02,入庫單過帳並列印標籤,2026-05-13 11:00\n"),
        ("cp1252", "person;name;time\nMüller;Auftrag geprüft für Köln;2026-05-13\nGrün;Größe geändert;2026-05-14\n"),
    ],
)
def test_text_that_is_not_utf8_is_read_in_its_own_encoding_wherever_it_starts(
    tmp_path: Path, encoding: str, text: str
) -> None:
    delimiter = ";" if ";" in text else ","
    cells = cells_of(table_of(tmp_path, text.encode(encoding)))
    assert cells[-1] == text.strip().splitlines()[-1].split(delimiter)


def test_quoted_line_breaks_stay_in_their_cell_and_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'a,b\n"one\ntwo","x,y"\n\n,\n  ,\nlast,"say ""hi"""\n')
    assert list(table.rows()) == [(2, ["one\ntwo", "x,y"]), (6, ["last", 'say "hi"'])]


def test_short_rows_are_read_and_rows_with_too_many_cells_are_bad_while_the_rest_is_read(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,b,c\n1\n1,2,3,,\n1,2,3,4\n5,6,7\n")
    assert list(table.rows()) == [
        (2, ["1"]),
        (3, ["1", "2", "3", "", ""]),
        (4, BadRow("too_many_cells", "4/3")),
        (5, ["5", "6", "7"]),
    ]


def test_columns_without_a_name_or_with_the_same_name_get_one_of_their_own(tmp_path: Path) -> None:
    assert table_of(tmp_path, " a ,,a,a\n1,2,3,4\n").columns == ("a", "column 2", "a (2)", "a (3)")


BOMB = "<!DOCTYPE log [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><log><trace><event/></trace></log>"


def encrypted_workbook() -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 1024 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 512


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (b"", "empty", None),
        (b" \n \n", "empty", None),
        (gzip.compress(PLAIN.encode() * 100)[:-20], "broken_gzip", None),
        (b"\x1f\x8bno gzip at all", "broken_gzip", None),
        (b'a,b\n1,2\n"never closed,3\n4,5\n', "broken_quotes", 3),
        (b'a,b\n1,"x"y\n', "broken_quotes", 2),
        (b"a,b\n1," + b"x" * 2_000_000 + b"\n", "huge_cell", 2),
        (gzip.compress(b"a,b\n1,2\n" + b"0" * 18_000_000), "huge_cell", 3),
        (b"a,b\x00\x01\x02\x00binary", "not_a_table", None),
        (b"," * 600 + b"\n", "empty", None),
        (b"x," * 600 + b"\n", "too_many_columns", 1),
        (b"PK\x03\x04 no archive", "broken_workbook", None),
        (encrypted_workbook(), "encrypted", None),
        (b"PAR1 no parquet PAR1", "broken_parquet", None),
        (b'[{"a": 1}]', "json_array", None),
        (b"<html><body/></html>", "not_xes", None),
        (b"<log><trace><event>", "broken_xml", 1),
        (BOMB.encode(), "xml_with_dtd", None),
        (BOMB.encode("utf-16"), "xml_with_dtd", None),
        (b'<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>', "xml_with_dtd", None),
        (b"<log></log>", "empty", None),
    ],
)
def test_what_cannot_be_read_whole_is_refused_with_its_reason_and_row(
    tmp_path: Path, content: bytes, code: str, row: int | None
) -> None:
    with pytest.raises(UnreadableFile) as refusal:
        list(table_of(tmp_path, content).rows())
    assert (refusal.value.code, refusal.value.row) == (code, row)


def workbook(fill: Callable[[Any, Any], None], **options: Any) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss", **options})
    fill(book, book.add_worksheet("first"))
    book.close()
    return target.getvalue()


def test_a_workbook_gives_whole_numbers_dates_and_texts_from_its_first_filled_sheet(tmp_path: Path) -> None:
    def fill(book: Any, first: Any) -> None:
        sheet = book.add_worksheet("events")
        sheet.write_row(2, 0, ["person", "event", "time", "amount", "paid"])
        sheet.write_row(3, 0, [112, "order.made"])
        sheet.write_datetime(3, 2, datetime(2026, 5, 13, 10, 30))
        sheet.write_row(3, 3, [12.5, True])
        sheet.write_row(5, 0, ["007", "order.seen", "2026-05-14", 3])

    table = table_of(tmp_path, workbook(fill))
    assert table.notes == {"sheet": "events"}
    assert table.columns == ("person", "event", "time", "amount", "paid")
    assert list(table.rows()) == [
        (4, [112, "order.made", datetime(2026, 5, 13, 10, 30), 12.5, True]),
        (6, ["007", "order.seen", "2026-05-14", 3, ""]),
    ]
    assert type(cells_of(table)[0][0]) is int


def test_a_zip_archive_and_a_workbook_that_swells_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("events.csv", PLAIN)
    with pytest.raises(UnreadableFile, match="zip_archive"):
        table_of(tmp_path, target.getvalue())
    monkeypatch.setattr("uptake.connectors.files.xlsx_table.LARGEST_SHEETS", 100)
    with pytest.raises(UnreadableFile, match="too_large_workbook"):
        table_of(tmp_path, workbook(lambda book, sheet: sheet.write(0, 0, "a")))


def test_gzip_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from uptake.connectors.files import unpacked

    monkeypatch.setattr(unpacked.unpacked.__wrapped__, "__kwdefaults__", {"limit": 1000})  # type: ignore[attr-defined]
    with pytest.raises(UnreadableFile, match="too_large"):
        table_of(tmp_path, gzip.compress(PLAIN.encode() * 1000))


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    at = datetime(2026, 5, 13, 2, tzinfo=UTC)
    columns = {"person": ["lin", None], "at": [at, at], "amount": [12, 13], "tags": [["a"], None], "ok": [True, False]}
    parquet.write_table(pa.table(columns), tmp_path / "file")
    table = open_table(tmp_path / "file")
    assert (table.format, table.rows_expected) == ("parquet", 2)
    assert list(table.rows()) == [(2, ["lin", at, 12, '["a"]', True]), (3, [None, at, 13, None, False])]


def test_ndjson_gives_a_column_for_every_name_and_goes_on_after_a_bad_line(tmp_path: Path) -> None:
    lines = [
        '{"event": "order.made", "who": {"id": 7, "mail": "a@b.example"}, "tags": [1, 2]}',
        "",
        '{"event": broken',
        "[1]",
        '{"event": "order.seen", "late": true}',
    ]
    table = table_of(tmp_path, "\ufeff" + "\n".join(lines))
    assert table.columns == ("event", "who.id", "who.mail", "tags", "late")
    rows = list(table.rows())
    assert rows[0] == (1, ["order.made", 7, "a@b.example", "[1,2]", None])
    assert [(number, getattr(cells, "code", "")) for number, cells in rows[1:3]] == [
        (3, "broken_json"),
        (4, "not_an_object"),
    ]
    assert rows[3] == (5, ["order.seen", None, None, None, True])


XES = """<?xml version="1.0" encoding="UTF-8"?>
<!-- a log -->
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://example.invalid/"/>
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <string key="concept:name" value="the log itself"/>
  <trace>
    <string key="concept:name" value="4500"><string key="inside" value="not a column"/></string>
    <int key="AMOUNT" value="20000"/>
    <event>
      <string key="org:resource" value="112"/>
      <string key="concept:name" value="A_SUBMITTED"/>
      <date key="time:timestamp" value="2011-10-01T00:38:44.546+02:00"/>
      <float key="cost" value="1.50"/>
      <boolean key="done" value="true"/>
    </event>
    <event><string key="concept:name" value="A_DECLINED"/></event>
  </trace>
  <trace><event><string key="concept:name" value="B"/></event></trace>
  <event><string key="concept:name" value="loose"/></event>
</log>
"""


@pytest.mark.parametrize("packed", [False, True])
def test_xes_names_its_columns_as_csv_exports_do(tmp_path: Path, packed: bool) -> None:
    table = table_of(tmp_path, gzip.compress(XES.encode()) if packed else XES.encode())
    rows = [dict(zip(table.columns, cells, strict=True)) for cells in cells_of(table)]
    assert rows[0] == {
        "org:resource": "112",
        "concept:name": "A_SUBMITTED",
        "time:timestamp": "2011-10-01T00:38:44.546+02:00",
        "cost": 1.5,
        "done": True,
        "case:concept:name": "4500",
        "case:AMOUNT": 20000,
    }
    assert [(row["concept:name"], row["case:concept:name"], row["case:AMOUNT"]) for row in rows[1:]] == [
        ("A_DECLINED", "4500", 20000),
        ("B", None, None),
        ("loose", None, None),
    ]


def test_an_entity_in_a_log_is_never_expanded(tmp_path: Path) -> None:
    secret = written(tmp_path, b"secret", "secret.txt")
    event = '<event><string key="a" value="&s;"/></event>'
    text = f'<!DOCTYPE log [<!ENTITY s SYSTEM "{secret.as_uri()}">]><log><trace>{event}</trace></log>'
    with pytest.raises(UnreadableFile):
        list(table_of(tmp_path, text).rows())
