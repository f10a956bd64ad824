"""Seats come in by a file, previewed with control totals, are invited to and taken back; products are described."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.cast import Cast
from uptake.directory.define_product import define_product
from uptake.directory.issue_seats import SeatRow, issue_seats
from uptake.directory.models import Product, Seat
from uptake.directory.scope import EVERYTHING

LIST = """Product,Staff number,Issued,Invited,Until
erp,B001,2026-03-02,2026-03-03,
,B002,2026/3/9,,
erp,X9,,,
erp,B003,soon,,
"""


@pytest.fixture
def erp(cast: Cast) -> Product:
    return define_product(slug="erp", organization=cast.park, name_en="Park ERP", by=EVERYTHING, now=timezone.now())


def upload(client: Client, content: bytes, name: str = "seats.csv", **more: str) -> Any:
    given = {"company": "beiyuan", "product": "erp", "file": SimpleUploadedFile(name, content)} | more
    return client.post("/people/seats/import/", given)


def workbook() -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["产品", "工号", "发放日期"])
    sheet.write_row(1, 0, ["erp", "B001"])
    sheet.write_datetime(1, 2, date(2026, 3, 2))
    book.close()
    return target.getvalue()


@pytest.mark.django_db
def test_a_list_is_previewed_with_its_totals_and_then_issued(cast: Cast, erp: Product) -> None:
    client = cast.sign_in(cast.hua)

    answer = upload(client, LIST.encode())

    page = answer.content.decode()
    assert "2 new · 0 changed · 0 known · 2 refused" in page
    assert "nobody here has this staff number" in page
    assert "a date cannot be read" in page
    assert answer.context["by_product"] == [("Park ERP", 2)]
    assert (answer.context["first"], answer.context["last"]) == (date(2026, 3, 2), date(2026, 3, 9))
    assert not Seat.objects.exists()

    done = {"company": "beiyuan", "confirm": "yes", "rows": answer.context["text"]}
    assert client.post("/people/seats/import/", done).status_code == 302
    assert client.post("/people/seats/import/", done).status_code == 302
    assert {(seat.person, seat.issued_date, seat.invited_date) for seat in Seat.objects.all()} == {
        (cast.lin, date(2026, 3, 2), date(2026, 3, 3)), (cast.hua, date(2026, 3, 9), None),
    }  # fmt: skip


@pytest.mark.django_db
def test_a_workbook_with_chinese_headings_is_read(cast: Cast, erp: Product) -> None:
    answer = upload(cast.sign_in(cast.ren), workbook(), "seats.xlsx")

    assert [(one.fate, one.row.issued_date) for one, _why in answer.context["fates"]] == [("new", date(2026, 3, 2))]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "needs a heading"),
        (b"", "The file holds no rows."),
        (b"staff number\n" + b"B001\n" * 5001, "too long"),
    ],
)
def test_a_file_that_is_no_list_is_said_to_be_none(cast: Cast, erp: Product, content: bytes, said: str) -> None:
    answer = upload(cast.sign_in(cast.ren), content)

    assert answer.status_code == 422
    assert said in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("rows", ["", "no json", json.dumps([{"product": "erp"}]), json.dumps("x"), json.dumps([7])])
def test_rows_that_nobody_previewed_are_refused(cast: Cast, erp: Product, rows: str) -> None:
    answer = cast.sign_in(cast.ren).post(
        "/people/seats/import/", {"company": "beiyuan", "confirm": "yes", "rows": rows}
    )

    assert answer.status_code in (302, 422)
    assert not Seat.objects.exists()


@pytest.mark.django_db
def test_a_seat_is_invited_to_and_taken_back_by_its_company(cast: Cast, erp: Product) -> None:
    today = timezone.localdate()
    row = SeatRow(2, "erp", staff_number="B001", issued_date=today - timedelta(days=9))
    issue_seats([row], place=cast.beiyuan, today=today, by=EVERYTHING, now=timezone.now())
    seat = Seat.objects.get()
    for who, status in ((cast.mo, 404), (cast.wei, 403), (cast.lin, 403), (cast.hua, 302)):
        for deed in ("invite", "revoke"):
            assert cast.sign_in(who).post(f"/people/seats/{seat.pk}/{deed}").status_code == status

    seat.refresh_from_db()
    assert (seat.invited_date, seat.until_date) == (today, today)
    assert "taken back" in cast.sign_in(cast.hua).get("/people/seats/", {"q": "lin", "product": "erp"}).content.decode()
    assert "Lin Fang" not in cast.sign_in(cast.mo).get("/people/seats/").content.decode()


@pytest.mark.django_db
def test_a_product_is_described_by_who_manages_data(cast: Cast, erp: Product) -> None:
    client = cast.sign_in(cast.ren)
    given = {
        "organization": "beiyuan", "slug": "mes", "name_en": "Shop floor", "name_zh": "车间", "source": ["s-1"],
        "core": ["work.done"], "habitual_weeks": "2", "habitual_of_weeks": "4", "judged_after_days": "7",
    }  # fmt: skip

    assert client.post("/people/seats/products/", given).status_code == 302
    product = Product.objects.get(slug="mes")
    assert (product.sources, product.core_actions, product.judged_after_days) == (["s-1"], ["work.done"], 7)
    assert "Shop floor" in client.get("/people/seats/products/", {"product": "mes"}).content.decode()
    for changed in ({"slug": "a b"}, {"name_en": " "}, {"habitual_weeks": "9"}, {"slug": "erp"}):
        assert client.post("/people/seats/products/", given | changed).status_code == 422
    assert cast.sign_in(cast.hua).post("/people/seats/products/", given).status_code == 403
