"""Many rows at once: COPY on PostgreSQL, statements of many rows on SQLite, with ids known beforehand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import chain, repeat
from typing import Any, Final, TypeVar

import orjson
from django.db import connection, models

from uptake.ledger.chain import iso_texts

T = TypeVar("T")


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """`count` ids for new rows of `model`, rising. On SQLite the caller must be inside its write transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The sequence is looked up once, not for every id.
            cursor.execute(
                "SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS name OFFSET 0) s,"
                " generate_series(1, %s)",
                [table, count],
            )
            return sorted(row[0] for row in cursor.fetchall())
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")  # noqa: S608 - the name of our own table
        highest: int = cursor.fetchone()[0]
    return list(range(highest + 1, highest + 1 + count))


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert plain rows; `columns` are database columns, values are plain Python (what goes into a JSON column may be
    its text already). Columns are written one by one: each has one type, and many of its values are the same."""
    if not rows:
        return
    table = model._meta.db_table
    names = ", ".join(columns)
    kinds = _kinds(model)
    given = list(zip(*rows, strict=True))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            texts = [_copied(kinds[name], column) for name, column in zip(columns, given, strict=True)]
            lines = "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"
            statement = f"COPY {table} ({names}) FROM STDIN"
            behind = _BEHIND.get()
            if behind is not None and behind.takes(len(rows)):
                behind.submit(_copy, statement, lines)
            else:
                with connection.wrap_database_errors, cursor.copy(statement) as copy:
                    copy.write(lines)
            return
    begin = f"INSERT INTO {table} ({names}) VALUES"
    bound = list(zip(*(_bound(kinds[name], column) for name, column in zip(columns, given, strict=True)), strict=True))
    behind = _BEHIND.get()
    if behind is not None and behind.takes(len(rows)):
        behind.submit(_insert, begin, bound)
    else:
        with connection.wrap_database_errors:
            _insert(connection.connection, begin, bound)


@contextmanager
def writing_behind() -> Iterator[None]:
    """Inside, new rows are only handed over: the database takes them while we go on, as PostgreSQL does changed ones.

    Any other statement waits until all of it is done, and so does the end of the block; what went wrong is raised
    then. Inside one transaction only, which stands or falls as a whole. Inside another such block nothing changes.
    """
    if _BEHIND.get() is not None:
        yield
        return
    assert connection.in_atomic_block, "Rows are written behind inside a transaction"
    with ThreadPoolExecutor(1, "rows") as thread:
        behind = _Behind(thread)
        token = _BEHIND.set(behind)
        # The thread only passes bytes on: the database must not wait until we happen to pause.
        sys.setswitchinterval(_OFTEN)
        try:
            with connection.execute_wrapper(behind.first):
                yield
            behind.wait()
        finally:
            sys.setswitchinterval(_USUALLY)
            _BEHIND.reset(token)


def are_written_behind() -> bool:
    """Whether we are inside `writing_behind`, where a savepoint would wait for the rows.

    On SQLite it costs as much again as the rows do: what every page was before is kept until it is released.
    """
    return _BEHIND.get() is not None


class _Behind:
    """Statements on their way to the database. While there are any, the connection belongs to the thread."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._waiting: list[Future[None]] = []

    def takes(self, rows: int) -> bool:
        """Whether so many rows are handed over: few are written at once, unless others are before them."""
        return rows >= _FEW or bool(self._waiting)

    def submit(self, do: Callable[[Any, str, Any], None], statement: str, given: Any) -> None:
        self._waiting.append(self._thread.submit(do, connection.connection, statement, given))

    def wait(self) -> None:
        waiting, self._waiting = self._waiting, []
        with connection.wrap_database_errors:
            for one in waiting:
                one.result()

    def first(self, execute: Callable[..., Any], *given: Any) -> Any:
        """A wrapper of every other statement: what was handed over before it is done before it."""
        self.wait()
        return execute(*given)


def _copy(connected: Any, statement: str, lines: str) -> None:
    with connected.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(lines)


def _insert(connected: Any, begin: str, rows: Sequence[Sequence[Any]]) -> None:
    """On SQLite: many rows in a statement cost a third less, and other threads go on while it is carried out."""
    columns = len(rows[0])
    most = _MOST_VALUES // columns
    whole = len(rows) - len(rows) % most
    for some in in_pieces(rows[:whole], most):
        connected.execute(_inserting(begin, columns, most), list(chain.from_iterable(some)))
    for some in in_pieces(rows[whole:], _FEW):
        connected.execute(_inserting(begin, columns, len(some)), list(chain.from_iterable(some)))


@lru_cache(maxsize=128)
def _inserting(begin: str, columns: int, rows: int) -> str:
    marks = f"({', '.join('?' * columns)})"
    return f"{begin} {', '.join([marks] * rows)}"


def _execute(connected: Any, statement: str, values: Sequence[Any]) -> None:
    with connected.cursor() as cursor:
        cursor.execute(statement, values)


