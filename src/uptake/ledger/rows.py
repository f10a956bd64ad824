"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite, with ids known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import orjson
from django.db import connection, models

T = TypeVar("T")


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """`count` ids for new rows of `model`, rising. On SQLite the caller must be inside its write transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return sorted(row[0] for row in cursor.fetchall())
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")  # noqa: S608 - the name of our own table
        highest: int = cursor.fetchone()[0]
    return list(range(highest + 1, highest + 1 + count))


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert plain rows; `columns` are database columns, values are plain Python (dictionaries become JSON)."""
    if not rows:
        return
    table = model._meta.db_table
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The value in the JSON column is the only dictionary; everything else psycopg writes by itself.
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row([orjson.dumps(v).decode() if type(v) is dict else v for v in row])
            return
        marks = ", ".join(["%s"] * len(columns))
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - the name of our own table
            [[_for_sqlite(value) if type(value) in _SQLITE else value for value in row] for row in rows],
        )


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[int]]) -> None:
    """Set whole-number `columns` of rows given as (id, value, value, …), in one statement on PostgreSQL."""
    if not rows:
        return
    table = model._meta.db_table
    ordered = sorted(rows, key=lambda row: row[0])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            changes = ", ".join(f"{name} = new.{name}" for name in columns)
            arrays = ", ".join(["%s::bigint[]"] * (len(columns) + 1))
            cursor.execute(
                f"UPDATE {table} SET {changes} FROM unnest({arrays}) AS new (id, {', '.join(columns)})"  # noqa: S608
                f" WHERE {table}.id = new.id",
                ["{" + ",".join(map(str, column)) + "}" for column in zip(*ordered, strict=True)],
            )
            return
        changes = ", ".join(f"{name} = %s" for name in columns)
        cursor.executemany(
            f"UPDATE {table} SET {changes} WHERE id = %s",  # noqa: S608 - the name of our own table
            [[*row[1:], row[0]] for row in ordered],
        )


def rows_of_pairs(
    table: str,
    columns: str,
    second: str,
    pairs: Collection[tuple[int, str]],
    *,
    also: str = "",
    values: Sequence[Any] = (),
    by_pair: bool = True,
) -> list[tuple[Any, ...]]:
    """The rows `t` of a table whose (book, `second`) is one of `pairs`, in one query for each 5,000 of them.

    `columns` are written as `t.id, …`; `also` is what else must hold, and may end in an order. Only for columns that
    both databases give back as plain numbers or text. `by_pair` False: `also` finds fewer rows than the pairs would,
    and SQLite, which cannot know, is told so by the pluses.
    """
    found: list[tuple[Any, ...]] = []
    plus = "" if by_pair or connection.vendor == "postgresql" else "+"
    for piece in in_pieces(sorted(pairs), 5000):
        if connection.vendor == "postgresql":
            # One JSON text is written many times faster than two arrays.
            wanted = "(SELECT (e->>0)::bigint AS book, e->>1 AS name FROM json_array_elements(%s::json) e) w"
            given: list[Any] = [orjson.dumps(piece).decode()]
        else:
            marks = ", ".join(["(%s, %s)"] * len(piece))
            wanted = f"(SELECT column1 AS book, column2 AS name FROM (VALUES {marks})) w"  # noqa: S608
            given = [value for pair in piece for value in pair]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {columns} FROM {wanted} JOIN {table} t"  # noqa: S608 - our own names
                f" ON {plus}t.book = w.book AND {plus}t.{second} = w.name {also}",
                [*given, *values],
            )
            found += cursor.fetchall()
    return found


def in_pieces(items: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """The items in runs short enough for one IN list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _for_sqlite(value: Any) -> Any:
    return _SQLITE[type(value)](value)


def _instant(value: datetime) -> str:
    # As Django writes it, which takes several times as long to find out the zone of the connection: UTC.
    return str(value.astimezone(UTC).replace(tzinfo=None))


_SQLITE: dict[type, Callable[[Any], Any]] = {
    datetime: _instant,
    date: date.isoformat,
    dict: lambda value: orjson.dumps(value).decode(),
}
