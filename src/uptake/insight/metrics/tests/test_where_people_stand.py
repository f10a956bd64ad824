"""Regular, slowing, silent, not started: by the own rhythm and the working days, as the analysis `silence` has it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.activity import ask
from uptake.activity.summaries.rhythm import Rhythm, rhythm
from uptake.activity.tests.test_pages_read_summaries import common, log_of
from uptake.insight.metrics.states import Measure, State, calendar_of, measure_of, state_of

TODAY = date(2026, 6, 30)
"""A Tuesday."""


def measure(off: tuple[date, ...] = (), on: tuple[date, ...] = ()) -> Measure:
    days = [TODAY - timedelta(days=back) for back in range(200)]
    return measure_of({one: one in on or (one.isoweekday() < 6 and one not in off) for one in days}, TODAY)


def one(last: int, *, gap: float | None = 1, recent: int = 0, earlier: int = 0, first: int = 150) -> Rhythm:
    ago = [TODAY - timedelta(days=back) for back in (first, last)]
    return Rhythm(7, ago[0], ago[1], gap, recent, earlier, 1.0, (0,) * 16)


@pytest.mark.parametrize(
    ("rhythm_", "state"),
    [
        (None, State.NOT_STARTED),
        (one(0, recent=9, earlier=36), State.REGULAR),
        (one(1, recent=5, earlier=40), State.REGULAR),
        (one(1, recent=4, earlier=40), State.SLOWING),
        (one(14, recent=0, earlier=40), State.SLOWING),  # 10 working days have begun, no more
        (one(15, recent=0, earlier=40), State.SILENT),
        (one(15, gap=5, earlier=8), State.SLOWING),  # 15 days are not more than 3 × 5
        (one(15, gap=4.9, earlier=8), State.SILENT),
        (one(15, gap=None), State.SILENT),
        (one(9, recent=0, earlier=7), State.REGULAR),  # 1.75 days expected: nothing can be said
        (one(9, recent=0, earlier=8), State.SLOWING),
        (one(3, recent=1, earlier=0, first=3), State.REGULAR),  # has only just begun
    ],
)
def test_where_somebody_stands(rhythm_: Rhythm | None, state: State) -> None:
    assert state_of(rhythm_, measure()) == state


@pytest.mark.parametrize("rhythm_", [None, one(1, recent=4, earlier=40), one(15, recent=0, earlier=40)])
def test_without_data_nobody_is_called_silent_slowing_or_not_started(rhythm_: Rhythm | None) -> None:
    assert state_of(rhythm_, measure(), told=False) == State.UNTOLD
    assert state_of(one(0, recent=9, earlier=36), measure(), told=False) == State.REGULAR


def test_holidays_do_not_make_silent() -> None:
    week = tuple(TODAY - timedelta(days=back) for back in range(1, 8))

    assert state_of(one(18, gap=1), measure()) == State.SILENT
    assert state_of(one(18, gap=1), measure(off=week)) != State.SILENT


def test_a_worked_weekend_counts() -> None:
    saturday = date(2026, 6, 27)

    assert state_of(one(14, gap=1), measure()) != State.SILENT
    assert state_of(one(14, gap=1), measure(on=(saturday,))) == State.SILENT


def test_the_two_spans_are_of_working_days() -> None:
    found = measure()

    assert found.recent == date(2026, 6, 16)
    assert found.between(found.recent, TODAY) == 10
    assert found.between(found.earlier, found.recent) == 40
    assert found.since(date(2026, 6, 28)) == 2


days_of = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60)), max_size=60)


@common
@given(days_of, st.sets(st.integers(0, 60), max_size=12))
def test_the_silent_are_those_of_the_analysis(tmp_path: Path, deeds: list[tuple[int, int]], odd: set[int]) -> None:
    start, today = date(2026, 3, 2), date(2026, 3, 2) + timedelta(days=60)
    log = log_of(tmp_path, [(person, number, 1, "open", 0) for person, number in sorted(deeds)])
    works = {start + timedelta(days=n): ((start + timedelta(days=n)).isoweekday() < 6) != (n in odd) for n in range(61)}
    held = measure_of(works, today)

    answer = ask(log, {"analysis": "silence", "as_of": today.isoformat(), "calendar": calendar_of(held)})

    found = rhythm(log, last=today, recent=held.recent, earlier=held.earlier)
    silent = {n for n in (1, 2, 3) if state_of(found.get(n), held) == State.SILENT}
    assert {int(name) for name in answer["silent"]} == silent
