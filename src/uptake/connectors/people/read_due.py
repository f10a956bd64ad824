"""Asks the sources of people whose time has come, and takes over what they say. Nothing is asked in a transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F

from uptake.connectors.people.ask import ask
from uptake.connectors.people.models import PeopleSource
from uptake.connectors.people.snapshot import Snapshot
from uptake.connectors.people.take_over import TakenOver, take_over, write_run
from uptake.connectors.people.tell_attention import tell_attention
from uptake.connectors.pull.pace import pause
from uptake.connectors.pull.protocol import NeedsAttention, Problem, SlowDown

log = logging.getLogger(__name__)
Asker = Callable[[PeopleSource], Snapshot]


def read_due(*, clock: Callable[[], datetime], limit: int = 5, asker: Asker = ask) -> int:
    """Asks the sources that are due; how many were. What the job calls."""
    due = PeopleSource.objects.filter(next_at__lte=clock(), paused_at__isnull=True, company__closed_at__isnull=True)
    read = 0
    for key in list(due.order_by("next_at").values_list("pk", flat=True)[:limit]):
        try:
            read_source(source_id=key, clock=clock, asker=asker)
            read += 1
        except TakenOver:
            continue
    return read


def read_source(*, source_id: int, clock: Callable[[], datetime], asker: Asker = ask) -> None:
    """Asks one source and takes over what it says; sets when it is asked again. Raises TakenOver."""
    if not PeopleSource.objects.filter(pk=source_id).update(attempt=F("attempt") + 1, tried_at=clock()):
        raise TakenOver
    source = PeopleSource.objects.select_related("company").get(pk=source_id)
    mine = PeopleSource.objects.filter(pk=source.pk, attempt=source.attempt)
    try:
        said = asker(source)
        if said.complete and not said.people:
            raise NeedsAttention("", code="empty")
        outcome = take_over(source=source, said=said, now=clock())
    except NeedsAttention as problem:
        tell_attention(source=source, code=problem.code, detail=problem.detail, now=clock())
        write_run(source=source, outcome="failed", counts={}, problem=_said(problem), now=clock())
        return
    except Problem as problem:
        after = problem.retry_after if isinstance(problem, SlowDown) else None
        wait = pause(source.failures + 1, every_seconds=60, retry_after=after)
        mine.update(failures=F("failures") + 1, next_at=clock() + wait)
        write_run(source=source, outcome="failed", counts={}, problem=_said(problem), now=clock())
        return
    except TakenOver:
        raise
    except Exception as failure:
        log.exception("Source of people %s could not be read", source.pk)
        mine.update(failures=F("failures") + 1, next_at=clock() + pause(source.failures + 1, every_seconds=60))
        said_of = {"code": "failure", "detail": type(failure).__name__}
        write_run(source=source, outcome="failed", counts={}, problem=said_of, now=clock())
        raise
    now = clock()
    write_run(source=source, outcome=outcome.outcome, counts=outcome.counts, now=now)
    if outcome.outcome == "held":
        tell_attention(source=source, code="too_many_leave", plan=outcome.plan, now=now)
        return
    mine.update(failures=0, read_at=now, next_at=now + timedelta(seconds=source.every_seconds))


def _said(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "detail": problem.detail[:200]}
