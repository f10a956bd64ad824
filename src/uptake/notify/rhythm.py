"""When a mail goes out: at once, with the others of the day or week, and never in the reader's quiet hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from uptake.notify.models import Pace, Topic
from uptake.notify.topics import CANNOT_WAIT

HOUR: Final = time(8)
"""When mails that hold all of a day or week come, by the reader's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one reader wants mails."""

    pace: Pace = Pace.AT_ONCE
    zone: str = "UTC"
    quiet: tuple[time, time] | None = None
    """[from, until) by their clock, over midnight where it ends before it begins; equal: no quiet hours."""


def due(topic: Topic, habit: Habit, now: datetime) -> tuple[datetime, bool]:
    """(when a mail written now is sent, whether together with the others that are due)."""
    if topic in CANNOT_WAIT:
        return now, False
    local = now.astimezone(ZoneInfo(habit.zone))
    if habit.pace != Pace.AT_ONCE:
        local = _next(local, HOUR)
        while habit.pace == Pace.WEEKLY and local.weekday() != 0:
            local = _on(local, HOUR, days=1)
    if habit.quiet and _within(local.time(), *habit.quiet):
        local = _next(local, habit.quiet[1])
    return max(local.astimezone(UTC), now), habit.pace != Pace.AT_ONCE


def _within(at: time, start: time, end: time) -> bool:
    return start <= at < end if start <= end else at >= start or at < end


def _next(local: datetime, at: time) -> datetime:
    """The next moment after `local` at which the clock shows `at`."""
    today = _on(local, at)
    return today if today > local else _on(local, at, days=1)


def _on(local: datetime, at: time, *, days: int = 0) -> datetime:
    return datetime.combine(local.date() + timedelta(days=days), at, local.tzinfo)
