"""Reads the table of a notebook as rows of a log: people by name, instants, local days, the rest as properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uptake.activity.columns import Array
from uptake.activity.incoming import Incoming
from uptake.activity.periods import buckets_between, day_number, local_date


def from_table(table: pa.Table, timezone: str) -> tuple[list[str], Incoming, dict[str, str]]:
    """Names of the people, the rows (people as numbers from 1 into the names), and the kind of each property."""
    for name in ("person", "event", "happened_at"):
        if name not in table.column_names:
            raise ValueError(f"the table has no column {name!r}")
    rows = len(table)
    people, persons = _people(table["person"])
    instants = _instants(table["happened_at"])

    def texts(name: str) -> list[str]:
        if name not in table.column_names:
            return [""] * rows
        return ["" if one is None else str(one) for one in table[name].to_pylist()]

    def numbers(name: str) -> list[int]:
        if name in plain and name in table.column_names:
            return [one or 0 for one in table[name].to_pylist()]
        return [0] * rows

    plain = {"person", "event", "happened_at", "source", "object"}
    # companies that have names and not numbers are a property like any other
    plain |= {
        name
        for name in ("company", "department")
        if name in table.column_names and pa.types.is_integer(table.schema.field(name).type)
    }
    own = [name for name in table.column_names if name not in plain]
    kinds = {name: kind for name in own if (kind := _kind(table.schema.field(name).type)) is not None}
    incoming = Incoming(
        event_id=list(range(rows)),
        person=persons.tolist(),
        happened_at=instants.tolist(),
        business_day=_local_days(instants, timezone).tolist(),
        company=numbers("company"),
        department=numbers("department"),
        event=texts("event"),
        source=texts("source"),
        object=texts("object"),
        properties=list(_properties(table, own)) if own else [{}] * rows,
    )
    return people, incoming, kinds


def _people(column: pa.ChunkedArray[Any]) -> tuple[list[str], Array]:
    """Names, and for every row the person's number from 1; 0 for nobody."""
    names = column.cast(pa.large_string())
    people = sorted(one for one in pc.unique(names).to_pylist() if one is not None)
    found: Any = pc.index_in(names, value_set=pa.array(people, pa.large_string()))
    return people, np.nan_to_num(found.to_numpy().astype(np.float64), nan=-1).astype(np.int64) + 1


def _instants(column: pa.ChunkedArray[Any]) -> Array:
    kind = column.type
    if not pa.types.is_timestamp(kind):
        raise ValueError("the column 'happened_at' holds no timestamps")
    instants: Array = column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.int64()).to_numpy()
    return instants


def _local_days(instants: Array, zone: str) -> Array:
    if not len(instants):
        return instants
    first, last = local_date(int(instants.min()), zone), local_date(int(instants.max()), zone)
    edges = buckets_between(first, last, "day", zone).edges
    days: Array = np.searchsorted(edges, instants, side="right") - 1 + day_number(first)
    return days


def _properties(table: pa.Table, own: list[str]) -> Iterator[Mapping[str, Any]]:
    """One mapping per row, without what is not there."""
    lists = {name: table[name].to_pylist() for name in own}
    for index in range(len(table)):
        row: dict[str, Any] = {}
        for name, values in lists.items():
            value = values[index]
            if value is not None:
                row[name] = value.isoformat() if isinstance(value, date) else value
        yield row


def _kind(arrow: pa.DataType) -> str | None:
    if isinstance(arrow, pa.DictionaryType):
        return _kind(arrow.value_type)
    if pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_temporal(arrow):
        return "text"
    if pa.types.is_integer(arrow) or pa.types.is_floating(arrow):
        return "number"
    return "boolean" if pa.types.is_boolean(arrow) else None
