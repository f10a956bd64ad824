"""The audit log is read and taken away by those who may, and no cell of it is a formula."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest

from tests.cast import NOW, Cast
from uptake.directory.audit import note
from uptake.web.sheets import as_book, harmless


@pytest.fixture
def entries(cast: Cast) -> None:
    """A deed at each company; one is called like a formula."""
    note(deed="role.given", actor="Ren Hao", organization=cast.beiyuan, subject="=1+1", details={"a": 1}, now=NOW)
    note(deed="key.revoked", actor="Ren Hao", organization=cast.qinghe, subject="Dyeing key", now=NOW)


@pytest.mark.usefixtures("entries")
def test_entries_are_filtered(cast: Cast) -> None:
    ren = cast.sign_in(cast.ren)

    assert "Dyeing key" in ren.get("/audit/").content.decode()
    assert "Dyeing key" not in ren.get("/audit/?deed=role.given").content.decode()
    assert "Dyeing key" not in ren.get("/audit/?q=beiyuan").content.decode()
    assert "Dyeing key" in ren.get("/audit/?from=2026-05-13&until=2026-05-13").content.decode()
    assert "No entry fits this filter" in ren.get("/audit/?until=2026-05-12").content.decode()
    assert ren.get("/audit/?from=nonsense&until=9999-12-31").status_code == 200


@pytest.mark.parametrize("who", ["lin", "hua", "wei", "mo", "ke"])
@pytest.mark.parametrize("address", ["/audit/", "/audit/export.csv", "/audit/export.xlsx"])
def test_those_without_the_right_read_nothing(cast: Cast, who: str, address: str) -> None:
    assert cast.sign_in(cast.people()[who]).get(address).status_code == 403


@pytest.mark.usefixtures("entries")
def test_both_files_hold_the_same_and_no_formula(cast: Cast) -> None:
    ren = cast.sign_in(cast.ren)

    text = ren.get("/audit/export.csv?deed=role.given").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[1][:5] == ["2026-05-13 10:00:00+08:00", "Ren Hao", "role.given", "Beiyuan Precision", "'=1+1"]
    book = openpyxl.load_workbook(io.BytesIO(ren.get("/audit/export.xlsx?deed=role.given").content))
    cells = [cell for row in book.active.iter_rows() for cell in row]  # type: ignore[union-attr]
    assert "'=1+1" in [cell.value for cell in cells]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert ren.get("/audit/export.exe").status_code == 404


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_a_cell_is_never_a_formula(text: str, written: str) -> None:
    assert harmless(text) == written


def test_a_book_writes_plain_figures_with_their_sign_and_nothing_else_that_begins_like_a_formula() -> None:
    texts = ["+20.6 pp", "+14.4 pp … +26.8 pp", "-3", "+27% 相对", "+1+cmd|' /C calc'!A0", "-2+3", "=1", "+x", "@1"]

    book = openpyxl.load_workbook(io.BytesIO(as_book("x", [("", ("Change",), [(one,) for one in texts])]).content))

    assert book.active is not None
    cells = [row[0] for row in book.active.iter_rows(min_row=2)]
    assert [one.value for one in cells] == [*texts[:4], *(f"'{one}" for one in texts[4:])]
    assert {one.data_type for one in cells} == {"s"}
