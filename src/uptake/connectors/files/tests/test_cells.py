"""What cells mean: numbers exactly, times with their zone, and nothing guessed where two readings are possible."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.connectors.files.cells import BadCell, Clock, as_boolean, as_date, as_number, as_text
from uptake.connectors.files.suggest import guess_order, guess_type


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("20000", 20000),
        (" 12 ", 12),
        ("12.50", 12.5),
        ("1,234.5", 1234.5),
        ("-3", -3),
        ("1e3", 1000),
        (7.0, 7),
        ("0.1", 0.1),
        ("12345678901234567890.12", Decimal("12345678901234567890.12")),
        (".5", 0.5),
    ],
)
def test_numbers_are_read_exactly(cell: Any, number: Any) -> None:
    found = as_number(cell)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize("cell", ["", "twelve", "1,23", "1.2.3", "NaN", "inf", "١٢", "--1", True, "1" * 60, "e5", "."])
def test_what_is_no_number_is_refused(cell: Any) -> None:
    with pytest.raises(BadCell):
        as_number(cell)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20))
def test_no_digit_of_a_number_is_lost(number: Decimal) -> None:
    found = as_number(format(number, "f"))
    assert Decimal(repr(found) if isinstance(found, float) else found) == number


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-05-13T10:00:00+08:00", "2026-05-13T02:00:00"),
        ("2026-05-13T10:00:00.5Z", "2026-05-13T10:00:00.500000"),
        ("2026-05-13 10:00", "2026-05-13T02:00:00"),
        ("2026/5/3 9:05:07", "2026-05-03T01:05:07"),
        ("2026.05.13", "2026-05-12T16:00:00"),
        ("2026年5月13日 下午3:30", "2026-05-13T07:30:00"),
        ("2026年5月13日 10时05分09秒", "2026-05-13T02:05:09"),
        ("20260513", "2026-05-12T16:00:00"),
        ("20260513100000", "2026-05-13T02:00:00"),
        ("1778637600", "2026-05-13T02:00:00"),
        ("1778637600000", "2026-05-13T02:00:00"),
        (1778637600, "2026-05-13T02:00:00"),
        (1778637600123, "2026-05-13T02:00:00.123000"),
        (46155.5, "2026-05-13T04:00:00"),
        (date(2026, 5, 13), "2026-05-12T16:00:00"),
        (datetime(2026, 5, 13, 10), "2026-05-13T02:00:00"),
        (datetime(2026, 5, 13, 10, tzinfo=UTC), "2026-05-13T10:00:00"),
    ],
)
def test_times_without_an_offset_mean_the_clock_of_the_zone(cell: Any, instant: str) -> None:
    assert Clock("Asia/Shanghai").at(cell) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("order", "cell", "instant"),
    [
        ("dmy", "03/04/2026 10:00", "2026-04-03T10:00:00"),
        ("mdy", "03/04/2026 10:00 PM", "2026-03-04T22:00:00"),
        ("mdy", "3/4/2026, 12:00 AM", "2026-03-04T00:00:00"),
        ("dmy", "03.04.2026", "2026-04-03T00:00:00"),
    ],
)
def test_the_order_of_day_and_month_is_the_one_that_was_said(order: str, cell: str, instant: str) -> None:
    assert Clock("UTC", order).at(cell) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("03/04/2026", "time_ambiguous"),
        ("", "time_missing"),
        (None, "time_missing"),
        ("yesterday", "not_a_time"),
        ("2026-02-30", "not_a_time"),
        ("2026-05-13T25:00:00", "not_a_time"),
        ("1311012012", "time_out_of_range"),
        ("0001-01-01", "time_out_of_range"),
        (True, "not_a_time"),
        ("12345", "not_a_time"),
        (float("nan"), "not_a_time"),
    ],
)
def test_what_is_no_time_or_could_be_two_is_refused(cell: Any, code: str) -> None:
    if cell == "1311012012":  # seconds since 1970, not the year 1311
        assert Clock("UTC").at(cell).year == 2011
        return
    with pytest.raises(BadCell) as refusal:
        Clock("UTC").at(cell)
    assert refusal.value.code == code


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_an_instant_with_its_offset_is_read_back_as_it_was(at: datetime) -> None:
    assert Clock("America/New_York").at(at.isoformat()) == at


@pytest.mark.parametrize(("cell", "said"), [("是", True), ("No", False), (True, True), ("1", True), (0, False)])
def test_yes_and_no_are_read_in_both_languages(cell: Any, said: bool) -> None:
    assert as_boolean(cell) is said


@pytest.mark.parametrize(
    ("cell", "text"), [(112.0, "112"), (" lin ", "lin"), (None, ""), (True, "true"), (Decimal("1.50"), "1.5")]
)
def test_ids_read_from_numbers_are_written_as_one_writes_them(cell: Any, text: str) -> None:
    assert as_text(cell) == text


def test_dates_lose_their_clock_only_where_they_have_none() -> None:
    assert as_date("2026/5/3") == "2026-05-03"
    assert as_date(datetime(2026, 5, 3)) == "2026-05-03"
    assert as_date("2026-05-03T10:00:00+08:00") == "2026-05-03T10:00:00+08:00"


@pytest.mark.parametrize(
    ("values", "type"),
    [
        (["1", "2.5", ""], "number"),
        (["007", "12"], "text"),
        (["yes", "no"], "boolean"),
        (["0", "1"], "number"),
        (["2026-05-13", "2026/5/14"], "date"),
        (["20260513"], "number"),
        (["1", "n/a"], "text"),
        ([], "text"),
        (["", None], "text"),
        ([True, False], "boolean"),
    ],
)
def test_the_type_of_a_fact_is_the_narrowest_that_fits_every_value(values: list[Any], type: str) -> None:
    assert guess_type(values) == type


@pytest.mark.parametrize(
    ("values", "order"),
    [
        (["13/04/2026"], "dmy"),
        (["04/13/2026"], "mdy"),
        (["01/02/2026", "31/01/2026"], "dmy"),
        (["03.04.2026"], "dmy"),
        (["03/04/2026"], ""),
        (["2026-04-03"], ""),
    ],
)
def test_the_order_of_dates_is_told_only_where_a_day_above_twelve_tells_it(values: list[str], order: str) -> None:
    assert guess_order(values) == order
