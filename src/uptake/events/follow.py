"""Tells readers that identities were given a person, and places the events they had left without a company."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from uptake.directory.models import Identity
from uptake.directory.place import memberships_of, settings_of, span_on
from uptake.directory.viewer import Viewer
from uptake.events import wake
from uptake.events.dates import dates_at
from uptake.events.models import Connection, Correction, CorrectionKind, Event

ROWS = 1000


@transaction.atomic
def follow_identified(identities: Sequence[Identity], *, was: int | None, by: Viewer | None, now: datetime) -> int:
    """Writes `identified` for each identity and `placed` for its events that named no company; gives how many placed.

    Call it in the transaction in which the identities got their person (`resolve`, `match_again`, `map_identity`);
    `was` is the id of the person before. An event is placed where the person belonged on its date, if that lies at or
    below the organization of the event's connection; it is placed anew (or nowhere) when its identity changes hands.
    """
    if not identities:
        return 0
    by_id = by.user_id if by else None
    Correction.objects.bulk_create(
        [
            Correction(kind=CorrectionKind.IDENTIFIED, identity=one, person_id_was=was, at=now, by_id=by_id)
            for one in identities
        ],
        batch_size=ROWS,
    )
    placed = place_events(identities, by=by, now=now)
    transaction.on_commit(wake.ring)
    return placed


def place_events(identities: Sequence[Identity], *, by: Viewer | None, now: datetime) -> int:
    """Writes `placed` for the events of these identities that named no company, where they belong elsewhere by now."""
    by_id = by.user_id if by else None
    homes = {
        connection.slug: connection.organization
        for connection in Connection.objects.filter(slug__in={one.source for one in identities}).select_related(
            "organization"
        )
    }
    open_homes = {slug: home for slug, home in homes.items() if home.company_id is None}
    people = {one.pk: one.person_id for one in identities if one.source in open_homes}
    if not people:
        return 0
    spans = memberships_of(person for person in people.values() if person is not None)
    clocks = settings_of(open_homes.values())
    waiting = (
        Event.objects.filter(identity__in=people, company__isnull=True)
        .placed()
        .values_list("pk", "source", "identity_id", "happened_at", "place_id")  # type: ignore[misc]
    )
    corrections = []
    for event_id, source, identity_id, happened_at, place_id in waiting.iterator(chunk_size=ROWS):
        home = open_homes[source]
        theirs = spans.get(people[identity_id] or 0, [])
        span = span_on(theirs, dates_at(clocks[home.pk]).of(happened_at))
        company = span.company_id if span and span.path.startswith(home.path) else None
        if company != place_id:
            corrections.append(
                Correction(kind=CorrectionKind.PLACED, event_id=event_id, company_id=company, at=now, by_id=by_id)
            )
    Correction.objects.bulk_create(corrections, batch_size=ROWS)
    return len(corrections)
