"""Accepts or declines an event that waits in quarantine."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.audit import note
from uptake.directory.models import Organization
from uptake.directory.viewer import Deed, NotAllowed, Viewer
from uptake.events import wake
from uptake.events.models import Connection, Correction, CorrectionKind, Event, Quarantine


class NotQuarantined(Exception):
    """The event does not wait for a decision."""


class AlreadyDecided(NotQuarantined):
    """The event was decided the other way; the first decision stands."""


def accept(*, event: Event, by: Viewer, now: datetime, why: str = "") -> Correction:
    """From now on the event counts; `why` goes into the audit log. Repeating it changes nothing.

    Raises NotQuarantined, AlreadyDecided, NotAllowed.
    """
    return _decide(event, CorrectionKind.ACCEPTED, by, now, why)


def decline(*, event: Event, by: Viewer, now: datetime, why: str = "") -> Correction:
    """The event will never count. Declining again changes nothing; raises as `accept` does."""
    return _decide(event, CorrectionKind.DECLINED, by, now, why)


@transaction.atomic
def _decide(event: Event, kind: CorrectionKind, by: Viewer, now: datetime, why: str) -> Correction:
    place = place_of(event)
    if not by.may(Deed.MANAGE_DATA, place):
        raise NotAllowed
    if not Quarantine.objects.select_for_update().filter(pk=event.pk).exists():
        raise NotQuarantined
    decided = Correction.objects.filter(
        event=event, kind__in=[CorrectionKind.ACCEPTED, CorrectionKind.DECLINED]
    ).first()
    if decided is not None:
        if decided.kind != kind:
            raise AlreadyDecided
        return decided
    correction = Correction.objects.create(kind=kind, event=event, at=now, by_id=by.user_id)
    note(
        deed=f"event.{kind.value}",
        actor=by,
        organization=place,
        subject=str(event)[:200],
        details={"event": event.pk, "source": event.source, "reason": event.quarantine.reason, "why": why},
        now=now,
    )
    transaction.on_commit(wake.ring)
    return correction


def place_of(event: Event) -> Organization:
    """Whose event it is: its company, the one it was given, else the organization of its connection."""
    place_id = Event.objects.placed().values_list("place_id", flat=True).get(pk=event.pk)  # type: ignore[misc]
    if place_id is not None:
        return Organization.objects.get(pk=place_id)
    return Connection.objects.select_related("organization").get(slug=event.source).organization
