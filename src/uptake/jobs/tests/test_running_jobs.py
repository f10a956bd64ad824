"""Jobs run when they are due, when they are woken and when they are asked for; a failure ends nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from uptake.events import wake
from uptake.jobs import loop
from uptake.jobs.job import LONGEST_PAUSE_SECONDS, Job, Lane, pause_after
from uptake.jobs.lease import FileLease, lease
from uptake.jobs.list import JOBS
from uptake.jobs.loop import Runner
from uptake.jobs.models import JobRun

NEVER = 10_000.0


class Always:
    """A lease that nobody else wants."""

    def take(self) -> bool:
        return True

    def give_back(self) -> None:
        pass


def job(run: Callable[[datetime], int], *, every: float = NEVER, woken: bool = False, lane: Lane = Lane.POINTS) -> Job:
    return Job("try", "A job of this test.", every, run, lane, woken)


def after(deed: Callable[[], object]) -> Callable[[datetime], int]:
    """A job's run that does something and has nothing to report."""

    def run(now: datetime) -> int:
        deed()
        return 0

    return run


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds in the end; a generous bound, so that only a hang fails."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Job], Runner]]:
    """Starts runners that end with the test."""
    monkeypatch.setattr(loop, "STANDBY_SECONDS", 0.02)
    started: list[Runner] = []

    def start(*jobs: Job) -> Runner:
        runner = Runner(jobs, right=Always())
        runner.start()
        started.append(runner)
        return runner

    yield start
    for runner in started:
        runner.stop(seconds=30)


def test_the_pause_doubles_with_each_failure_up_to_ten_minutes() -> None:
    quick, daily = job(lambda now: 0, every=1), job(lambda now: 0, every=86400)

    assert [pause_after(quick, failures) for failures in range(4)] == [1, 2, 4, 8]
    assert pause_after(quick, 1000) == LONGEST_PAUSE_SECONDS
    assert pause_after(daily, 7) == 86400


def test_every_job_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(str(job.sentence).endswith(".") for job in JOBS)


@pytest.mark.django_db
def test_a_run_is_remembered() -> None:
    runner = Runner([found := job(lambda now: 7)], right=Always())

    assert runner.run(found) == 7

    run = JobRun.objects.get(name="try")
    assert run.started_at is not None
    assert (run.worked, run.failures, run.failure) == (7, 0, "")


@pytest.mark.django_db
def test_a_failure_is_remembered_without_secrets_and_the_next_success_heals_it() -> None:
    troubles = [ValueError("upk_abcdef123 was refused " + "x" * 1000), KeyError("again")]

    def run(now: datetime) -> int:
        if troubles:
            raise troubles.pop(0)
        return 0

    runner = Runner([found := job(run)], right=Always())

    runner.run(found)
    once = JobRun.objects.get(name="try")
    assert (once.failures, len(once.failure)) == (1, 500)
    assert once.failure.startswith("ValueError: ")
    assert "abcdef123" not in once.failure
    runner.run(found)
    assert JobRun.objects.get(name="try").failures == 2
    runner.run(found)
    healed = JobRun.objects.get(name="try")
    assert healed.failures == 0
    assert healed.failed_at is not None


@pytest.mark.django_db
def test_a_job_is_not_run_before_its_time_unless_somebody_asks() -> None:
    runs: list[int] = []
    runner = Runner([found := job(after(lambda: runs.append(1)))], right=Always())

    runner.run_if_due(found)
    runner.run_if_due(found)
    assert len(runs) == 1
    JobRun.objects.filter(name="try").update(wanted_at=datetime.now(UTC))
    runner.run_if_due(found)
    assert len(runs) == 2


@pytest.mark.django_db
def test_a_wish_is_fulfilled_once_even_when_runs_are_not_written_down_for_a_while() -> None:
    runs: list[int] = []
    runner = Runner([found := job(after(lambda: runs.append(1)))], right=Always())
    runner.run_if_due(found)
    JobRun.objects.filter(name="try").update(wanted_at=datetime.now(UTC))

    runner.run_if_due(found)
    runner.run_if_due(found)

    assert len(runs) == 2
    assert JobRun.objects.get(name="try").wanted_at is None


