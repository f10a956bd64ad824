"""Undoes a whole import: its events stay in the record and stop counting; the file can be imported again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.connectors.models import ImportRun, ImportState
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.withdraw import withdraw


class NothingToUndo(Exception):
    """The import has not run, or is running now."""


@transaction.atomic
def undo_import(*, run: ImportRun, by: Viewer, now: datetime) -> ImportRun:
    """Takes back every event this import brought (not those that were there before). Repeating it changes nothing.

    Raises NotAllowed, NothingToUndo.
    """
    held = ImportRun.objects.select_for_update(of=("self",)).select_related("organization", "batch").get(pk=run.pk)
    if not by.may(Deed.MANAGE_DATA, held.organization):
        raise NotAllowed
    if held.state == ImportState.UNDONE:
        return held
    if held.state not in (ImportState.DONE, ImportState.FAILED) or held.batch is None:
        raise NothingToUndo
    withdraw(batch=held.batch, by=by, now=now)
    held.state, held.undone_at = ImportState.UNDONE, now
    held.save(update_fields=["state", "undone_at"])
    return held
