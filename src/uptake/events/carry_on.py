"""Lets the numbers of transactions go on where they ended, after a dump was restored into another PostgreSQL server.

Rows keep the number of their transaction and readers a number up to which they have read. Another server counts its
own transactions, perhaps from less: new rows would then lie before the bookmarks and never be read, and old ones above
its counter would not be read until it gets there. So what the servers before have counted is added to every id. No row
and no bookmark changes.
"""

from __future__ import annotations

from django.db import connection, transaction

TABLES = ("events_event", "events_correction")
LAST = " UNION ALL ".join(f"(SELECT txid FROM {table} ORDER BY txid DESC LIMIT 1)" for table in TABLES)  # noqa: S608
# No row can have a number that its server has not given out yet: it is from another one.
FROM_ELSEWHERE = f"""
SELECT last.txid - pg_snapshot_xmin(pg_current_snapshot())::text::bigint + 1
FROM (SELECT max(txid) AS txid FROM ({LAST}) each) last
WHERE last.txid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + events_transactions_before()
"""  # noqa: S608 - our own names


def carry_on() -> bool:
    """Numbers from now on follow those there are, if they would not; whether something had to be done. Safe to repeat.

    Asked before anything is written after a restore, which is whenever a process begins.
    """
    if connection.vendor == "sqlite" or _counted_before() is None:
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(TABLES)} IN SHARE ROW EXCLUSIVE MODE")
        before = _counted_before()
        if before is not None:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION events_transactions_before() RETURNS bigint LANGUAGE sql STABLE "
                f"AS 'SELECT {before:d}::bigint'"
            )
    return before is not None


def _counted_before() -> int | None:
    """What has to be added to this server's ids from now on; None if they may stay as they are."""
    with connection.cursor() as cursor:
        cursor.execute(FROM_ELSEWHERE)
        row = cursor.fetchone()
    return None if row is None else int(row[0])
