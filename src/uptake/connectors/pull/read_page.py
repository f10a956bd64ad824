"""Records one page of a stream: its happenings, what was not understood, and the cursor, in one transaction.

Whoever is killed before the commit has done nothing; after it, the next page comes next. What was told once stands: a
record that says something else under the same key later is not told again, so what changes has its time in its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from django.db import transaction

from uptake.connectors.models import BadRecord, KnownRecord, Pull, PullStream
from uptake.connectors.pull.declaration import Stream
from uptake.connectors.pull.mapping import Reading, Unmappable
from uptake.connectors.pull.protocol import Page, Position, Record, Unfit
from uptake.events.arrays import among
from uptake.events.happening import Happening
from uptake.events.models import Event
from uptake.events.record import record as record_happenings


class TakenOver(Exception):
    """Another runner took the connection up, or a person changed it."""


@dataclass
class Found:
    """What the records of a page say."""

    happenings: list[Happening]
    records: list[Record]
    """Of each happening, the record it comes from."""
    bad: list[tuple[Record, str, str]]


def understood(reading: Reading, stream: Stream, records: Sequence[Record]) -> Found:
    """The happenings of records, and those that say nothing usable. Pure."""
    found = Found([], [], [])
    for one in records:
        try:
            told = reading.read(stream, one)
        except Unmappable as problem:
            found.bad.append((one, problem.code, problem.detail))
        else:
            found.happenings += told
            found.records += [one] * len(told)
    return found


def next_position(position: Position, records: Sequence[Record], *, numeric: bool) -> Position:
    """Where reading stands after these records. Those without a place in the order move nothing."""
    for one in records:
        if one.problem and not one.id:
            continue
        if one.at is None:
            position = Position(None, one.id)
        elif one.at == position.at:
            position = Position(one.at, _later(one.id, position.id, numeric), position.same + 1)
        elif position.at is None or one.at > position.at:
            position = Position(one.at, one.id, 1)
    return position


def read_page(
    *,
    pull: Pull,
    state: PullStream,
    stream: Stream,
    reading: Reading,
    page: Page,
    after: Position,
    wide: bool,
    now: datetime,
) -> Position:
    """Stores a page; where reading stands then. Raises TakenOver, ConnectionPaused, Unfit where nothing moved."""
    found = understood(reading, stream, page.records)
    position = next_position(after, page.records, numeric=stream.order.numeric)
    if page.records and position == after and not page.complete:
        raise Unfit(f"{stream.name}: {after.at} {after.id}", code="stuck")
    with transaction.atomic():
        if not Pull.objects.filter(pk=pull.pk, attempt=pull.attempt).update(tried_at=now):
            raise TakenOver
        state.new += store(pull, state, found, now)
        state.records += len(page.records)
        if position.at is not None:
            # A system whose clock runs ahead must not lead us past what it says when its clock is right again.
            state.high_at = max(state.high_at or position.at, min(position.at, now))
        state.high_id = position.id
        state.place = {
            "at": position.at.isoformat() if position.at else None,
            "id": position.id,
            "same": position.same,
            "wide": wide,
        }
        if stream.sweep is not None:
            remember(state, [one.id for one in page.records if one.id])
        state.save(update_fields=["new", "records", "high_at", "high_id", "place"])
    return position


def store_again(*, pull: Pull, state: PullStream, found: Found, now: datetime) -> int:
    """Stores what is understood now of records that were set aside; how many events were made."""
    with transaction.atomic():
        return store(pull, state, found, now)


def store(pull: Pull, state: PullStream, found: Found, now: datetime) -> int:
    """Records what is new of what was found, and sets aside the rest; how many events were made. In a transaction."""
    held = held_keys(pull.connection.slug, {one.key for one in found.happenings})
    fresh = []
    for one, record in zip(found.happenings, found.records, strict=True):
        if one.key not in held:
            held.add(one.key)
            fresh.append((one, record))
    fates = record_happenings([one for one, _record in fresh], connection=pull.connection, now=now)
    refused = [
        (record, "refused", fate.reason)
        for (_one, record), fate in zip(fresh, fates, strict=True)
        if fate.fate == "rejected"
    ]
    _set_aside(state, [*found.bad, *refused], now)
    return sum(fate.fate in ("new", "quarantined") for fate in fates)


def held_keys(source: str, keys: set[str]) -> set[str]:
    """Which of these keys have an event."""
    if not keys:
        return set()
    condition, values = among("events_event.key", sorted(keys))
    found = Event.objects.filter(source=source).extra(where=[condition], params=values)  # noqa: S610 (ours)
    return set(found.order_by().values_list("key", flat=True))


def _set_aside(state: PullStream, bad: Sequence[tuple[Record, str, str]], now: datetime) -> None:
    rows = []
    for record, code, detail in bad:
        raw = plain_json(record.raw)
        digest = sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()
        rows.append(
            BadRecord(
                stream=state,
                digest=digest,
                record_id=record.id[:255],
                raw=raw,
                at=record.at,
                code=code[:32],
                detail=detail[:300],
                first_at=now,
            )
        )
    BadRecord.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def remember(state: PullStream, ids: Sequence[str]) -> None:
    rows = [KnownRecord(stream=state, record_id=one[:255]) for one in dict.fromkeys(ids)]
    KnownRecord.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    # what vanished and is there again has not vanished any more
    KnownRecord.objects.filter(stream=state, record_id__in=ids, vanished_at__isnull=False).update(vanished_at=None)


def plain_json(raw: Any) -> Any:
    """A record as JSON can hold it: no NUL, which PostgreSQL refuses, and decimals as texts."""
    text = orjson.dumps(raw, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return orjson.loads(text.replace("\\u0000", "�"))


def _later(one: str, other: str, numeric: bool) -> str:
    if numeric:
        return str(max(int(one or 0), int(other or 0)))
    return max(one, other)


def begin(state: PullStream, stream: Stream, pull: Pull, *, wide: bool, now: datetime) -> tuple[Position, bool]:
    """Where a run begins or goes on, and whether it is one over the wider span."""
    if state.reread_from is not None:
        return Position(state.reread_from if stream.order.time else None), True
    if state.place is not None:
        at = state.place["at"]
        place = Position(datetime.fromisoformat(at) if at else None, state.place["id"], state.place["same"])
        return place, bool(state.place.get("wide"))
    if not stream.order.time:
        return Position(None, "" if wide and stream.whole else _ids_before(state.high_id, stream)), wide
    if state.high_at is None:
        return Position(pull.history_from or pull.activated_at - timedelta(seconds=stream.overlap_seconds)), True
    back = timedelta(hours=stream.wide_hours) if wide else timedelta(seconds=stream.overlap_seconds)
    return Position(min(state.high_at, now) - max(back, timedelta(seconds=stream.overlap_seconds))), wide


IDS_AGAIN = 1000


def _ids_before(id_: str, stream: Stream) -> str:
    """A stream without times is read again from some numbers before the last: they too are committed late."""
    return str(max(0, int(id_) - IDS_AGAIN)) if stream.order.numeric and id_ else id_
