"""Rows as PostgreSQL's COPY takes them: new ones in half the time of a statement that looks at each for conflicts."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection as database

_MARKS = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = "\\\t\n\r"


def copy_rows(table: str, columns: str, texts: Sequence[Sequence[str]]) -> None:
    """Adds rows given column by column, as `plain` or `numbers` write them; IntegrityError where one is held."""
    lines = "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"
    with (
        database.cursor() as cursor,
        database.wrap_database_errors,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        copy.write(lines)


def plain(values: Sequence[str]) -> Sequence[str]:
    """Texts of any kind."""
    whole = "".join(values)
    if not any(mark in whole for mark in _ESCAPED):
        return values
    return [value.translate(_MARKS) for value in values]


def numbers(values: Sequence[int | None]) -> Sequence[str]:
    """Whole numbers, or nothing."""
    return ["\\N" if value is None else str(value) for value in values]


def deal_ids(table: str, count: int) -> list[int]:
    """`count` ids for new rows, rising."""
    with database.cursor() as cursor:
        # The name of the sequence is looked up once, not for every id.
        cursor.execute(
            "SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) s, "
            "generate_series(1, %s)",
            [table, count],
        )
        return sorted(row[0] for row in cursor.fetchall())
