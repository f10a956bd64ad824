"""Business dates: which date an instant belongs to, where a date may start at another hour than midnight.

A date starts when the clock of the zone first shows ``day_start``; if the clock skips that reading (daylight
saving), at the end of the gap. The business date of an instant is the last date whose start is not after it.
Day arithmetic is on calendar dates, so 23- and 25-hour days are ordinary days.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MIDNIGHT = time(0)


@lru_cache(maxsize=16384)
def start_of(day: date, zone: str, day_start: time = MIDNIGHT) -> datetime:
    """The instant (UTC) at which the business date `day` starts in `zone`."""
    tz = ZoneInfo(zone)
    # fold=0 is the first of two equal readings; inside a gap it gives the instant the clock would have shown
    # with the offset before the gap, which lies after the gap's end and must be brought back to it.
    wall = datetime.combine(day, day_start, tzinfo=tz)
    instant = wall.astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    return _end_of_gap(wall, tz)


def _end_of_gap(wall: datetime, tz: ZoneInfo) -> datetime:
    """The first instant at which the clock shows a reading at or after `wall`, which it skips (UTC)."""
    low = wall.astimezone(UTC) - timedelta(days=2)
    high = wall.astimezone(UTC) + timedelta(days=2)
    target = wall.replace(tzinfo=None)
    while high - low > timedelta(microseconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(tz).replace(tzinfo=None) >= target:
            high = middle
        else:
            low = middle
    return high


def business_date(at: datetime, zone: str, day_start: time = MIDNIGHT) -> date:
    """The business date of the instant `at` (timezone-aware) in `zone`."""
    if at.tzinfo is None:
        raise ValueError("business_date needs a timezone-aware instant")
    guess = at.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    while start_of(guess, zone, day_start) > at:
        guess -= timedelta(days=1)
    return guess
