"""Days, weeks and hours are cut by the wall clock of the zone, also on the days it is moved."""

from __future__ import annotations

from datetime import date

import pytest

from uptake.activity import ask
from uptake.activity.cases import log_of
from uptake.activity.periods import buckets_between, first_of

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Amsterdam", date(2026, 3, 29), 23),
        ("Europe/Amsterdam", date(2026, 10, 25), 25),
        ("Asia/Shanghai", date(2026, 10, 25), 24),
        ("America/Santiago", date(2026, 9, 6), 23),  # its midnight is skipped
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
def test_a_day_lasts_from_local_midnight_to_the_next(zone: str, day: date, hours: float) -> None:
    cut = buckets_between(day, day, "day", zone)

    assert (cut.edges[1] - cut.edges[0]) / HOUR == hours
    assert len(buckets_between(day, day, "hour", zone).labels) == 24


def test_the_hour_shown_twice_is_one_bucket_and_the_skipped_one_is_empty() -> None:
    events = [
        {"user": "lin", "event": "open", "timestamp": at}
        for at in ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z")
    ]
    question = {
        "analysis": "pv_uv", "event_sel": {}, "interval": "hour", "timezone": "Europe/Amsterdam",
        "from": "2026-10-25", "to": "2026-10-25",
    }  # fmt: skip

    answer = ask(log_of(events, {}), question)

    assert dict(zip(answer["starts"], answer["pv"], strict=True))["2026-10-25T02:00"] == 2
    assert dict(zip(answer["starts"], answer["pv"], strict=True))["2026-10-25T03:00"] == 1
    assert sum(answer["uv"]) == 2


@pytest.mark.parametrize(("week_start", "first"), [("monday", date(2025, 12, 29)), ("sunday", date(2025, 12, 28))])
def test_a_week_is_named_by_its_first_date_also_across_the_year(week_start: str, first: date) -> None:
    assert first_of(date(2026, 1, 3), "week", week_start) == first


def test_weeks_and_months_of_active_people_are_whole_ones() -> None:
    """The range begins on a Saturday; the week from Monday the 2nd has the people of all its days."""
    days = {"a": (1, 2, 3, 8, 9, 31), "b": (1, 8), "c": (2,), "d": (9, 30)}
    events = [
        {"user": user, "event": "open", "timestamp": f"2026-03-{day:02}T02:00:00Z"}
        for user, on in days.items()
        for day in on
    ]

    answer = ask(log_of(events, {}), {"analysis": "active_users", "from": "2026-03-07", "to": "2026-03-10"})

    assert answer["calendar_weeks"] == [["2026-03-02", 3], ["2026-03-09", 2]]
    assert answer["calendar_months"] == [["2026-03-01", 4]]
    assert answer["mau_rolling_30"] == [3, 3, 4, 4]
    assert answer["dau_over_mau"] == [0.0, 0.6667, 0.5, 0.0]


def test_the_zone_decides_the_day() -> None:
    events = [
        {"user": user, "event": "open", "timestamp": f"2026-03-01T{at}Z"}
        for user, at in (("a", "15:59:59"), ("b", "16:00:00"), ("c", "16:30:00"))
    ]
    question = {"analysis": "active_users", "from": "2026-03-01", "to": "2026-03-02"}

    assert ask(log_of(events, {}), question | {"timezone": "Asia/Shanghai"})["dau"] == [1, 2]
    assert ask(log_of(events, {}), question | {"timezone": "UTC"})["dau"] == [3, 0]
