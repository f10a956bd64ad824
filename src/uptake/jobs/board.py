"""What the page of jobs shows: every job of the list with what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from uptake.jobs.ask_for import UnknownJob, ask_for
from uptake.jobs.closed_books import NotClosed, StillBroken, WhyMissing, open_book
from uptake.jobs.job import pause_after
from uptake.jobs.list import JOBS
from uptake.jobs.loop import REMEMBER_SECONDS
from uptake.jobs.models import JobRun

__all__ = ["Line", "NotClosed", "StillBroken", "UnknownJob", "WhyMissing", "ask_for", "lines", "open_book"]

GRACE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Line:
    """One job. `state`: "waiting" (never ran), "wanted" (asked for), "failing", "late" (no runner?), "good"."""

    name: str
    sentence: str
    every_seconds: float
    state: str
    started_at: datetime | None
    seconds: float
    worked: int
    worked_at: datetime | None
    failures: int
    failure: str
    failed_at: datetime | None

    @property
    def milliseconds(self) -> float:
        return 1000 * self.seconds


def lines(*, now: datetime) -> tuple[Line, ...]:
    """The jobs in the order of the list."""
    known = {run.name: run for run in JobRun.objects.filter(name__in=[job.name for job in JOBS])}
    found = []
    for job in JOBS:
        run = known.get(job.name) or JobRun(name=job.name)
        longest = max(pause_after(job, run.failures), REMEMBER_SECONDS) + run.seconds + GRACE_SECONDS
        if run.wanted_at:
            state = "wanted"
        elif run.failures:
            state = "failing"
        elif run.started_at is None:
            state = "waiting"
        else:
            state = "late" if now - run.started_at > timedelta(seconds=longest) else "good"
        found.append(
            Line(
                name=job.name,
                sentence=str(job.sentence),
                every_seconds=job.every_seconds,
                state=state,
                started_at=run.started_at,
                seconds=run.seconds,
                worked=run.worked,
                worked_at=run.worked_at,
                failures=run.failures,
                failure=run.failure,
                failed_at=run.failed_at,
            )
        )
    return tuple(found)
