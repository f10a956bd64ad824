"""Tells readers that a person's memberships changed, and places anew their events that named no company."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.import_leave import LeaveImported, import_leave
from uptake.directory.models import Identity, Organization, Person
from uptake.directory.viewer import Viewer
from uptake.events import wake
from uptake.events.follow import place_events
from uptake.events.models import Correction, CorrectionKind


@transaction.atomic
def follow_moved(*, person: Person, by: Viewer, now: datetime) -> Correction:
    """Writes `moved`, and `placed` for the events whose company follows from the membership.

    Call it in the transaction in which a membership of the person began, ended or moved.
    """
    made = Correction.objects.create(kind=CorrectionKind.MOVED, person_id_was=person.pk, at=now, by_id=by.user_id)
    place_events(list(Identity.objects.filter(person=person)), by=by, now=now)
    transaction.on_commit(wake.ring)
    return made


@transaction.atomic
def take_leave_in(*, text: str, company: Organization, by: Viewer, now: datetime) -> LeaveImported:
    """As `import_leave`, and tells readers of everybody whose leave was added: what they earned is looked at again."""
    found = import_leave(text=text, company=company, by=by, now=now)
    for key in sorted(found.people):
        follow_moved(person=found.people[key], by=by, now=now)
    return found
