"""The page of activation: the meter first, the funnel, the list behind each number, hidden small counts, the file."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from tests.cast import Cast, person
from uptake.directory.define_product import define_product
from uptake.directory.issue_seats import SeatRow, issue_seats
from uptake.directory.models import Product
from uptake.directory.scope import EVERYTHING
from uptake.insight.metrics.tests.world import happen
from uptake.web.pages.activation.views import _told

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/activity/activation/"


@pytest.fixture(autouse=True)
def own_log(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA = tmp_path


@pytest.fixture
def erp(cast: Cast) -> Product:
    """Seats of Lin (every day), Ke (stopped), Hua and eight more of Beiyuan (never); Wei looks in without one."""
    today = timezone.localdate()
    for number in range(8):
        person(name=f"New {number}", at=cast.beiyuan, staff_number=f"B10{number}")
    happen(
        cast,
        [("lin", "order.processed", today - timedelta(days=n)) for n in range(40)]
        + [("ke", "order.processed", today - timedelta(days=n)) for n in (35, 36, 38)]
        + [("wei", "order.processed", today - timedelta(days=1))],
        today,
    )
    product = define_product(
        slug="erp", organization=cast.park, name_en="Park ERP", core_actions=["order.processed"], by=EVERYTHING,
        now=timezone.now(),
    )  # fmt: skip
    numbers = ["B001", "B002", "B003", *(f"B10{number}" for number in range(8))]
    issue_seats(
        [SeatRow(2, "erp", staff_number=one, issued_date=today - timedelta(days=60)) for one in numbers],
        place=cast.beiyuan, today=today, by=EVERYTHING, now=timezone.now(),
    )  # fmt: skip
    return product


def test_the_operator_sees_meter_funnel_companies_and_seats(cast: Cast, erp: Product) -> None:
    page = cast.sign_in(cast.ren).get(PAGE).content.decode()

    assert page.index("Is the data there?") < page.index("From issue to habit") < page.index(">Companies<")
    assert "1 of 2 sources deliver as usual." in page  # Qinghe's has sent nothing yet
    assert "Beiyuan Precision" in page
    assert "Lin Fang" in page
    assert "11 seats" in page
    assert "Use without a seat" in page
    assert "?step=silent#list" in page


@pytest.mark.parametrize(
    ("step", "there", "count"),
    [
        ("silent", {"Ke Ming"}, 1),
        ("habitual", {"Lin Fang"}, 1),
        ("never", {"Hua Jing", "New 0"}, 9),
        ("young", set(), 0),
    ],
)
def test_the_seats_behind_a_number_are_listed(cast: Cast, erp: Product, step: str, there: set[str], count: int) -> None:
    answer = cast.sign_in(cast.ren).get(PAGE, {"step": step})

    listed = {row.name for row in answer.context["seats"]}
    assert there <= listed
    assert len(listed) == answer.context["count"] == count


def test_a_company_opens_by_department_and_a_department_by_person(cast: Cast, erp: Product) -> None:
    client = cast.sign_in(cast.ren)

    company = client.get(PAGE, {"at": "beiyuan"})
    assert "Finance" in company.content.decode()
    department = client.get(PAGE, {"at": "beiyuan-finance"})
    assert [row.name for row in department.context["seats"]] == ["Ke Ming"]


def test_who_sees_totals_sees_no_person_and_no_small_number(cast: Cast, erp: Product) -> None:
    answer = cast.sign_in(cast.hua).get(PAGE)

    page = answer.content.decode()
    assert "Lin Fang" not in page
    assert "New 0" not in page
    assert "Single people are not shown to you" in page
    counts = {step.name: step.count for step in answer.context["steps"]}
    assert counts == {"issued": 11, "invited": None, "activated": None, "value": None, "habitual": None, "silent": None}
    assert all(step.share is None for step in answer.context["steps"])
    assert not any(step.href for step in answer.context["steps"])


def test_who_sees_one_side_sees_nothing_of_the_other(cast: Cast, erp: Product) -> None:
    client = cast.sign_in(cast.mo)

    assert client.get(PAGE, {"at": "beiyuan"}).status_code == 404
    assert "Beiyuan" not in client.get(PAGE).content.decode()
    assert Client().get(PAGE).status_code == 302
    assert cast.sign_in(cast.lin).get(PAGE).status_code == 403


def test_the_seats_leave_the_house_as_a_file(cast: Cast, erp: Product) -> None:
    answer = cast.sign_in(cast.ren).get(PAGE + "export.xlsx", {"step": "silent"})

    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    rows = list(sheet.values)
    assert len(rows) == 2
    assert rows[1][0] == "Ke Ming"
    assert rows[1][8] == "silent"
    totals = openpyxl.load_workbook(io.BytesIO(cast.sign_in(cast.hua).get(PAGE + "export.xlsx").content)).active
    assert totals is not None
    assert "Lin Fang" not in {cell for row in totals.values for cell in row}


def test_without_seats_the_page_says_how_to_begin(cast: Cast) -> None:
    page = cast.sign_in(cast.ren).get(PAGE).content.decode()

    assert "No seats yet" in page
    assert "/people/seats/import/" in page


@pytest.mark.parametrize(
    ("shown", "count", "told"),
    [(70, 70, "70"), (None, 3, "< 5"), (None, 72, "hidden"), (0, 0, "0")],
)
def test_what_is_hidden_is_not_called_small_where_it_is_not(shown: int | None, count: int, told: str) -> None:
    assert _told(shown, count) == told
