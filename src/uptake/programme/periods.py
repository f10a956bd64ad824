"""The day, week or month of a date, and the first date after it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERY = ("day", "week", "month", "ever")
BEGINNING = date.min


def week_of(day: date, week_start: str) -> date:
    """The first date of the week."""
    return day - timedelta(days=(day.weekday() - WEEKDAYS.index(week_start)) % 7)


def month_after(day: date) -> date:
    """The first date of the month after that of `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@lru_cache(maxsize=8192)
def period_of(day: date, every: str, week_start: str) -> date:
    """The first date of the period that `day` lies in; the beginning of time for the only period of `ever`."""
    if every == "day":
        return day
    if every == "week":
        return week_of(day, week_start)
    return day.replace(day=1) if every == "month" else BEGINNING


@lru_cache(maxsize=8192)
def end_of(day: date, every: str, week_start: str) -> date | None:
    """The first date after the period of `day`; None: it has no end."""
    if every == "day":
        return day + timedelta(days=1)
    if every == "week":
        return week_of(day, week_start) + timedelta(days=7)
    return month_after(day) if every == "month" else None
