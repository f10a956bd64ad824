"""Says by hand who an identity is, and tells the readers of events."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.directory.models import Identity, Person
from uptake.directory.resolve import map_identity
from uptake.directory.viewer import Viewer
from uptake.events.follow import follow_identified


@transaction.atomic
def identify(*, identity: Identity, person: Person | None, by: Viewer, now: datetime) -> Identity:
    """Gives an identity its person (None: takes it back); its past events are that person's from now on.

    Events that named no company are placed where the person belonged on their date. Repeating it changes nothing.
    Raises NotAllowed, AlreadySomebody.
    """
    was = Identity.objects.select_for_update(of=("self",)).get(pk=identity.pk).person_id
    mapped = map_identity(identity=identity, person=person, by=by, now=now)
    if mapped.person_id != was:
        follow_identified([mapped], was=was, by=by, now=now)
    return mapped
