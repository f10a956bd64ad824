"""The methods of the log that a notebook calls, and the tables they give."""

from __future__ import annotations

from datetime import UTC, date, datetime

from uptake.activity.tests.oracle import Act
from uptake.activity.tests.test_folds_agree_with_the_oracle import log_of

DAYS = {"a": (2, 3, 9, 16), "b": (3, 17), "c": (10,)}
LOG = log_of([Act(who, "login", datetime(2026, 3, day, 9, tzinfo=UTC)) for who, days in DAYS.items() for day in days])


def test_retention_of_the_last_weeks() -> None:
    answer = LOG.retention(first="login", every="week", periods=3)

    assert answer.starts == ("2026-03-02", "2026-03-09", "2026-03-16")
    assert answer.matrix == ((2, 1, 2), (2, 1), (2,))
    assert answer.to_arrow().to_pydict()["people"] == [2, 1, 2, 2, 1, 2]


def test_lifecycle_and_stickiness() -> None:
    lives = LOG.lifecycle(every="week")
    month = LOG.stickiness(every="day", within="month")

    assert (lives.new, lives.returning, lives.dormant) == ((2, 1, 0), (0, 1, 1), (0, 1, 1))
    assert len(month.by_active_intervals) == 31
    assert month.to_arrow().to_pydict()["people"][:4] == [1, 1, 0, 1]


def test_a_cohort_on_a_date() -> None:
    stopped = {"kind": "stopped", "event": "login", "days": 14, "recent_days": 5}

    assert LOG.cohort([stopped], on=date(2026, 3, 17)).people == ("c",)
    assert LOG.cohort([stopped], on=date(2026, 3, 17)).to_arrow().num_rows == 1
