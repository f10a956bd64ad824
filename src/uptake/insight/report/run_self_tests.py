"""Asks for a self-test after every evaluation, and runs those that wait, telling how far each is."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from uptake.insight.impact.metrics import metric_of
from uptake.insight.impact.models import Evaluation, Intervention
from uptake.insight.report.models import SelfTest, State

log = logging.getLogger(__name__)
SILENT = timedelta(minutes=5)
"""One that told nothing for so long has lost its runner; another begins it anew."""
AT_ONCE = 50
TOLD_EVERY = 5
"""Drills between two notes of how far it is."""

Clock = Callable[[], datetime]


def run_waiting_self_tests(*, clock: Clock, limit: int = 1) -> int:
    """Asks for those of new evaluations, then runs some that wait or whose runner was lost; how many were run."""
    ask_for_self_tests(now=clock())
    lost = Q(state=State.RUNNING, moved_at__lt=clock() - SILENT)
    waiting = SelfTest.objects.filter(Q(state=State.WAITING) | lost).order_by("-evaluation_id")
    ran = 0
    for key in list(waiting.values_list("pk", flat=True)[:limit]):
        ran += run_self_test(self_test_id=key, clock=clock) is not None
    return ran


def ask_for_self_tests(*, now: datetime) -> int:
    """One for every evaluation that has none; how many were asked for."""
    keys = list(Evaluation.objects.filter(self_test=None).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    rows = [SelfTest(evaluation_id=key, asked_at=now, moved_at=now) for key in keys]
    SelfTest.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def run_self_test(*, self_test_id: int, clock: Clock) -> SelfTest | None:
    """Runs one to its end; None if it does not wait any more. A failure leaves it running, so it is begun anew."""
    found = _taken_up(self_test_id, clock())
    if found is None:
        return None
    facts, sha = _facts(found, clock)
    now = clock()
    SelfTest.objects.filter(pk=found.pk, state=State.RUNNING).update(
        state=State.DONE, facts=facts, sha=sha, done=facts.get("drills", 0), ended_at=now, moved_at=now
    )
    found.refresh_from_db()
    return found


@transaction.atomic
def _taken_up(key: int, now: datetime) -> SelfTest | None:
    lost = Q(state=State.RUNNING, moved_at__lt=now - SILENT)
    waits = SelfTest.objects.filter(Q(state=State.WAITING) | lost, pk=key)
    if not waits.update(state=State.RUNNING, moved_at=now, done=0):
        return None
    return SelfTest.objects.select_related("evaluation__intervention__organization").get(pk=key)


def _facts(found: SelfTest, clock: Clock) -> tuple[dict[str, Any], str]:
    # Its libraries are loaded where they are needed.
    from uptake.insight.impact.panel_of_departments import HISTORY_DAYS, department_panel, only_known_days
    from uptake.insight.report.self_test import Rollout, cannot, self_test, sha_of

    intervention = found.evaluation.intervention
    primary = intervention.plan["metrics"][0]
    design = json.loads(found.evaluation.text)["metrics"][0]["result"]["design"]
    last = intervention.first_start - timedelta(days=1)
    panel = department_panel(
        dict.fromkeys(intervention.starts),
        metric=metric_of(primary),
        first=last - timedelta(days=HISTORY_DAYS),
        last=last,
    )
    history = None if panel is None else only_known_days(panel)
    why = cannot(history, design)
    if why or history is None:
        return {"cannot": why}, ""
    rollout = Rollout(
        smallest=float(primary["smallest"]), alpha=float(intervention.plan["alpha"]), **_shape(intervention)
    )
    sha = sha_of(history, rollout)
    known = SelfTest.objects.filter(state=State.DONE, sha=sha).order_by("pk").first()
    if known is not None:
        return known.facts, sha

    def told(done: int, total: int) -> None:
        if done % TOLD_EVERY == 0 or done == total:
            SelfTest.objects.filter(pk=found.pk).update(done=done, total=total, moved_at=clock())

    return self_test(history, rollout, told=told), sha


def _shape(intervention: Intervention) -> dict[str, Any]:
    """How many waited, and on how many dates the others began."""
    return {
        "waiting_share": intervention.waiting / len(intervention.starts),
        "waves": len({day for day in intervention.starts.values() if day}),
    }
