"""Any question in SQL over the files of one snapshot, by DuckDB, which can only read them.

`events` has the texts behind the codes; declared properties are columns of their own name, the others stand as JSON in
`rest`. Nothing but the files of the snapshot can be reached, and no setting can be changed. Files in a folder DuckDB
reads itself; those on object storage it is handed by pyarrow, a column at a time, as reaching them by itself would take
an extension that is not in its wheel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from uptake.activity.columns import CODED, REST, column_types, property_column
from uptake.activity.storage import Folder, ObjectStorage
from uptake.activity.store import Delta, Manifest, Store

MEMORY = "1GB"
TRIES = 5


class SqlRefused(ValueError):
    """DuckDB does not understand the statement, or it is none that reads."""


def run(store: Store, statement: str, *, limit: int | None = None) -> pa.Table:
    """The rows of one SELECT over the snapshot in force (at most `limit`). SqlRefused says what is wrong with it.

    Tables: `events` (event_id, person, happened_at UTC, business_day, company, department, event, source, object, a
    column per declared property, rest). Codes of people are numbers of people; negative: identities not yet resolved.
    """
    for attempt in range(TRIES):
        manifest = store.manifest()
        try:
            with opened(store, manifest) as connection:
                return _asked(connection, statement, limit)
        except (duckdb.IOException, FileNotFoundError) as error:  # swept away meanwhile: a newer snapshot is in force
            if attempt == TRIES - 1:
                raise SqlRefused(str(error).strip()) from error
        except SqlRefused:  # so is what pyarrow could not read, in DuckDB's words
            store.storage.refreshed()
            if isinstance(store.storage, Folder) or store.newest() == manifest.number or attempt == TRIES - 1:
                raise
    raise AssertionError("a loop that returns or raises")


def _asked(connection: duckdb.DuckDBPyConnection, statement: str, limit: int | None) -> pa.Table:
    try:
        statements = duckdb.extract_statements(statement)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise SqlRefused("one SELECT statement is expected")
        relation = connection.sql(statement)
        if relation is None:
            raise SqlRefused("one SELECT statement is expected")
        found: pa.Table = (relation if limit is None else relation.limit(limit)).to_arrow_table()
        return found
    except duckdb.IOException:
        raise
    except duckdb.Error as error:
        raise SqlRefused(str(error).strip()) from error


@contextmanager
def opened(store: Store, manifest: Manifest) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that knows the snapshot as `events`, and can reach nothing else."""
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET TimeZone='UTC'")
        connection.execute(f"SET memory_limit='{MEMORY}'")
        coded = [*CODED, *(property_column(one.name) for one in manifest.properties.values() if one.kind == "text")]
        for column in coded:
            texts = store.texts(manifest, column)
            codes = pa.array(range(len(texts)), pa.int32())
            connection.register(f"{column} texts", pa.table({"code": codes, "text": texts.cast(pa.large_string())}))
        files = store.storage
        rows = _rows(files.path, manifest) if isinstance(files, Folder) else _handed(connection, store, manifest)
        connection.execute(f"CREATE VIEW raw AS {rows or _no_rows()}")
        connection.execute(f"CREATE VIEW events AS {_events(manifest)}")
        if isinstance(files, Folder):
            connection.execute(f"SET allowed_directories=[{_text(str(files.path.resolve()))}]")
        connection.execute("SET enable_external_access=false")
        connection.execute("SET lock_configuration=true")
        yield connection
    finally:
        connection.close()


def _rows(folder: Path, manifest: Manifest) -> str:
    """Every row of the snapshot as stored: the base files, and of each delta what no base holds yet."""
    parts = []
    bases = [base.file for base in manifest.bases.values() if base.rows]
    if bases:
        parts.append(_read(folder, bases))
    for delta in manifest.deltas:
        ranges = _pending(manifest, delta)
        if ranges == [(0, delta.rows)]:
            parts.append(_read(folder, [delta.file]))
        elif ranges:
            inside = " OR ".join(f"file_row_number BETWEEN {start} AND {end - 1}" for start, end in ranges)
            rows = _read(folder, [delta.file], numbered=True)
            parts.append(f"SELECT * EXCLUDE (file_row_number) FROM ({rows}) WHERE {inside}")  # noqa: S608  # all ours
    return " UNION ALL BY NAME ".join(parts)


