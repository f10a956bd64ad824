"""The periods of boards: week, month, quarter, year, season and ever, as dates. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from uptake.programme.periods import month_after, week_of

WEEK, MONTH, QUARTER, YEAR, EVER = PERIODS = ("week", "month", "quarter", "year", "ever")
SEASON = "season"
"""Where the rulebook names ends of seasons: what lies between two of them."""
BEGAN = date(1970, 1, 1)
"""Where the only period of `ever` starts, and the first season."""


@lru_cache(maxsize=8192)
def start_of(period: str, day: date, week_start: str = "monday") -> date:
    """The first date of the period that `day` lies in."""
    if period == WEEK:
        return week_of(day, week_start)
    if period == MONTH:
        return day.replace(day=1)
    if period == QUARTER:
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1) if period == YEAR else BEGAN


@lru_cache(maxsize=8192)
def end_of(period: str, start: date) -> date | None:
    """The first date after the period that starts on `start`; None: it has no end."""
    if period == WEEK:
        return start + timedelta(days=7)
    if period == MONTH:
        return month_after(start)
    if period == QUARTER:
        return month_after(month_after(month_after(start)))
    return date(start.year + 1, 1, 1) if period == YEAR else None


def before(period: str, start: date, week_start: str = "monday") -> date | None:
    """The start of the period before; None: there is none."""
    return None if period == EVER else start_of(period, start - timedelta(days=1), week_start)


def season_of(ends: Sequence[date], day: date) -> tuple[date, date | None] | None:
    """(first date, first date after) of the season that `day` lies in; no end: none is known. None: no seasons."""
    if not ends:
        return None
    return max((end for end in ends if end <= day), default=BEGAN), min(
        (end for end in ends if end > day), default=None
    )
