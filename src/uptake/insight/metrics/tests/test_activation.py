"""A seat stands where its holder's use puts it, by working days and own rhythm; rates leave out what says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.activity.waits import median_wait
from uptake.insight.metrics.activation import Held, Judged, State, Terms, judge, tally

TODAY = date(2026, 5, 13)
TERMS = Terms(TODAY, judged_after_days=14, habitual_weeks=3)
NEVER: dict[str, Any] = {"first": None, "value": None, "last": None, "gap": None, "weeks": 0}


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def weekdays_since(day: date) -> int:
    return sum((day + timedelta(days=n)).weekday() < 5 for n in range(1, (TODAY - day).days + 1))


def held(**given: Any) -> Held:
    used: dict[str, Any] = {"first": ago(50), "value": None, "last": ago(1), "gap": 1.0, "weeks": 1}
    return Held(**{"issued": ago(60), "invited": None} | used | given)


def judged(*, down: bool = False, since: Callable[[date], int] = weekdays_since, **given: Any) -> Judged:
    return judge(held(**given), TERMS, down=down, worked_since=since)


@pytest.mark.parametrize(
    ("given_", "state"),
    [
        (NEVER, State.ISSUED),
        ({**NEVER, "invited": ago(59)}, State.INVITED),
        ({}, State.ACTIVATED),
        ({"value": ago(40)}, State.VALUE),
        ({"value": ago(40), "weeks": 3}, State.HABITUAL),
        ({"weeks": 3}, State.HABITUAL),
        ({"last": ago(14), "weeks": 3}, State.HABITUAL),  # ten working days have begun, not more
        ({"last": ago(15), "weeks": 3}, State.SILENT),
        ({"last": ago(15), "gap": None}, State.SILENT),
        ({"last": ago(15), "gap": 5.0}, State.ACTIVATED),  # three times the own gap is not over
        ({"last": ago(15), "gap": 4.9}, State.SILENT),
        ({"last": ago(30), "gap": 10.0}, State.ACTIVATED),
        ({"last": ago(31), "gap": 10.0}, State.SILENT),
    ],
)
def test_the_state_of_a_seat(given_: dict[str, Any], state: State) -> None:
    assert judged(**given_).state == state


def test_days_off_are_no_silence() -> None:
    assert judged(last=ago(40), since=lambda day: 10).state == State.ACTIVATED
    assert judged(last=ago(40), since=lambda day: 11).state == State.SILENT


@pytest.mark.parametrize(
    ("given_", "state"),
    [(NEVER, State.UNTOLD), ({"last": ago(20)}, State.UNTOLD), ({"last": ago(2), "weeks": 3}, State.HABITUAL)],
)
def test_without_data_nobody_is_called_silent_or_unused(given_: dict[str, Any], state: State) -> None:
    assert judged(down=True, **given_).state == state


@pytest.mark.parametrize(
    ("issued", "first", "young", "days", "in_time"),
    [
        (13, None, True, None, False),
        (14, None, False, None, False),
        (60, 46, False, 14, True),
        (60, 45, False, 15, False),
        (60, 70, False, 0, True),
        (5, 1, True, 4, True),
    ],
)
def test_youth_and_the_way_to_activation(
    issued: int, first: int | None, young: bool, days: int | None, in_time: bool
) -> None:
    found = judged(issued=ago(issued), first=None if first is None else ago(first), last=ago(1))

    assert (found.young, found.days_to_activate, found.in_time) == (young, days, in_time)


def test_rates_leave_out_the_young_and_the_untold() -> None:
    seats = [
        judged(**NEVER),
        judged(first=ago(58)),
        judged(first=ago(30), last=ago(20), value=ago(30)),
        judged(issued=ago(3), **NEVER),
        judged(issued=ago(3), first=ago(2)),
        judged(down=True, **NEVER),
        judged(down=True, first=ago(58), last=ago(30)),
    ]

    found = tally(seats, TODAY)

    assert (found.seats, found.young, found.untold, found.judged) == (7, 2, 2, 3)
    assert (found.activated, found.judged_activated, found.in_time, found.never) == (4, 2, 1, 1)
    assert found.rate == pytest.approx(1 / 3)
    assert (found.silent, found.value) == (1, 1)


def test_of_no_seats_there_is_no_rate() -> None:
    found = tally([], TODAY)

    assert (found.seats, found.rate, found.median_days) == (0, None, None)


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=25))
def test_the_median_wait_is_where_the_curve_falls_to_a_half(waits: list[tuple[int, bool]]) -> None:
    expected = None
    share = 1.0
    for day in range(31):
        at_risk = sum(days >= day for days, _ in waits)
        events = sum(days == day and happened for days, happened in waits)
        share *= 1 - events / at_risk if at_risk else 1
        if events and share <= 0.5 + 1e-9:
            expected = float(day)
            break

    assert median_wait(waits) == expected


def test_with_nobody_left_waiting_the_median_is_the_ordinary_one() -> None:
    assert median_wait([(1, True), (2, True), (9, True)]) == 2
    assert median_wait([(1, True), (20, False), (20, False)]) is None
