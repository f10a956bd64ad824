"""Runs the back-tests that wait, tells how far each is, and seals its report."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from uptake.basics.canonical import canonical_json, fingerprint
from uptake.directory.place import settings_at
from uptake.programme.backtest.back_test import Stopped, back_test
from uptake.programme.drafting.models import Draft, DraftState, Report, Run, RunState
from uptake.programme.rulebook_reading import read_rulebook

log = logging.getLogger(__name__)
SILENT = timedelta(minutes=5)
"""One that told nothing for so long has lost its runner; another begins it anew."""

Clock = Callable[[], datetime]


def run_waiting_back_tests(*, clock: Clock, limit: int = 1) -> int:
    """Runs some that wait, or whose runner was lost; how many. What the job calls."""
    now = clock()
    lost = Q(state=RunState.RUNNING, moved_at__lt=now - SILENT)
    waiting = Run.objects.filter(Q(state=RunState.WAITING) | lost).order_by("pk")
    ran = 0
    for key in list(waiting.values_list("pk", flat=True)[:limit]):
        ran += run_back_test(run_id=key, clock=clock) is not None
    return ran


def run_back_test(*, run_id: int, clock: Clock) -> Run | None:
    """Runs one to its end; None if it does not wait any more. A failure is noted on it and raised."""
    run = _taken_up(run_id, clock())
    if run is None:
        return None
    try:
        told = _told(run, clock)
    except Stopped:
        run.refresh_from_db()
        return run
    except Exception as failure:
        log.exception("Back-test %s failed", run.pk)
        Run.objects.filter(pk=run.pk).update(
            state=RunState.FAILED, ended_at=clock(), problem=f"{type(failure).__name__}: {failure}"[:300]
        )
        raise
    return _sealed(run, told, clock())


@transaction.atomic
def _taken_up(run_id: int, now: datetime) -> Run | None:
    lost = Q(state=RunState.RUNNING, moved_at__lt=now - SILENT)
    run = (
        Run.objects.select_for_update(of=("self",), no_key=True)
        .select_related("draft__organization")
        .filter(Q(state=RunState.WAITING) | lost, pk=run_id)
        .first()
    )
    if run is None:
        return None
    run.state, run.started_at, run.moved_at, run.done = RunState.RUNNING, now, now, 0
    run.save()
    return run


def _told(run: Run, clock: Clock) -> dict[str, Any]:
    place = run.draft.organization
    today = settings_at(place).date_of(clock())

    def progress(done: int, total: int) -> bool:
        going_on = Run.objects.filter(pk=run.pk, state=RunState.RUNNING)
        return bool(going_on.update(done=done, total=total, moved_at=clock()))

    return back_test(
        organization=place,
        rulebook=read_rulebook(run.file),
        until=today,
        days=run.days,
        sample=run.sample,
        seed=run.draft_id,
        progress=progress,
    )


@transaction.atomic
def _sealed(run: Run, told: dict[str, Any], now: datetime) -> Run:
    run = Run.objects.select_for_update(of=("self",), no_key=True).select_related("draft").get(pk=run.pk)
    if run.state != RunState.RUNNING:
        return run
    run.report = seal(run.draft, told, made_by_id=run.asked_by_id, now=now)
    run.state, run.ended_at, run.done, run.total = RunState.DONE, now, told["events"], told["events"]
    run.save()
    if run.sample is None:
        Draft.objects.filter(pk=run.draft_id, sha256=run.sha256, state=DraftState.DRAFT).update(state=DraftState.TESTED)
    return run


def seal(draft: Draft, told: dict[str, Any], *, made_by_id: int | None, now: datetime) -> Report:
    """The report with its hash, as it stays for ever."""
    return Report.objects.create(
        draft=draft,
        organization_id=draft.organization_id,
        draft_sha256=told["draft"],
        in_force_sha256=told["in_force"],
        from_date=told["from"],
        until_date=told["until"],
        days=told["days"],
        sample=told["sample"],
        content=canonical_json(told).decode(),
        sha256=fingerprint(told),
        made_at=now,
        made_by_id=made_by_id,
    )