def _execute_many(connected: Any, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    with connected.cursor() as cursor:
        cursor.executemany(statement, rows)


_FEW: Final = 100
_MOST_VALUES: Final = 16_000
"""Values of one statement on SQLite, which takes twice as many."""
_OFTEN: Final = 0.0002
_USUALLY: Final = sys.getswitchinterval()
"""Seconds after which a thread of Python lets another one go on."""
_BEHIND: Final[ContextVar[_Behind | None]] = ContextVar("_BEHIND", default=None)


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
            statement = (
                f"UPDATE {table} SET {changes} FROM unnest({arrays}) AS new (id, {', '.join(columns)})"  # noqa: S608
                f" WHERE {table}.id = new.id"
            )
            values = ["{" + ",".join(map(str, column)) + "}" for column in zip(*ordered, strict=True)]
            behind = _BEHIND.get()
            if behind is not None and behind.takes(len(rows)):
                behind.submit(_execute, statement, values)
            else:
                cursor.execute(statement, values)
            return
        changes = ", ".join(f"{name} = %s" for name in columns)
        cursor.executemany(
            f"UPDATE {table} SET {changes} WHERE id = %s",  # noqa: S608 - the name of our own table
            [[*row[1:], row[0]] for row in ordered],
        )


def replace_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set all columns but the first of a few rows known by the first, in one statement each."""
    if not rows:
        return
    table, (key, *others) = model._meta.db_table, columns
    kinds = _kinds(model)
    changes = ", ".join(f"{name} = %s" for name in others)
    given = list(zip(*rows, strict=True))
    if connection.vendor == "sqlite":
        given = [tuple(_bound(kinds[name], column)) for name, column in zip(columns, given, strict=True)]
    statement = f"UPDATE {table} SET {changes} WHERE {key} = %s"  # noqa: S608 - our own names
    behind = _BEHIND.get()
    if connection.vendor == "postgresql" and behind is not None and behind.takes(len(rows)):
        behind.submit(_execute_many, statement, [(*row[1:], row[0]) for row in zip(*given, strict=True)])
        return
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(*row[1:], row[0]) for row in zip(*given, strict=True)])


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
        # One JSON text is written many times faster than two arrays, and read faster than as many parameters.
        if connection.vendor == "postgresql":
            wanted = "(SELECT (e->>0)::bigint AS book, e->>1 AS name FROM json_array_elements(%s::json) e) w"
        else:
            fields = "json_extract(e.value, '$[0]') AS book, json_extract(e.value, '$[1]') AS name"
            wanted = f"(SELECT {fields} FROM json_each(%s) e) w"  # noqa: S608 - our own words
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {columns} FROM {wanted} JOIN {table} t"  # noqa: S608 - our own names
                f" ON {plus}t.book = w.book AND {plus}t.{second} = w.name {also}",
                [orjson.dumps(piece).decode(), *values],
            )
            found += cursor.fetchall()
    return found


def in_pieces(items: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """The items in runs short enough for one IN list."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@cache
def _kinds(model: type[models.Model]) -> dict[str, type]:
    """What each database column of the model holds: int, str, datetime, date or dict (JSON)."""
    return {str(one.column): _kind(one) for one in model._meta.concrete_fields}


def _kind(one: Any) -> type:
    if isinstance(one, models.ForeignKey):
        return _kind(one.target_field)
    for kind, held in _HELD:
        if isinstance(one, kind):
            return held
    raise TypeError(f"{one} is of a kind that is not written by rows")


_HELD: Final[tuple[tuple[type, type], ...]] = (
    (models.DateTimeField, datetime),
    (models.DateField, date),
    (models.JSONField, dict),
    (models.IntegerField, int),
    (models.CharField, str),
    (models.TextField, str),
)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NONE: Final = "\\N"


def _copied(kind: type, column: Sequence[Any]) -> Sequence[str]:
    """The values as PostgreSQL's COPY reads them."""
    if kind is dict:
        return _escaped(_as_json(column))
    if len(column) > 1 and column.count(column[0]) == len(column):
        return list(repeat(_copied(kind, column[:1])[0], len(column)))
    if None in column:
        present = iter(_copied(kind, [value for value in column if value is not None]))
        return [_NONE if value is None else next(present) for value in column]
    if kind is int:
        return orjson.dumps(column)[1:-1].decode().split(",")
    if kind is datetime:
        return iso_texts(column)
    return _escaped(column) if kind is str else _dates(column)


def _escaped(texts: Sequence[str]) -> Sequence[str]:
    whole = "".join(texts)
    if not any(mark in whole for mark in "\\\t\n\r"):
        return texts
    return [text.translate(_ESCAPES) for text in texts]


def _bound(kind: type, column: Sequence[Any]) -> Sequence[Any]:
    """The values as SQLite keeps them: instants as Django writes them, in UTC and without saying so."""
    if kind is dict:
        return _as_json(column)
    if kind not in (date, datetime):
        return column
    if None in column:
        present = iter(_bound(kind, [value for value in column if value is not None]))
        return [None if value is None else next(present) for value in column]
    if kind is date:
        return _dates(column)
    return [f"{text[:10]} {text[11:-6]}" for text in iso_texts(column)]


def _dates(column: Sequence[date]) -> list[str]:
    known: dict[date, str] = {}
    return [known.get(value) or known.setdefault(value, value.isoformat()) for value in column]


def _as_json(column: Sequence[Any]) -> Sequence[str]:
    return [value if type(value) is str else orjson.dumps(value).decode() for value in column]
