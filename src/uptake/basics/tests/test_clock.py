"""Clocks that change: every instant has its date, and no date is skipped or repeated."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from uptake.basics.business_day import Clock, Turn, business_date, start_of

ZONES = (
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe",
    "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Cairo", "UTC",
)  # fmt: skip
BERLIN = Turn(date.min, "Europe/Berlin", time(0))
ONE_DAY = timedelta(days=1)


def turns(pairs: list[tuple[date, str, time]]) -> Clock:
    first, *later = sorted(pairs)
    return Clock([Turn(date.min, *first[1:]), *(Turn(*one) for one in later)])


@given(
    st.lists(
        st.tuples(st.dates(date(2024, 1, 1), date(2024, 12, 28)), st.sampled_from(ZONES), st.times().map(
            lambda at: at.replace(second=0, microsecond=0))),
        min_size=1, max_size=4, unique_by=lambda one: one[0],
    ),
    st.datetimes(datetime(2023, 12, 20), datetime(2025, 1, 10), timezones=st.just(UTC)),
)  # fmt: skip
def test_dates_follow_one_another_without_a_gap_or_a_repetition(
    pairs: list[tuple[date, str, time]], at: datetime
) -> None:
    clock = turns(pairs)
    assume(clock.lost() is None)
    day = clock.date_of(at)
    assert clock.start_of(day) <= at < clock.start_of(day + ONE_DAY)
    start = clock.start_of(day)
    assert clock.date_of(start) == day
    assert clock.date_of(start - timedelta(microseconds=1)) == day - ONE_DAY


@given(
    st.dates(date(2024, 1, 5), date(2024, 12, 28)),
    *(st.sampled_from(ZONES), st.times(), st.sampled_from(ZONES), st.times()),
)
def test_a_date_is_lost_exactly_where_it_would_have_no_length(
    day: date, zone: str, day_start: time, other: str, other_start: time
) -> None:
    clock = Clock([Turn(date.min, zone, day_start), Turn(day, other, other_start)])
    left = start_of(day, other, other_start) - start_of(day - ONE_DAY, zone, day_start)
    assert clock.lost() == (day - ONE_DAY if left <= timedelta() else None)


def test_a_change_leaves_all_dates_before_it_as_they_were() -> None:
    clock = Clock([BERLIN, Turn(date(2024, 6, 10), "Asia/Shanghai", time(4))])
    assert clock.start_of(date(2024, 6, 9)) == start_of(date(2024, 6, 9), "Europe/Berlin")
    assert clock.start_of(date(2024, 6, 10)) == datetime(2024, 6, 9, 20, tzinfo=UTC)
    assert clock.date_of(datetime(2024, 6, 9, 19, 59, tzinfo=UTC)) == date(2024, 6, 9)
    assert clock.date_of(datetime(2024, 6, 9, 20, tzinfo=UTC)) == date(2024, 6, 10)
    assert clock.at(datetime(2024, 6, 9, 20, tzinfo=UTC)).zone == "Asia/Shanghai"
    assert clock.on(date(2024, 6, 9)) == BERLIN


def test_a_change_on_the_night_the_clocks_go_forward() -> None:
    # Berlin skips 02:00 to 03:00 on 31 March 2024; the date before the change ends with the gap.
    clock = Clock([Turn(date.min, "UTC", time(0)), Turn(date(2024, 3, 31), "Europe/Berlin", time(2, 30))])
    assert clock.start_of(date(2024, 3, 31)) == datetime(2024, 3, 31, 1, tzinfo=UTC)
    assert clock.date_of(datetime(2024, 3, 31, 0, 59, tzinfo=UTC)) == date(2024, 3, 30)
    assert clock.start_of(date(2024, 4, 1)) == datetime(2024, 4, 1, 0, 30, tzinfo=UTC)


def test_from_the_first_zone_of_a_date_to_the_last_a_date_is_two_days_long_and_back_it_would_be_lost() -> None:
    day = date(2024, 6, 10)
    west = Clock([Turn(date.min, "Pacific/Kiritimati"), Turn(day, "Pacific/Pago_Pago")])
    assert west.lost() is None
    assert west.start_of(day) - west.start_of(day - ONE_DAY) == timedelta(hours=49)
    east = Clock([Turn(date.min, "Pacific/Pago_Pago"), Turn(day, "Pacific/Kiritimati")])
    assert east.lost() == day - ONE_DAY


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES), st.times()
)
def test_a_steady_clock_is_the_business_day(at: datetime, zone: str, day_start: time) -> None:
    clock = Clock.steady(zone, day_start)
    assert clock.date_of(at) == business_date(at, zone, day_start)
    assert {clock, Clock.steady(zone, day_start)} == {clock}
    with pytest.raises(ValueError, match="aware"):
        Clock([BERLIN, Turn(date(2024, 6, 10), "UTC")]).date_of(at.replace(tzinfo=None))
