"""Business dates and the periods around them, found by looking at the clock minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY = timedelta(days=1)


@cache
def _start(day: date, zone: str, day_start: time) -> datetime:
    tz = ZoneInfo(zone)
    wanted = datetime.combine(day, day_start)
    at = (wanted - timedelta(hours=15)).replace(tzinfo=UTC)  # no clock is more than 14 hours ahead
    while at.astimezone(tz).replace(tzinfo=None) < wanted:
        at += timedelta(minutes=1)
    return at


def month_after(day: date) -> date:
    """The first date of the month after that of `day`."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@dataclass(frozen=True)
class Calendar:
    """The zone, the hour at which a date starts and the weekday with which a week starts."""

    zone: str
    day_start: time
    week_start: str

    def start(self, day: date) -> datetime:
        """The first instant at which the clock shows day_start of this date, or the end of the gap that skips it."""
        return _start(day, self.zone, self.day_start)

    def date_of(self, at: datetime) -> date:
        """The last date whose start is not after `at`."""
        day = at.astimezone(ZoneInfo(self.zone)).date() + DAY
        while self.start(day) > at:
            day -= DAY
        return day

    def week_of(self, day: date) -> date:
        """The first date of the week of `day`."""
        while WEEKDAYS[day.weekday()] != self.week_start:
            day -= DAY
        return day

    def period(self, day: date, every: str) -> date | None:
        """What tells the period of `day` from others: its first date, or None for the only one."""
        if every == "day":
            return day
        if every == "week":
            return self.week_of(day)
        return day.replace(day=1) if every == "month" else None

    def end(self, day: date, every: str) -> date:
        """The first date after the day, week or month of `day`."""
        if every == "day":
            return day + DAY
        return self.week_of(day) + 7 * DAY if every == "week" else month_after(day)
