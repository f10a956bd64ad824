"""Business dates: which date an instant belongs to, where a date may start at another hour than midnight.

A date starts when the clock of the zone first shows ``day_start``; if the clock skips that reading (daylight
saving), at the end of the gap. The business date of an instant is the last date whose start is not after it.
Day arithmetic is on calendar dates, so 23- and 25-hour days are ordinary days.

A `Clock` may go by another zone or day start from a date on. The start of a date is read by what holds on that date,
so the date before a change is longer or shorter than others, and no date is skipped or repeated as long as each starts
after the one before it (`Clock.lost`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

MIDNIGHT = time(0)
ONE_DAY = timedelta(days=1)


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
    guess = at.astimezone(ZoneInfo(zone)).date() + ONE_DAY
    while start_of(guess, zone, day_start) > at:
        guess -= ONE_DAY
    return guess


class Turn(NamedTuple):
    """From which date on a clock goes by an IANA zone and a time at which dates start."""

    from_date: date
    zone: str
    day_start: time = MIDNIGHT


class Clock:
    """The clock of a place, with its past and what is planned for it; a value, equal to another of the same turns."""

    __slots__ = ("_begins", "_hash", "turns")

    def __init__(self, turns: Iterable[Turn]) -> None:
        """`turns`: by rising date; the first holds for all dates before the second, too."""
        self.turns = tuple(turns)
        self._begins = [turn.from_date for turn in self.turns[1:]]
        self._hash = hash(self.turns)

    @classmethod
    def steady(cls, zone: str, day_start: time = MIDNIGHT) -> Clock:
        """One that always goes by the same."""
        return cls((Turn(date.min, zone, day_start),))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Clock) and self.turns == other.turns

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Clock({self.turns!r})"

    def on(self, day: date) -> Turn:
        """What holds on a date."""
        return self.turns[bisect_right(self._begins, day)] if self._begins else self.turns[0]

    def as_on(self, day: date) -> Clock:
        """A clock that always goes by what holds on a date, whatever comes."""
        return Clock.steady(*self.on(day)[1:]) if self._begins else self

    def at(self, instant: datetime) -> Turn:
        """What holds on the date of an instant (timezone-aware)."""
        return self.on(self.date_of(instant)) if self._begins else self.turns[0]

    def start_of(self, day: date) -> datetime:
        """The instant (UTC) at which a date starts."""
        _, zone, day_start = self.on(day)
        return start_of(day, zone, day_start)

    def date_of(self, at: datetime) -> date:
        """The business date of an instant (timezone-aware): the last date that has started."""
        if not self._begins:
            _, zone, day_start = self.turns[0]
            return business_date(at, zone, day_start)
        if at.tzinfo is None:
            raise ValueError("a business date needs a timezone-aware instant")
        guess = at.astimezone(UTC).date() + ONE_DAY  # nowhere is it later than that
        while self.start_of(guess) > at:
            guess -= ONE_DAY
        return guess

    def lost(self) -> date | None:
        """A date that would have no length at one of the turns; None: every date has some."""
        for day in self._begins:
            if self.start_of(day) <= self.start_of(day - ONE_DAY):
                return day - ONE_DAY
        return None
