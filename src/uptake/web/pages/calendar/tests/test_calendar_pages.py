"""The calendar is read by everybody at their places and kept by those who manage people there."""

from __future__ import annotations

import pytest

from tests.cast import Cast
from uptake.directory.models import CalendarDay


def test_a_year_is_filled_and_shown(cast: Cast) -> None:
    ren = cast.sign_in(cast.ren)

    ren.post("/calendar/linjiang/fill", {"country": "CN", "year": "2026", "month": "2026-10"})

    october = cast.sign_in(cast.lin).get("/calendar/?month=2026-10").content.decode()
    assert "National Day" in october
    assert "18 working days" in october
    assert "Fill the year" not in october
    wrong = ren.post("/calendar/linjiang/fill", {"country": "ZZ", "year": "2026"}, follow=True).content.decode()
    assert "does not know this country" in wrong


def test_a_day_is_set_and_forgotten_by_the_manager(cast: Cast) -> None:
    hua = cast.sign_in(cast.hua)

    hua.post("/calendar/beiyuan/2026-05-13", {"kind": "holiday", "name": "Founding day"})
    assert "Founding day" in cast.sign_in(cast.lin).get("/calendar/?month=2026-05").content.decode()
    assert "Founding day" not in cast.sign_in(cast.mo).get("/calendar/?month=2026-05").content.decode()
    hua.post("/calendar/beiyuan/2026-05-13", {"kind": ""})
    assert not CalendarDay.objects.exists()


@pytest.mark.parametrize(
    ("who", "address", "status"),
    [
        ("lin", "/calendar/beiyuan/2026-05-13", 403),
        ("hua", "/calendar/linjiang/2026-05-13", 403),
        ("hua", "/calendar/qinghe/2026-05-13", 404),
        ("hua", "/calendar/beiyuan/2026-02-30", 404),
        ("hua", "/calendar/beiyuan/someday", 404),
    ],
)
def test_others_days_are_not_set(cast: Cast, who: str, address: str, status: int) -> None:
    assert cast.sign_in(cast.people()[who]).post(address, {"kind": "work"}).status_code == status
    assert not CalendarDay.objects.exists()


@pytest.mark.parametrize("month", ["", "2026-13", "nonsense", "0001-01", "9999-12"])
def test_a_month_that_is_none_is_this_one(cast: Cast, month: str) -> None:
    assert cast.sign_in(cast.lin).get(f"/calendar/?month={month}").status_code == 200
