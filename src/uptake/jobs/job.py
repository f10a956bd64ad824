"""What a job is, and when it is due again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from django.utils.functional import Promise

LONGEST_PAUSE_SECONDS: Final = 600.0


class Lane(Enum):
    """Jobs of one lane run one after the other in a thread of their own; lanes do not wait for each other."""

    POINTS = "points"
    ACTIVITY = "activity"
    IMPORTS = "imports"
    SYSTEMS = "systems"
    """Waits for others' answers."""
    PROBES = "probes"
    """Waits for systems that may be down."""
    WEBHOOKS = "webhooks"
    """Waits for others to take what they are told."""
    HOUSEKEEPING = "housekeeping"


@dataclass(frozen=True)
class Job:
    """One job. `run(now=…)` gives how many things it dealt with; it may be killed and run again at any time."""

    name: str
    sentence: str | Promise
    every_seconds: float
    run: Callable[[datetime], int]
    lane: Lane = Lane.HOUSEKEEPING
    woken: bool = False
    """Run at once when events were recorded in this process, and again as long as there was something to do."""


def pause_after(job: Job, failures: int) -> float:
    """Seconds until the next run: the job's own, and after each failure in a row twice as long, up to ten minutes."""
    if not failures:
        return job.every_seconds
    doubled: float = max(job.every_seconds, 1.0) * 2.0 ** min(failures, 20)
    return max(job.every_seconds, min(doubled, LONGEST_PAUSE_SECONDS))
