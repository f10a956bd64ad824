"""Imports a file: its rows become events, a few thousand in each transaction, together with how far it is."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from uptake.connectors.files.ahead import ahead
from uptake.connectors.files.begin_import import kept_file
from uptake.connectors.files.formats import open_table
from uptake.connectors.files.mapping import Mapping, UnfitMapping
from uptake.connectors.files.open_source import open_source
from uptake.connectors.files.running_numbers import RunningNumbers
from uptake.connectors.files.settle import Outcome, chunks, companies_below, settle
from uptake.connectors.files.table import UnreadableFile
from uptake.connectors.files.totals import ControlTotals
from uptake.connectors.files.translate import Translator
from uptake.connectors.models import ImportRun, ImportState
from uptake.directory.place import settings_at
from uptake.events.models import Batch
from uptake.events.record import ConnectionPaused

log = logging.getLogger(__name__)
SILENT = timedelta(minutes=5)
"""A running import that wrote nothing for so long has lost its runner; another may take it up."""


class NotRunnable(Exception):
    """The import does not wait for a runner: it has no mapping, has run, or another runs it."""


class TakenOver(Exception):
    """Another runner took the import up."""


def run_waiting_imports(*, clock: Callable[[], datetime], limit: int = 10) -> int:
    """Runs the imports that wait for their turn or lost their runner; how many were run. What the job calls."""
    ran = 0
    for key in ImportRun.objects.filter(_runnable(clock())).order_by("pk").values_list("pk", flat=True)[:limit]:
        try:
            run_import(run_id=key, clock=clock)
        except (NotRunnable, TakenOver):
            continue
        ran += 1
    return ran


def run_import(
    *, run_id: int, clock: Callable[[], datetime], tell: Callable[[ImportRun], None] | None = None
) -> ImportRun:
    """Runs a queued import to its end; goes on where an earlier attempt stopped. `tell` hears of every chunk.

    A file that cannot be read any further ends it as failed, with the row; what was stored until there stays (queue
    it again or undo it). Raises NotRunnable, TakenOver.
    """
    run = _take_up(run_id, clock())
    try:
        return _run(run, clock, tell)
    except TakenOver:
        raise
    except UnreadableFile as refusal:
        return _fail(run, {"code": refusal.code, "row": refusal.row, "detail": refusal.detail[:300]}, clock())
    except UnfitMapping as refusal:
        return _fail(run, {"code": refusal.code, "row": None, "detail": refusal.column[:300]}, clock())
    except ConnectionPaused:
        return _fail(run, {"code": "source_paused", "row": None, "detail": ""}, clock())
    except FileNotFoundError:
        return _fail(run, {"code": "file_gone", "row": None, "detail": ""}, clock())
    except Exception as failure:
        log.exception("Import %s failed", run.pk)
        _fail(run, {"code": "failure", "row": None, "detail": type(failure).__name__}, clock())
        raise


def _run(run: ImportRun, clock: Callable[[], datetime], tell: Callable[[ImportRun], None] | None) -> ImportRun:
    mapping = Mapping.from_json(run.mapping or {})
    table = open_table(kept_file(run))
    connection, batch = run.connection, run.batch
    assert connection is not None, "an import that was taken up has its source"
    assert batch is not None, "an import that was taken up has its batch"
    outcome = _so_far(run)
    with RunningNumbers() as numbers, RunningNumbers() as people, RunningNumbers() as objects:
        totals = ControlTotals(people, objects)
        translator = Translator(
            mapping,
            table.columns,
            zone=settings_at(run.organization).at(run.created_at).zone,
            numbers=numbers,
            companies=companies_below(run.organization) if mapping.company else None,
            history_only=not run.earn,
        )
        with closing(ahead(chunks(table, translator, totals, settled=outcome.rows))) as coming:
            for chunk in coming:
                now = clock()
                with transaction.atomic():
                    outcome = settle(chunk, outcome, connection=connection, batch=batch, earn=run.earn, now=now)
                    _keep(run, outcome, heartbeat_at=now)
                if tell is not None:
                    tell(run)
        now = clock()
        _keep(run, outcome, heartbeat_at=now, totals=totals.as_json(), state=ImportState.DONE, ended_at=now)
    if tell is not None:
        tell(run)
    return run


def _runnable(now: datetime) -> Q:
    lost = Q(state=ImportState.RUNNING, heartbeat_at__lt=now - SILENT)
    return Q(mapping__isnull=False) & (Q(state=ImportState.QUEUED) | lost)


@transaction.atomic
def _take_up(run_id: int, now: datetime) -> ImportRun:
    run = (
        ImportRun.objects.select_for_update(of=("self",))
        .select_related("organization", "batch", "connection")
        .filter(_runnable(now), pk=run_id)
        .first()
    )
    if run is None:
        raise NotRunnable
    if run.batch is None:
        run.connection = open_source(organization=run.organization, now=now)
        run.batch = Batch.objects.create(
            connection=run.connection, label=run.file_name, created_at=now, created_by_id=run.created_by_id
        )
    run.state, run.attempt, run.heartbeat_at = ImportState.RUNNING, run.attempt + 1, now
    run.started_at, run.ended_at, run.failure = run.started_at or now, None, None
    run.save()
    return run


def _so_far(run: ImportRun) -> Outcome:
    return Outcome(
        rows=run.rows,
        new=run.new,
        replayed=run.replayed,
        rejected=run.rejected,
        conflicts=run.conflicts,
        quarantined=run.quarantined,
        reasons=Counter(run.reasons),
        errors=[(row, code, column, value) for row, code, column, value in run.errors],
    )


def _keep(run: ImportRun, outcome: Outcome, **more: object) -> None:
    """Writes how far the import is, if it is still this attempt's."""
    values = {
        "rows": outcome.rows,
        "new": outcome.new,
        "replayed": outcome.replayed,
        "rejected": outcome.rejected,
        "conflicts": outcome.conflicts,
        "quarantined": outcome.quarantined,
        "reasons": dict(outcome.reasons),
        "errors": [list(error) for error in outcome.errors],
        **more,
    }
    mine = ImportRun.objects.filter(pk=run.pk, attempt=run.attempt, state=ImportState.RUNNING)
    if not mine.update(**values):
        raise TakenOver
    for name, value in values.items():
        setattr(run, name, value)


def _fail(run: ImportRun, failure: dict[str, object], now: datetime) -> ImportRun:
    mine = ImportRun.objects.filter(pk=run.pk, attempt=run.attempt, state=ImportState.RUNNING)
    if not mine.update(state=ImportState.FAILED, failure=failure, ended_at=now):
        raise TakenOver
    run.state, run.failure, run.ended_at = ImportState.FAILED, failure, now
    return run
