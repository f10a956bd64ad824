"""How often a system may be asked: a bucket that fills with time, and the pauses after failures. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST_PAUSE_SECONDS = 600.0
LONGEST_OBEYED_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Requests still allowed at an instant; below none, those made already must be waited for."""

    tokens: float
    at: datetime

    def filled(self, now: datetime, *, per_second: float, burst: float) -> Bucket:
        """The bucket now. A clock that goes back fills nothing."""
        seconds = max(0.0, (now - self.at).total_seconds())
        return Bucket(min(burst, self.tokens + seconds * per_second), now)

    def less(self, calls: int) -> Bucket:
        """After some requests."""
        return Bucket(self.tokens - calls, self.at)

    def wait(self, *, per_second: float) -> timedelta:
        """How long until one more is allowed."""
        return timedelta(seconds=max(0.0, (1.0 - self.tokens) / per_second))


def rest(every_seconds: float, took: timedelta) -> timedelta:
    """How long until the next turn begins, from beginning to beginning; who answers slowly has half of it in peace."""
    every = timedelta(seconds=every_seconds)
    return max(every - max(took, timedelta(0)), every / 2)


def pause(failures: int, *, every_seconds: float, retry_after: float | None = None) -> timedelta:
    """How long to leave the system alone: what it said itself, else twice as long after each failure, capped."""
    if retry_after is not None:
        return timedelta(seconds=min(max(retry_after, 0.0), LONGEST_OBEYED_SECONDS))
    doubled = max(every_seconds, 1.0) * 2.0 ** min(failures, 20)
    return timedelta(seconds=min(doubled, max(LONGEST_PAUSE_SECONDS, every_seconds)))
