"""The columns of the activity engine: their names, types and order, and the bucket a person falls into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[Any]

NOBODY = 0
"""The person code of what the system did. People are positive; an unresolved identity is its number, negative."""

CORE: dict[str, tuple[Any, pa.DataType]] = {
    "event_id": (np.int64, pa.int64()),
    "person": (np.int32, pa.int32()),
    "happened_at": (np.int64, pa.int64()),
    "business_day": (np.int32, pa.int32()),
    "company": (np.int32, pa.int32()),
    "department": (np.int32, pa.int32()),
    "event": (np.int16, pa.int16()),
    "source": (np.int16, pa.int16()),
    "object": (np.int32, pa.int32()),
}
"""Name → type in memory, type on disk. happened_at: microseconds since 1970 UTC; business_day: days since 1970;
company and department: numbers of organizations, 0 = none; event, source, object: codes of a dictionary."""

CODED = ("event", "source", "object")
"""Core columns that hold the code of a text; the texts stand in the log's dictionaries, code 0 first."""

REST = "rest"
"""The properties without a column of their own, as one JSON object in text; empty when there are none."""

PROPERTY_TYPES: dict[str, tuple[Any, pa.DataType, Any]] = {
    "text": (np.int32, pa.int32(), -1),
    "number": (np.float64, pa.float64(), np.nan),
    "boolean": (np.int8, pa.int8(), -1),
}
"""Kind → type in memory, type on disk, what stands for "not there"."""


def property_column(name: str) -> str:
    """The column of a declared property."""
    return f"p:{name}"


@dataclass(frozen=True)
class Property:
    """A declared property: its column's kind, and whether some of its values stand in `rest` instead."""

    name: str
    kind: str
    """text, number or boolean."""
    spilled: bool = False
    """True: some values did not fit the kind (or came before it was declared), so `rest` has to be looked at too."""


def column_types(properties: dict[str, Property]) -> dict[str, tuple[Any, pa.DataType]]:
    """Every column but `rest`: name → type in memory, type on disk."""
    own = {property_column(name): PROPERTY_TYPES[one.kind][:2] for name, one in properties.items()}
    return CORE | own


def missing_value(column: str, properties: dict[str, Property]) -> Any:
    """What stands in a column for rows written before it existed."""
    for name, one in properties.items():
        if property_column(name) == column:
            return PROPERTY_TYPES[one.kind][2]
    return 0


def bucket_of(persons: Array, buckets: int) -> Array:
    """The bucket of each person code: a hash, so that neighbours in number are spread."""
    mixed = persons.astype(np.int64).astype(np.uint32).astype(np.uint64) * np.uint64(2654435761)
    return ((mixed >> np.uint64(12)) % np.uint64(buckets)).astype(np.int64)


def order_of(person: Array, happened_at: Array, event_id: Array) -> Array:
    """The row numbers in the order of the log: person, instant, event."""
    return np.lexsort((event_id, happened_at, person))
