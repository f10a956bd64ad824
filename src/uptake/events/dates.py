"""Business dates of many instants at one clock, and the edition of the zone rules they follow. Pure."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

import tzdata  # type: ignore[import-untyped]

from uptake.basics.business_day import Clock


class Dates:
    """The business dates of one clock; each UTC date is worked out once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._days: dict[date, tuple[date, tuple[tuple[datetime, date], ...]]] = {}

    def of(self, at: datetime) -> date:
        """The business date of an instant given in UTC."""
        day = at.date()
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = self._work_out(day)
        found, turns = known
        for turn, after in turns:
            if at < turn:
                break
            found = after
        return found

    def _work_out(self, day: date) -> tuple[date, tuple[tuple[datetime, date], ...]]:
        """The business date at the start of a UTC date, and the (instant, date) turns within it."""
        midnight = datetime.combine(day, time(0), tzinfo=UTC)
        first = self.clock.date_of(midnight)
        turns = []
        following = first + timedelta(days=1)
        while (turn := self.clock.start_of(following)) < midnight + timedelta(days=1):
            turns.append((turn, following))
            following += timedelta(days=1)
        return first, tuple(turns)


@lru_cache(maxsize=256)
def dates_at(clock: Clock) -> Dates:
    """The `Dates` of a clock, kept for the life of the process."""
    return Dates(clock)


@lru_cache(maxsize=1)
def tzdb_version() -> str:
    """The edition of the IANA zone rules in use, such as 2026a."""
    for folder in zoneinfo.TZPATH:
        rules = Path(folder) / "tzdata.zi"
        if rules.exists():
            with rules.open() as lines:
                return lines.readline().rpartition(" ")[2].strip()[:16]
        if Path(folder).is_dir():
            return "system"
    return str(tzdata.IANA_VERSION)[:16]
