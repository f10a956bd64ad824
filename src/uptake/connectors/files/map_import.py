"""Says what the columns of a file mean and whether its events earn points; then lets it be run."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

from django.db import transaction

from uptake.connectors.files.mapping import Mapping, UnfitMapping
from uptake.connectors.models import ImportRun, ImportState, RememberedMapping
from uptake.directory.audit import note
from uptake.directory.scope import Deed, NotAllowed, Viewer

OPEN_STATES = (ImportState.WAITING, ImportState.PREVIEWED)


class TooLate(Exception):
    """The import is running or has run; its mapping cannot be changed any more."""


@transaction.atomic
def map_import(*, run: ImportRun, mapping: Mapping, earn: bool, by: Viewer, now: datetime) -> ImportRun:
    """Keeps the mapping with the import, and remembers it for the next file with this header at this place.

    Raises NotAllowed, TooLate, or UnfitMapping for columns, types or a zone that do not exist.
    """
    held = _held(run, by)
    if held.state not in OPEN_STATES:
        raise TooLate
    mapping.check(held.columns)
    if mapping.zone and mapping.zone not in available_timezones():
        raise UnfitMapping("unknown_zone", column=mapping.zone)
    held.mapping, held.earn = mapping.as_json(), earn
    held.state, held.preview = ImportState.WAITING, None
    held.save(update_fields=["mapping", "earn", "state", "preview"])
    RememberedMapping.objects.update_or_create(
        organization=held.organization,
        header_hash=held.header_hash,
        defaults={"mapping": held.mapping, "at": now, "by_id": by.user_id},
    )
    return held


@transaction.atomic
def queue_import(*, run: ImportRun, by: Viewer, now: datetime) -> ImportRun:
    """Lets the job "imports" run it (also again, after it failed). Repeating it changes nothing.

    Raises NotAllowed, or TooLate for one that was imported or undone.
    """
    held = _held(run, by)
    if held.state in (ImportState.QUEUED, ImportState.RUNNING):
        return held
    if held.state not in (*OPEN_STATES, ImportState.FAILED):
        raise TooLate
    held.state, held.failure = ImportState.QUEUED, None
    held.save(update_fields=["state", "failure"])
    note(
        deed="import.queued",
        actor=by,
        organization=held.organization,
        subject=held.file_name,
        details={"import": held.pk, "earn": held.earn},
        now=now,
    )
    return held


def _held(run: ImportRun, by: Viewer) -> ImportRun:
    held = ImportRun.objects.select_for_update(of=("self",)).select_related("organization").get(pk=run.pk)
    if not by.may(Deed.MANAGE_DATA, held.organization):
        raise NotAllowed
    return held
