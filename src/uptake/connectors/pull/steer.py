"""What a person may ask of a connection: try again, read again from a date, read what was set aside once more."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from uptake.connectors.models import BadRecord, Pull, PullStream
from uptake.connectors.pull.connect_system import look_again, taken
from uptake.connectors.pull.mapping import placed
from uptake.connectors.pull.opening import access_of, declared, reading_of
from uptake.connectors.pull.protocol import Record
from uptake.connectors.pull.read_page import store_again, understood
from uptake.directory.audit import note
from uptake.directory.viewer import Viewer

AT_ONCE = 1000


@transaction.atomic
def try_again(*, pull: Pull, by: Viewer, now: datetime) -> Pull:
    """Asks at once, whatever stopped it. Raises NotAllowed."""
    pull = taken(pull, by)
    look_again(pull, now)
    pull.save()
    _note("system.tried_again", pull, by, now, {})
    return pull


@transaction.atomic
def read_again(*, pull: Pull, since: datetime, by: Viewer, now: datetime) -> Pull:
    """Reads every stream again from an instant on. What is there already stays as it is. Raises NotAllowed."""
    pull = taken(pull, by)
    look_again(pull, now)
    pull.save()
    for stream in declared(pull).streams:
        PullStream.objects.get_or_create(pull=pull, name=stream.name)
    PullStream.objects.filter(pull=pull).update(reread_from=since, place=None)
    _note("system.read_again", pull, by, now, {"from": since.isoformat()})
    return pull


@transaction.atomic
def understand_again(*, pull: Pull, by: Viewer, now: datetime, limit: int = AT_ONCE) -> tuple[int, int]:
    """Reads what was set aside with the declaration as it is now: (events made, records still not understood).

    Raises NotAllowed, SignInRefused.
    """
    pull = taken(pull, by)
    declaration = declared(pull)
    reading = reading_of(pull, declaration, access_of(pull, declaration).settings)
    made = still = 0
    for state in pull.streams.all():
        stream = next((one for one in declaration.streams if one.name == state.name), None)
        waiting = list(BadRecord.objects.filter(stream=state).waiting().order_by("pk")[:limit])
        if stream is None or not waiting:
            still += len(waiting)
            continue
        zone = reading.zone_of(stream)
        for row in waiting:
            record = Record(row.raw, row.record_id, row.at) if row.at else placed(stream, row.raw, zone)
            found = understood(reading, stream, [record])
            if found.bad:
                still += 1
                continue
            made += store_again(pull=pull, state=state, found=found, now=now)
            row.settled_at = now
            row.save(update_fields=["settled_at"])
    _note("system.understood_again", pull, by, now, {"made": made, "still": still})
    return made, still


@transaction.atomic
def set_aside(*, pull: Pull, by: Viewer, now: datetime) -> int:
    """Puts away for good what was not understood; how many. Raises NotAllowed."""
    pull = taken(pull, by)
    count = BadRecord.objects.filter(stream__pull=pull).waiting().update(settled_at=now)
    _note("system.set_aside", pull, by, now, {"records": count})
    return count


def _note(deed: str, pull: Pull, by: Viewer, now: datetime, details: dict[str, object]) -> None:
    connection = pull.connection
    note(
        deed=deed,
        actor=by,
        organization=connection.organization,
        subject=connection.slug,
        details={"connection": connection.pk, **details},
        now=now,
    )
