"""By what rhythm everybody was active agrees with counting by hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.activity.summaries.rhythm import Rhythm, rhythm
from uptake.activity.tests.test_pages_read_summaries import MACHINE, Row, common, counted, day, events, log_of


def by_hand(rows: list[Row], last: int, recent: int, earlier: int) -> list[Rhythm]:
    found = []
    mine = [row for row in counted(rows, 0, last) if row[2] in (1, 2) and row[0] > 0]
    for person in sorted({row[0] for row in mine}):
        days = sorted({row[1] for row in mine if row[0] == person})
        gaps = [after - before for before, after in pairwise(days)]
        span = min(56, days[-1] - days[0] + 1)
        weeks = [sum(last - 7 * back - 6 <= one <= last - 7 * back for one in days) for back in (2, 1, 0)]
        found.append(Rhythm(
            person, day(days[0]), day(days[-1]), median(gaps) if gaps else None,
            sum(one >= recent for one in days), sum(earlier <= one < recent for one in days),
            sum(one > days[-1] - 56 for one in days) / max(1, span / 7), tuple(weeks),
        ))  # fmt: skip
    return found


@common
@given(events, st.integers(0, 27), st.integers(0, 10), st.integers(0, 10))
def test_rhythms_are_as_counted_by_hand(tmp_path: Path, rows: list[Row], last: int, near: int, far: int) -> None:
    recent = max(0, last - near)
    earlier = max(0, recent - far)
    found = rhythm(
        log_of(tmp_path, rows), last=day(last), recent=day(recent), earlier=day(earlier), weeks=3, companies=[1, 2]
    )

    wanted = by_hand(rows, last, recent, earlier)
    assert [found.get(one.person) for one in wanted] == wanted
    assert found.to_arrow().num_rows == len(wanted)
    assert found.get(999) is None


@pytest.mark.parametrize("person", [0, MACHINE, -7])
def test_nobody_machines_and_unclaimed_identities_have_no_rhythm(tmp_path: Path, person: int) -> None:
    log = log_of(tmp_path, [(person, 3, 1, "open", 0), (1, 3, 1, "heartbeat", 0)])

    assert rhythm(log, last=day(9), recent=day(5), earlier=day(0)).to_arrow().num_rows == 0


def test_what_somebody_used_to_do_is_told_of_the_eight_weeks_before_the_last_day(tmp_path: Path) -> None:
    rows: list[Row] = [(1, number, 1, "open", 0) for number in range(100) if number % 7 < 5]
    found = rhythm(log_of(tmp_path, rows), last=day(200), recent=day(190), earlier=day(100)).get(1)

    assert found is not None
    assert found.used == 5.0
    assert found.last == day(99 - 99 % 7 + 1)
    assert found.weeks == (5, 2, *(0,) * 14)
