"""What the record of events does with the rows of a person who is erased: see `uptake.directory.erase`.

Events are emptied of all that may tell whose they were, or what about: the sender's key, the object, the facts. What
stays is that something of this name happened then and there. Those that shall not count any more are withdrawn, as an
import is when it is undone, so that every reader knows already what to do.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from uptake.directory.erase import Subject, Treatment
from uptake.directory.models import Policy
from uptake.events import wake
from uptake.events.models import Batch, Conflict, Connection, Correction, CorrectionKind, Event

ROWS = 500
ERASED = "erased/"
"""How the keys of emptied events begin."""


def _events(subject: Subject) -> QuerySet[Event]:
    return Event.objects.filter(identity_id__in=subject.identities)


def _empty_events(subject: Subject) -> None:
    """Empties the events and tells the readers. A key that is somebody else's event's too stays: it joins revisions."""
    batches = _withdrawn_batches(subject) if subject.policy == Policy.DROP else {}
    keys: dict[tuple[str, str], str] = {}
    rows = list(_events(subject).order_by("pk").values_list("pk", "source", "key", "batch_id"))
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        shared = set(
            Event.objects.filter(source__in={row[1] for row in some}, key__in=[row[2] for row in some])
            .exclude(identity_id__in=subject.identities)
            .values_list("source", "key")
        ) | set(
            Event.objects.filter(
                source__in={row[1] for row in some}, key__in=[row[2] for row in some], identity__isnull=True
            ).values_list("source", "key")
        )
        emptied = []
        for pk, source, key, batch in some:
            if (source, key) in shared:
                keys[source, key] = key
            new = keys.setdefault((source, key), f"{ERASED}{secrets.token_hex(16)}")
            emptied.append((new, batches.get(source, batch), pk))
        with database.cursor() as cursor:
            cursor.executemany(
                "UPDATE events_event SET key = %s, batch_id = %s, fingerprint = '', object = '', facts = '{}' "
                "WHERE id = %s",
                emptied,
            )
    Correction.objects.bulk_create(
        [
            Correction(
                kind=CorrectionKind.ERASED,
                identity_id=identity,
                person_id_was=subject.person,
                at=subject.now,
                by_id=subject.by,
            )
            for identity in subject.identities
        ],
        batch_size=ROWS,
    )
    transaction.on_commit(wake.ring)


def _withdrawn_batches(subject: Subject) -> dict[str, int]:
    """A batch for each source of the person's events that is withdrawn as soon as it is made: source → its id."""
    sources = set(_events(subject).values_list("source", flat=True).distinct())
    made: dict[str, int] = {}
    for connection in Connection.objects.filter(slug__in=sources):
        batch = Batch.objects.create(connection=connection, created_at=subject.now, created_by_id=subject.by)
        Correction.objects.create(
            kind=CorrectionKind.WITHDRAWN, batch=batch, person_id_was=subject.person, at=subject.now, by_id=subject.by
        )
        made[connection.slug] = batch.pk
    assert set(made) == sources, "events come in by connections"
    return made


def _conflicts(subject: Subject) -> Iterator[Conflict]:
    """Contents that were refused because their key was taken: of the person's events, or said to be theirs."""
    sources = {source for source, _external_id in subject.external_ids}
    for one in Conflict.objects.filter(event__source__in=sources).select_related("event").iterator():
        if one.content and (one.event.identity_id in subject.identities or subject.named_inside(one.content)):
            yield one


def _empty_conflicts(subject: Subject) -> None:
    for one in list(_conflicts(subject)):
        one.content, one.fingerprint = {}, secrets.token_hex(32)
        one.seen_at = one.seen_at or subject.now
        one.save(update_fields=["content", "fingerprint", "seen_at"])


EVENTS = Treatment(
    "events",
    _("Events"),
    {
        Policy.ANONYMISE: _("Still count, for nobody known; key, object and properties are emptied"),
        Policy.DROP: _("Do not count any more; key, object and properties are emptied"),
    },
    ("events.Event", "events.Correction", "events.Batch"),
    lambda subject: _events(subject).count(),
    _empty_events,
)
CONFLICTS = Treatment(
    "conflicts",
    _("Contents refused as conflicts"),
    dict.fromkeys((Policy.ANONYMISE, Policy.DROP), _("Emptied")),
    ("events.Conflict",),
    lambda subject: sum(1 for _one in _conflicts(subject)),
    _empty_conflicts,
)
