"""Tries an import and says what would become of its rows; nothing of it stays in the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from uptake.connectors.files.begin_import import kept_file
from uptake.connectors.files.formats import open_table
from uptake.connectors.files.map_import import OPEN_STATES, TooLate
from uptake.connectors.files.mapping import Mapping
from uptake.connectors.files.open_source import open_source
from uptake.connectors.files.running_numbers import RunningNumbers
from uptake.connectors.files.settle import Outcome, chunks, companies_below, settle
from uptake.connectors.files.table import Table
from uptake.connectors.files.totals import ControlTotals
from uptake.connectors.files.translate import Translator
from uptake.connectors.models import ImportRun, ImportState
from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.models import Batch

PREVIEW_ROWS = 4000
SAMPLES = 5


@dataclass
class Trial:
    """What would become of the rows tried; `complete` if these were all."""

    outcome: Outcome
    totals: dict[str, Any]
    complete: bool
    samples: list[dict[str, Any]] = field(default_factory=list)
    """What the first rows say."""


def preview_import(*, run: ImportRun, by: Viewer, now: datetime, limit: int = PREVIEW_ROWS) -> ImportRun:
    """Tries the first `limit` rows and keeps the result with the import. Raises NotAllowed, TooLate, UnreadableFile,
    UnfitMapping."""
    if not by.may(Deed.MANAGE_DATA, run.organization):
        raise NotAllowed
    if run.state not in OPEN_STATES:
        raise TooLate
    table = open_table(kept_file(run))
    mapping = Mapping.from_json(run.mapping or {})
    tried = try_rows(table=table, mapping=mapping, place=lambda: run.organization, earn=run.earn, now=now, limit=limit)
    outcome = tried.outcome
    preview = {
        "rows": outcome.rows,
        "new": outcome.new,
        "replayed": outcome.replayed,
        "rejected": outcome.rejected,
        "quarantined": outcome.quarantined,
        "reasons": dict(outcome.reasons),
        "errors": [list(error) for error in outcome.errors[:50]],
        "totals": tried.totals,
        "complete": tried.complete,
        "samples": tried.samples,
    }
    mine = ImportRun.objects.filter(pk=run.pk, state__in=OPEN_STATES, mapping=run.mapping)
    if not mine.update(state=ImportState.PREVIEWED, preview=preview):
        raise TooLate
    run.state, run.preview = ImportState.PREVIEWED, preview
    return run


def try_rows(
    *,
    table: Table,
    mapping: Mapping,
    place: Callable[[], Organization],
    earn: bool,
    now: datetime,
    limit: int | None = None,
    tell: Callable[[Outcome], None] | None = None,
) -> Trial:
    """Takes the rows (the first `limit`, or all) through the door chunk by chunk and takes each chunk back.

    The same code decides as in a real import, so the fates are those it would have; `place` may make the organization,
    which is taken back too. Locks are held for one chunk at a time.
    """
    mapping.check(table.columns)
    outcome, complete = Outcome(), True
    samples: list[dict[str, Any]] = []
    zone, companies = _surroundings(place, mapping, now)
    with RunningNumbers() as numbers, RunningNumbers() as people, RunningNumbers() as objects:
        totals = ControlTotals(people, objects)
        translator = Translator(
            mapping, table.columns, zone=zone, numbers=numbers, companies=companies, history_only=not earn
        )
        for chunk in chunks(table, translator, totals, most=limit):
            with transaction.atomic():
                connection = open_source(organization=place(), now=now)
                batch = Batch.objects.create(connection=connection, created_at=now)
                outcome = settle(chunk, outcome, connection=connection, batch=batch, earn=earn, now=now)
                transaction.set_rollback(True)
            if len(samples) < SAMPLES:
                samples += [_sample(row, said) for row, said in chunk.happenings[: SAMPLES - len(samples)]]
            if tell is not None:
                tell(outcome)
            if limit is not None and outcome.rows >= limit:
                complete = outcome.rows >= table.rows_expected
                break
        return Trial(outcome, totals.as_json(), complete, samples)


def _surroundings(
    place: Callable[[], Organization], mapping: Mapping, now: datetime
) -> tuple[str, dict[str, str] | None]:
    with transaction.atomic():
        organization = place()
        zone = settings_at(organization).at(now).zone
        companies = dict(companies_below(organization)) if mapping.company else None
        transaction.set_rollback(True)
    return zone, companies


def _sample(row: int, happening: Any) -> dict[str, Any]:
    return {
        "row": row,
        "event": happening.event,
        "person": happening.person,
        "at": happening.at.isoformat(),
        "object": happening.object,
        "company": happening.company,
        "facts": {name: str(value) for name, value in happening.facts.items()},
    }