@pytest.mark.django_db
def test_what_rings_wakes_only_the_jobs_that_wait_for_it_and_not_one_that_fails() -> None:
    ran: list[str] = []

    def fail(now: datetime) -> int:
        ran.append("failing")
        raise ValueError

    asleep = Job("asleep", "", NEVER, after(lambda: ran.append("asleep")))
    awake = Job("awake", "", NEVER, after(lambda: ran.append("awake")), woken=True)
    failing = Job("failing", "", NEVER, fail, woken=True)
    runner = Runner([asleep, awake, failing], right=Always())
    for one in runner.jobs:
        runner.run(one)
    ran.clear()

    for one in runner.jobs:
        runner.run_if_due(one, rung=True)

    assert ran == ["awake"]


@pytest.mark.django_db(transaction=True)
def test_a_woken_job_runs_when_events_are_recorded_and_until_there_is_nothing_left(
    running: Callable[..., Runner],
) -> None:
    left, seen = [0], threading.Semaphore(0)

    def run(now: datetime) -> int:
        if left[0]:
            left[0] -= 1
            seen.release()
            return 1
        return 0

    running(job(run, woken=True))
    left[0] = 3
    wake.ring()

    assert all(seen.acquire(timeout=30) for _event in range(3))


@pytest.mark.django_db(transaction=True)
def test_a_job_that_hangs_holds_up_no_other_lane(running: Callable[..., Runner]) -> None:
    free, done = threading.Event(), threading.Event()
    slow = Job("slow", "", NEVER, lambda now: int(free.wait(30)), Lane.IMPORTS)
    quick = Job("quick", "", NEVER, after(done.set), Lane.POINTS)

    running(slow, quick)

    assert done.wait(30)
    free.set()


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_does_not_end_its_lane(running: Callable[..., Runner]) -> None:
    done = threading.Event()
    broken = Job("broken", "", NEVER, lambda now: 1 // 0, Lane.POINTS)
    sound = Job("sound", "", NEVER, after(done.set), Lane.POINTS)

    running(broken, sound)

    assert done.wait(30)
    assert eventually(lambda: JobRun.objects.filter(name="broken", failures=1).exists())


@pytest.mark.django_db(transaction=True)
def test_a_runner_that_is_stopped_lets_the_run_end_and_runs_nothing_more(running: Callable[..., Runner]) -> None:
    began, ended = threading.Event(), threading.Event()

    def run(now: datetime) -> int:
        began.set()
        time.sleep(0.1)
        ended.set()
        return 0

    runner = running(job(run))
    assert began.wait(30)
    runner.stop(seconds=30)

    assert ended.is_set()
    assert not [thread for thread in runner.threads if thread.is_alive()]


def test_a_file_is_leased_to_one_at_a_time(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path / "jobs.lock"), FileLease(tmp_path / "jobs.lock")

    assert first.take()
    assert first.take()
    assert not second.take()
    first.give_back()
    assert second.take()
    second.give_back()


@pytest.mark.django_db(transaction=True)
def test_the_installation_has_one_runner_at_a_time() -> None:
    first, second = lease(), lease()

    assert first.take()
    assert first.take(), "asked again it still has the lease"
    assert not second.take()
    first.give_back()
    assert second.take()
    second.give_back()


@pytest.mark.django_db(transaction=True)
def test_a_runner_whose_database_session_is_gone_has_lost_its_lease() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's lease is a file, which cannot be lost")
    first, second = lease(), lease()
    assert first.take()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")

    assert not first.take()
    assert eventually(second.take)
    second.give_back()


@pytest.mark.django_db(transaction=True)
def test_no_transaction_stays_open_while_jobs_wait(running: Callable[..., Runner]) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite shows no transactions of other connections; the lease and the jobs run the same code")
    done = threading.Event()

    def run(now: datetime) -> int:
        JobRun.objects.count()
        done.set()
        return 0

    running(job(run))
    assert done.wait(30)

    def nobody_waits_inside() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%%' AND pid <> pg_backend_pid()"
            )
            return bool(cursor.fetchone()[0] == 0)

    assert eventually(nobody_waits_inside)
