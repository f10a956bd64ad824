"""Reads CSV: finds out encoding and delimiter, streams rows, and refuses what could swallow rows unnoticed."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from uptake.connectors.files.table import LARGEST_CELL, BadRow, Row, Table, UnreadableFile, column_names, is_empty
from uptake.connectors.files.unpacked import CHUNK, unpacked

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_ROWS = 50
LONGEST_LINE = 16 << 20
"""Bytes; a line is read whole, so a longer one is refused before memory is lost to it."""
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
LEGACY = ["big5", "shift_jis", "euc_kr", "cp1252", "cp1250", "cp1251"]
"""Encodings that spreadsheets still write, beside UTF-8 and GB 18030."""


def open_csv(path: Path) -> Table:
    """The table in a CSV file (packed with gzip or not). UnreadableFile with the row where it cannot be read."""
    encoding, lines = _encoding(path)
    delimiter = _delimiter(path, encoding)

    def records() -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(LARGEST_CELL)
        with unpacked(path) as stream, io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            number = 0
            try:
                for number, cells in enumerate(reader, start=1):
                    yield number, cells
            except csv.Error as failure:
                code = "huge_cell" if "field larger" in str(failure) else "broken_quotes"
                raise UnreadableFile(code, row=number + 1, detail=str(failure)) from failure
            except UnicodeDecodeError as failure:
                raise UnreadableFile("broken_encoding", row=number + 1, detail=encoding) from failure

    header_row = 0
    columns: tuple[str, ...] = ()
    for number, cells in records():
        if not is_empty(cells):
            header_row, columns = number, column_names(cells)
            break
    if not header_row:
        raise UnreadableFile("empty")

    def rows() -> Iterator[Row]:
        width = len(columns)
        for number, cells in records():
            if number <= header_row or not any(cells):
                continue
            if len(cells) > width and not is_empty(cells[width:]):
                yield number, BadRow("too_many_cells", f"{len(cells)}/{width}")
            elif cells[0].strip() or not is_empty(cells):
                yield number, cells

    notes = {"encoding": encoding, "delimiter": delimiter}
    return Table("csv", columns, rows, max(lines - header_row, 0), notes)


def _encoding(path: Path) -> tuple[str, int]:
    """The encoding of the whole file and the number of its lines. Reads all of it, so that nothing surprises later."""
    lines, last, long = 0, b"", 0
    with unpacked(path) as stream:
        start = stream.read(4)
        named = next((name for mark, name in BOMS if start.startswith(mark)), "")
        decoder = codecs.getincrementaldecoder("utf-8")()
        odd = b""
        for chunk in itertools.chain([start], iter(lambda: stream.read(CHUNK), b"")):
            lines += chunk.count(b"\n")
            end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            long = long + len(chunk) if end < 0 else len(chunk) - end - 1
            if long > LONGEST_LINE:
                raise UnreadableFile("huge_cell", row=lines + 1)
            if not odd and not named:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    odd = last + chunk
            last = chunk[-64:] if chunk else last
        if not odd and not named:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                odd = last
    lines += 0 if last.rstrip(b"\0").endswith(b"\n") else 1
    if named or not odd:
        return named or "utf-8", lines
    return _legacy_encoding(odd), lines


def _legacy_encoding(odd: bytes) -> str:
    """The encoding of bytes that are not UTF-8; Chinese is tried first, as its common letters rarely come by chance."""
    first = next(place for place, byte in enumerate(odd) if byte > 127)
    sample = odd[max(0, odd.rfind(b"\n", 0, first) + 1) :][: 256 * 1024]
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    if _common_chinese(sample) >= 0.7:
        return "gb18030"
    best = from_bytes(sample, cp_isolation=LEGACY).best()
    if best is None:
        raise UnreadableFile("unknown_encoding")
    return best.encoding


def _common_chinese(sample: bytes) -> float:
    """The share of the foreign letters that are everyday Chinese ones (level 1 of GB 2312) or its punctuation."""
    try:
        foreign = [letter for letter in sample.decode("gb18030") if letter > "\x7f"]
    except UnicodeDecodeError:
        return 0.0
    leads = [letter.encode("gb2312", "ignore")[:1] for letter in foreign]
    common = sum(b"\xb0" <= lead <= b"\xd7" or b"\xa1" <= lead <= b"\xa3" for lead in leads)
    return common / len(foreign) if foreign else 0.0


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that gives the first rows the same number of cells, and most of them."""
    with unpacked(path) as stream, io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
        try:
            sample = text.read(256 * 1024)
        except UnicodeDecodeError as failure:
            raise UnreadableFile("broken_encoding", detail=encoding) from failure
    if "\x00" in sample[:1024]:
        raise UnreadableFile("not_a_table")
    best, most = ",", 1
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            widths = [len(cells) for cells in itertools.islice(reader, SAMPLE_ROWS) if cells]
        except csv.Error:
            continue
        if not widths or widths[0] <= most:
            continue
        if sum(width == widths[0] for width in widths) >= 0.8 * len(widths):
            best, most = delimiter, widths[0]
    return best