def _handed(connection: duckdb.DuckDBPyConnection, store: Store, manifest: Manifest) -> str:
    """As `_rows`, of files that pyarrow reads: whole ones as DuckDB asks for columns, pieces of deltas at once."""
    files = store.storage
    assert isinstance(files, ObjectStorage)
    types = column_types(dict(manifest.properties))
    disk = {name: kind for name, (_, kind) in types.items()}
    disk |= {"happened_at": pa.timestamp("us", tz="UTC"), "business_day": pa.date32(), REST: pa.large_string()}
    schema = pa.schema(list(disk.items()))
    whole = [base.file for base in manifest.bases.values() if base.rows]
    pieces: list[pa.Table] = []
    for delta in manifest.deltas:
        ranges = _pending(manifest, delta)
        if ranges == [(0, delta.rows)]:
            whole.append(delta.file)
        elif ranges:
            with files.parquet(delta.file) as file:
                read = file.read()
            pieces += [read.slice(start, end - start) for start, end in ranges]
    given: dict[str, object] = {}
    if whole:
        keys = [f"{files.bucket}/{files.key(path)}" for path in whole]
        given["whole files"] = ds.dataset(keys, schema=schema, filesystem=files.files, format="parquet")
    if pieces:
        given["pieces of files"] = pa.concat_tables(pieces, promote_options="default")
    for name, rows in given.items():
        connection.register(name, rows)
    return " UNION ALL BY NAME ".join(f"SELECT * FROM {_name(name)}" for name in given)  # noqa: S608  # ours


def _no_rows() -> str:
    columns = {"event_id": "BIGINT", "person": "INTEGER", "happened_at": "TIMESTAMPTZ", "business_day": "DATE",
               "company": "INTEGER", "department": "INTEGER", "event": "SMALLINT", "source": "SMALLINT",
               "object": "INTEGER", REST: "VARCHAR"}  # fmt: skip
    empty = ", ".join(f"NULL::{kind} AS {_name(name)}" for name, kind in columns.items())
    return f"SELECT {empty} WHERE false"


def _pending(manifest: Manifest, delta: Delta) -> list[tuple[int, int]]:
    """The rows of a delta that are not in a base file yet, as ranges [start, end), joined where they touch."""
    ranges: list[tuple[int, int]] = []
    for bucket, (start, count) in sorted(delta.places.items(), key=lambda place: place[1]):
        if delta.number <= manifest.folded(bucket) or not count:
            continue
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], start + count)
        else:
            ranges.append((start, start + count))
    return ranges


def _read(folder: Path, files: list[str], *, numbered: bool = False) -> str:
    listed = ", ".join(_text(str((folder / file).resolve())) for file in files)
    more = ", file_row_number=true" if numbered else ""
    return f"SELECT * FROM read_parquet([{listed}], union_by_name=true{more})"  # noqa: S608  # quoted by _text


def _events(manifest: Manifest) -> str:
    """The rows with texts for codes. A property whose name is taken by a column stands under p:<name>."""
    columns = ["event_id", "person", "happened_at", "business_day", "company", "department"]
    taken = {*columns, *CODED, REST}
    picked = [f"raw.{name}" for name in columns]
    joined = []
    for column in CODED:
        picked.append(f"{_name('t ' + column)}.text AS {_name(column)}")
        joined.append(_joined(column))
    there = bool(manifest.rows)
    for one in manifest.properties.values():
        if not there:
            continue
        column = property_column(one.name)
        shown = _name(column if one.name.lower() in taken else one.name)
        if one.kind == "text":
            picked.append(f"{_name('t ' + column)}.text AS {shown}")
            joined.append(_joined(column))
        elif one.kind == "boolean":
            picked.append(f"CASE WHEN raw.{_name(column)} >= 0 THEN raw.{_name(column)} = 1 END AS {shown}")
        else:
            picked.append(f"CASE WHEN NOT isnan(raw.{_name(column)}) THEN raw.{_name(column)} END AS {shown}")
    picked.append(f"raw.{REST}")
    return f"SELECT {', '.join(picked)} FROM raw {' '.join(joined)}"  # noqa: S608  # quoted by _name


def _joined(column: str) -> str:
    name = _name("t " + column)
    return f"LEFT JOIN {_name(column + ' texts')} AS {name} ON {name}.code = raw.{_name(column)}"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
