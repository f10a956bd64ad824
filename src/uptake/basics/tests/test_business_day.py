"""Which date an instant belongs to, where clocks jump and dates start at another hour than midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.basics.business_day import business_date, start_of

ZONES = ["UTC", "Asia/Shanghai", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


@pytest.mark.parametrize(
    ("zone", "day_start", "instant", "expected"),
    [
        ("Asia/Shanghai", time(0), "2026-03-01T15:59:59+00:00", "2026-03-01"),
        ("Asia/Shanghai", time(0), "2026-03-01T16:00:00+00:00", "2026-03-02"),
        ("Asia/Shanghai", time(4), "2026-03-01T19:59:59+00:00", "2026-03-01"),
        ("Asia/Shanghai", time(4), "2026-03-01T20:00:00+00:00", "2026-03-02"),
        # 25 October 2026: the clock shows 02:30 twice; the first of the two starts the date
        ("Europe/Amsterdam", time(2, 30), "2026-10-25T00:29:59+00:00", "2026-10-24"),
        ("Europe/Amsterdam", time(2, 30), "2026-10-25T00:30:00+00:00", "2026-10-25"),
        ("Europe/Amsterdam", time(2, 30), "2026-10-25T01:10:00+00:00", "2026-10-25"),
        # 29 March 2026: the clock jumps from 02:00 to 03:00; the date starts at the end of the gap
        ("Europe/Amsterdam", time(2, 30), "2026-03-29T00:59:59+00:00", "2026-03-28"),
        ("Europe/Amsterdam", time(2, 30), "2026-03-29T01:00:00+00:00", "2026-03-29"),
    ],
)
def test_an_instant_belongs_to_the_last_date_that_has_started(
    zone: str, day_start: time, instant: str, expected: str
) -> None:
    assert business_date(datetime.fromisoformat(instant), zone, day_start) == date.fromisoformat(expected)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(1995, 1, 2), datetime(2036, 1, 1), timezones=st.just(UTC)),
    st.times(),
)
def test_every_instant_lies_between_the_start_of_its_date_and_of_the_next(
    zone: str, instant: datetime, day_start: time
) -> None:
    day = business_date(instant, zone, day_start)

    assert start_of(day, zone, day_start) <= instant < start_of(day + timedelta(days=1), zone, day_start)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        business_date(datetime(2026, 1, 1), "UTC", time(0))
