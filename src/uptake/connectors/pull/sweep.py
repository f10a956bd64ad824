"""Finds out what is gone: the ids that exist now against those that were seen. For systems that tell of no deletion.

An answer that misses most of what was there is not believed: a filter or a right has changed, and a person must look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction

from uptake.connectors.models import KnownRecord, Pull, PullStream
from uptake.connectors.pull.declaration import Stream
from uptake.connectors.pull.protocol import Connector, Unfit
from uptake.connectors.pull.read_page import TakenOver, held_keys
from uptake.connectors.pull.template import Template, options
from uptake.events.happening import Happening
from uptake.events.record import record

AT_ONCE = 1000
FEW = 20
BELIEVED = 0.5
MOST_PAGES = 10_000


def sweep(
    *, pull: Pull, state: PullStream, stream: Stream, connector: Connector, history: datetime | None, now: datetime
) -> int:
    """Records one event, of nobody, for each record that has vanished; how many. Raises Problem, TakenOver."""
    assert stream.sweep is not None, "only streams that declare a sweep are swept"
    # asked before the system is: what it tells by itself meanwhile is not looked for in an older answer
    known = dict(KnownRecord.objects.filter(stream=state, vanished_at__isnull=True).values_list("record_id", "pk"))
    there: set[str] = set()
    last = ""
    for _page in range(MOST_PAGES):
        found = connector.ids(stream, last, min(AT_ONCE, stream.page))
        if not found or not set(found) - there:
            break
        there |= set(found)
        last = found[-1]
    gone = sorted(set(known) - there)
    if len(known) >= FEW and len(gone) > len(known) * BELIEVED:
        raise Unfit(f"{stream.name}: {len(gone)} / {len(known)}", code="too_many_gone")
    key_of = _keys(pull, stream, known)
    told = [
        Happening(
            event=stream.sweep.event,
            key=key_of(id_)[:255],
            at=now,
            object=stream.sweep.object.replace("{{id}}", id_)[:255],
            facts={"kind": "system"},
            history_only=True,
        )
        for id_ in gone
    ]
    with transaction.atomic():
        if not Pull.objects.filter(pk=pull.pk, attempt=pull.attempt).update(tried_at=now):
            raise TakenOver
        # what the system told by itself meanwhile stands
        held = held_keys(pull.connection.slug, {one.key for one in told})
        told = [one for one in told if one.key not in held]
        record(told, connection=pull.connection, now=now)
        KnownRecord.objects.filter(pk__in=[known[id_] for id_ in gone]).update(vanished_at=now)
        state.swept_at = now
        state.new += len(told)
        state.save(update_fields=["swept_at", "new"])
    return len(told)


def _keys(pull: Pull, stream: Stream, known: Mapping[str, int]) -> Callable[[str], str]:
    """How the key of what is gone is made: as declared, else one for each time that it was there."""
    assert stream.sweep is not None, "only streams that declare a sweep are swept"
    slug = pull.connection.slug
    if not stream.sweep.key:
        return lambda id_: f"{slug}:{stream.name}:vanished:{id_}:{known[id_]}"
    template, with_, settings = Template(stream.sweep.key), options({}), {**pull.settings, "source": slug}
    return lambda id_: str(template.value({"id": id_, "_": settings}, with_))
