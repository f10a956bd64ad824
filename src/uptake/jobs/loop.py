"""Runs the jobs: a thread per lane, one runner at a time in the whole installation, and no failure ends it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.db import connection

from uptake.basics.redaction import redact
from uptake.events import wake
from uptake.jobs.job import Job, Lane, pause_after
from uptake.jobs.lease import Lease, lease
from uptake.jobs.models import JobRun

log = logging.getLogger("uptake.jobs")

TICK_SECONDS: Final = 1.0
STANDBY_SECONDS: Final = 3.0
REMEMBER_SECONDS: Final = 60.0
"""How often a run that found nothing is written down at most; an idle house leaves its disk alone."""
REMEMBER_WORK_SECONDS: Final = 2.0


@dataclass
class Progress:
    """What the runner knows of a job between runs; times are of the monotonic clock."""

    due: float = 0.0
    failures: int = 0
    remembered: float = field(default=-REMEMBER_SECONDS)


class Runner:
    """Holds the lease and runs the lanes while it does. Everything in it may be killed at any time."""

    def __init__(self, jobs: Sequence[Job], *, right: Lease | None = None) -> None:
        self.jobs = tuple(jobs)
        self.right = right
        self.progress = {job.name: Progress() for job in self.jobs}
        self.stopping = threading.Event()
        self.standing_by = threading.Event()
        self.threads: list[threading.Thread] = []
        self.complained = -REMEMBER_SECONDS

    def start(self) -> None:
        """Start in threads and return at once."""
        watch = threading.Thread(target=self._keep_watch, name="jobs", daemon=True)
        self.threads = [watch]
        watch.start()

    def stop(self, *, seconds: float = 15.0) -> None:
        """Ask every lane to end after the run it is in, and wait for that, at most `seconds` together."""
        self.stopping.set()
        wake.ring()
        until = time.monotonic() + seconds
        for thread in list(self.threads):
            thread.join(max(0.0, until - time.monotonic()))

    def _keep_watch(self) -> None:
        # Takes the lease, starts the lanes, and stops them should the lease be lost (a database that went away).
        while not self.stopping.is_set():
            right = self.right or lease()
            try:
                if right.take():
                    log.info("This process runs the jobs.")
                    self._run_lanes_while(right)
            except Exception as problem:
                log.error("The runner of the jobs begins again: %s: %s", type(problem).__name__, problem)
            finally:
                right.give_back()
                _hand_back_connection()
            self.stopping.wait(STANDBY_SECONDS)

    def _run_lanes_while(self, right: Lease) -> None:
        self.standing_by.clear()
        lanes = [
            threading.Thread(target=self._run_lane, args=(lane,), name=f"jobs:{lane.value}", daemon=True)
            for lane in Lane
            if any(job.lane is lane for job in self.jobs)
        ]
        self.threads.extend(lanes)
        for thread in lanes:
            thread.start()
        try:
            while not self.stopping.wait(STANDBY_SECONDS) and right.take():
                pass
        finally:
            self.standing_by.set()
            wake.ring()
            for thread in lanes:
                thread.join()
            self.threads = [thread for thread in self.threads if thread not in lanes]

    def _run_lane(self, lane: Lane) -> None:
        jobs = [job for job in self.jobs if job.lane is lane]
        woken = any(job.woken for job in jobs)
        rested = 0
        while not (self.stopping.is_set() or self.standing_by.is_set()):
            heard = wake.rung()
            worked = sum(self.run_if_due(job, rung=heard != rested) for job in jobs)
            rested = heard
            if worked and woken:
                continue
            if woken:
                wake.wait(heard, TICK_SECONDS)
            else:
                self.stopping.wait(TICK_SECONDS)
        _hand_back_connection()

    def run_if_due(self, job: Job, *, rung: bool = False) -> int:
        """Run the job if its time has come, if it is woken by what `rung`, or if somebody asked; what it dealt with."""
        known = self.progress[job.name]
        at_once = job.woken and rung and not known.failures
        due = at_once or time.monotonic() >= known.due
        wanted = job.every_seconds > TICK_SECONDS and not due and self._is_wanted(job)
        return self.run(job, wanted=wanted) if due or wanted else 0

    def run(self, job: Job, *, wanted: bool = False) -> int:
        """Run the job now, write down how it went, and set when it is due again; a failure is logged, never raised."""
        known = self.progress[job.name]
        started, clock = datetime.now(UTC), time.monotonic()
        worked, failure = 0, ""
        try:
            worked = job.run(started) or 0
        except Exception as problem:
            known.failures += 1
            failure = redact(f"{type(problem).__name__}: {problem}")[:500]
            log.exception("The job %s failed, %d in a row.", job.name, known.failures)
        else:
            if known.failures:
                log.info("The job %s runs again after %d failures.", job.name, known.failures)
        healed = bool(known.failures) and not failure
        if healed:
            known.failures = 0
        ended = time.monotonic()
        # A job that has more to do goes on at once.
        known.due = ended + (0.0 if worked and job.woken else pause_after(job, known.failures))
        rest = REMEMBER_WORK_SECONDS if worked else REMEMBER_SECONDS
        if failure or healed or wanted or ended - known.remembered >= min(rest, job.every_seconds):
            self._remember(job, started, ended - clock, worked, failure)
            known.remembered = ended
        _hand_back_connection(broken=bool(failure))
        return worked

    def _remember(self, job: Job, started: datetime, seconds: float, worked: int, failure: str) -> None:
        known: dict[str, object] = {
            "started_at": started,
            "seconds": round(seconds, 3),
            "failures": self.progress[job.name].failures,
        }
        if failure:
            known |= {"failure": failure, "failed_at": started}
        if worked:
            known |= {"worked": worked, "worked_at": started}
        try:
            JobRun.objects.update_or_create(name=job.name, defaults=known)
            # A wish from during the run waits for the next one.
            JobRun.objects.filter(name=job.name, wanted_at__lte=started).update(wanted_at=None)
        except Exception as problem:
            self._complain(problem)

    def _is_wanted(self, job: Job) -> bool:
        try:
            return JobRun.objects.filter(name=job.name, wanted_at__isnull=False).exists()
        except Exception as problem:
            self._complain(problem)
            return False

    def _complain(self, problem: Exception) -> None:
        # The jobs go on without their notes; one line a minute is enough to say that these cannot be kept.
        _hand_back_connection(broken=True)
        if time.monotonic() - self.complained >= REMEMBER_SECONDS:
            self.complained = time.monotonic()
            log.error("The notes on the jobs cannot be read or written: %s: %s", type(problem).__name__, problem)


def _hand_back_connection(*, broken: bool = False) -> None:
    # With PostgreSQL the connection returns to the pool; with SQLite it is this thread's own and stays open.
    if connection.in_atomic_block:
        return
    if broken or connection.vendor == "postgresql":
        connection.close()
