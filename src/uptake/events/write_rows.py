"""Writes the rows of new events: many to a statement, or on PostgreSQL by COPY where all of them are new."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

from django.db import connection as database

from uptake.events.arrays import array_of_numbers, array_of_texts
from uptake.events.arriving import Item
from uptake.events.copying import copy_rows, deal_ids, numbers, plain
from uptake.events.dates import tzdb_version
from uptake.events.models import Batch

ROWS_AT_ONCE = (2000, 250)
"""Rows of one statement on SQLite, which takes at most 32,766 values."""
COLUMNS = (
    "source, key, revision, fingerprint, name, identity_id, company_id, happened_at, received_at, business_date, tzdb, "
    "object, facts, history_only, batch_id"
)

COPIED = (
    "key, revision, fingerprint, name, identity_id, company_id, happened_at, business_date, object, facts, history_only"
)


def insert_rows(fresh: list[Item], source: str, now: datetime, batch: Batch | None) -> None:
    """Writes the rows and gives each item's `row` its id; on PostgreSQL a key lost to another sender keeps 0."""
    fresh.sort(key=lambda item: (item.happening.key, item.revision))
    batch_id = batch.pk if batch else None
    if database.vendor == "sqlite":
        _insert_sqlite(fresh, source, now, batch_id)
    else:
        _insert_postgresql(fresh, source, now, batch_id)


def _insert_sqlite(fresh: list[Item], source: str, now: datetime, batch_id: int | None) -> None:
    # The transaction holds the only writer's lock, so no key can be lost and ids can be dealt out here.
    received, tzdb = _sqlite_time(now.astimezone(UTC).isoformat(timespec="microseconds")), tzdb_version()
    with database.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM events_event")
        last = cursor.fetchone()[0]
        rows = []
        for number, item in enumerate(fresh, last + 1):
            assert item.row is not None, "planned items have a row"
            item.row.id = number
            happening = item.happening
            rows.append(
                (
                    number,
                    source,
                    happening.key,
                    item.revision,
                    item.fingerprint,
                    happening.event,
                    item.identity,
                    item.place,
                    _sqlite_time(item.instant),
                    received,
                    item.date,
                    tzdb,
                    happening.object or "",
                    item.facts,
                    bool(happening.history_only),
                    batch_id,
                )
            )
        start = 0
        for size in ROWS_AT_ONCE:
            while len(rows) - start >= size:
                values = list(chain.from_iterable(rows[start : start + size]))
                with database.wrap_database_errors:
                    database.connection.execute(_insert_of(size), values)
                start += size
        cursor.executemany(_insert_of(1).replace("?", "%s"), rows[start:])


@lru_cache(maxsize=8)
def _insert_of(rows: int) -> str:
    """One statement for so many rows; it costs a third less, and lets other threads run while it is carried out."""
    marks = f"({', '.join('?' * 16)})"
    return f"INSERT INTO events_event (id, {COLUMNS}) VALUES {', '.join([marks] * rows)}"  # noqa: S608


def _sqlite_time(instant: str) -> str:
    """A UTC instant in ISO 8601 with microseconds as Django writes it on SQLite, which leaves six zeros out."""
    return f"{instant[:10]} {instant[11:19] if instant[19:26] == '.000000' else instant[11:26]}"


INSERT_POSTGRESQL = f"""
INSERT INTO events_event ({COLUMNS})
SELECT %s, t.key, t.revision, t.fingerprint, t.name, t.identity_id, t.company_id, t.happened_at, %s, t.business_date,
       %s, t.object, t.facts, t.history_only, %s
FROM unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::date[],
            %s::text[], %s::jsonb[], %s::boolean[])
     AS t(key, revision, fingerprint, name, identity_id, company_id, happened_at, business_date, object, facts,
          history_only)
ON CONFLICT (source, key, revision) DO NOTHING
RETURNING key, revision, id
"""  # noqa: S608


def _insert_postgresql(fresh: list[Item], source: str, now: datetime, batch_id: int | None) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            INSERT_POSTGRESQL,
            [
                source,
                now,
                tzdb_version(),
                batch_id,
                array_of_texts([item.happening.key for item in fresh]),
                array_of_numbers([item.revision for item in fresh]),
                array_of_numbers([item.fingerprint for item in fresh]),
                array_of_texts([item.happening.event for item in fresh]),
                array_of_numbers([item.identity for item in fresh]),
                array_of_numbers([item.place for item in fresh]),
                array_of_texts([item.instant for item in fresh]),
                array_of_numbers([item.date for item in fresh]),
                array_of_texts([item.happening.object or "" for item in fresh]),
                array_of_texts([item.facts for item in fresh]),
                array_of_numbers(["t" if item.happening.history_only else "f" for item in fresh]),
            ],
        )
        written = {(key, revision): event_id for key, revision, event_id in cursor.fetchall()}
    for item in fresh:
        assert item.row is not None, "planned items have a row"
        item.row.id = written.get((item.happening.key, item.revision), 0)


def copy_rows_whole(fresh: list[Item], source: str, now: datetime, batch: Batch | None) -> None:
    """Writes the rows by COPY, all or none (IntegrityError), and gives each item's `row` its id."""
    fresh.sort(key=lambda item: (item.happening.key, item.revision))
    ids = deal_ids("events_event", len(fresh))
    for item, number in zip(fresh, ids, strict=True):
        assert item.row is not None, "planned items have a row"
        item.row.id = number
    same = [*plain([source]), now.isoformat(), tzdb_version(), *numbers([batch.pk if batch else None])]
    copy_rows(
        "events_event",
        f"source, received_at, tzdb, batch_id, id, {COPIED}",
        [
            *([one] * len(fresh) for one in same),
            numbers(ids),
            plain([item.happening.key for item in fresh]),
            numbers([item.revision for item in fresh]),
            [item.fingerprint for item in fresh],
            plain([item.happening.event for item in fresh]),
            numbers([item.identity for item in fresh]),
            numbers([item.place for item in fresh]),
            [item.instant for item in fresh],
            [item.date for item in fresh],
            plain([item.happening.object or "" for item in fresh]),
            plain([item.facts for item in fresh]),
            ["t" if item.happening.history_only else "f" for item in fresh],
        ],
    )
