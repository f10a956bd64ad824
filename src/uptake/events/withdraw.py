"""Undoes a batch: its events stay in the record and stop counting."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events import wake
from uptake.events.models import Batch, Correction, CorrectionKind, Event


@transaction.atomic
def withdraw(*, batch: Batch, by: Viewer, now: datetime) -> Correction:
    """Takes a whole batch back. Repeating it changes nothing. Raises NotAllowed.

    Lower revisions that its events had superseded stand again; the same events may be recorded again afterwards.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("connection__organization").get(pk=batch.pk)
    place = batch.connection.organization
    if not by.may(Deed.MANAGE_DATA, place):
        raise NotAllowed
    withdrawn = Correction.objects.filter(kind=CorrectionKind.WITHDRAWN, batch=batch).first()
    if withdrawn is not None:
        return withdrawn
    correction = Correction.objects.create(kind=CorrectionKind.WITHDRAWN, batch=batch, at=now, by_id=by.user_id)
    note(
        deed="import.undone",
        actor=by,
        organization=place,
        subject=batch.label,
        details={"batch": batch.pk, "events": Event.objects.filter(batch=batch).count()},
        now=now,
    )
    transaction.on_commit(wake.ring)
    return correction
