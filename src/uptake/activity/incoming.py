"""Rows on their way into the columns: texts become codes, properties find their column or stay in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from uptake.activity.columns import CODED, CORE, PROPERTY_TYPES, Array, Property, order_of, property_column

MOST_CODES = {"event": 32_767, "source": 32_767}
"""What fits in the columns' int16; names beyond share the last code."""
OVERFLOW = "(further names)"


@dataclass
class Incoming:
    """Rows as the sender has them, one list per column; texts are texts."""

    event_id: list[int] = field(default_factory=list)
    person: list[int] = field(default_factory=list)
    happened_at: list[int] = field(default_factory=list)
    business_day: list[int] = field(default_factory=list)
    company: list[int] = field(default_factory=list)
    department: list[int] = field(default_factory=list)
    event: list[str] = field(default_factory=list)
    source: list[str] = field(default_factory=list)
    object: list[str] = field(default_factory=list)
    properties: list[Mapping[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.event_id)


@dataclass(frozen=True)
class Rows:
    """Sorted rows in columns. `rest` is a pyarrow array of JSON texts."""

    columns: dict[str, Array]
    rest: pa.Array[Any]

    def __len__(self) -> int:
        return len(self.columns["event_id"])

    def taken(self, order: Array) -> Rows:
        """These rows, in this order (row numbers)."""
        return Rows({name: column[order] for name, column in self.columns.items()}, self.rest.take(row_numbers(order)))

    def sorted(self) -> Rows:
        return self.taken(order_of(self.columns["person"], self.columns["happened_at"], self.columns["event_id"]))


class Dictionary:
    """Texts by code. Codes are given in the order of arrival and never change; the empty text is code 0."""

    def __init__(self, texts: pa.Array[Any] | None = None) -> None:
        self.texts = texts if texts is not None else pa.array([""], pa.large_string())

    def __len__(self) -> int:
        return len(self.texts)

    def codes(self, texts: Sequence[str], most: int | None = None) -> Array:
        """The codes of these texts; new texts get the next ones."""
        encoded = pa.array(texts, pa.large_string()).dictionary_encode()
        unique = encoded.dictionary
        known = pc.index_in(unique, value_set=self.texts)
        new = unique.filter(pc.is_null(known))
        if len(new):
            if most is not None and len(self.texts) + len(new) > most:
                room = max(most - len(self.texts) - 1, 0)
                extra = [] if len(self.texts) == most else [pa.array([OVERFLOW], pa.large_string())]
                self.texts = pa.concat_arrays([self.texts, new.slice(0, room), *extra])
            else:
                self.texts = pa.concat_arrays([self.texts, new])
            known = pc.index_in(unique, value_set=self.texts)
        numbers = np.nan_to_num(
            known.to_numpy(zero_copy_only=False).astype(np.float64), nan=len(self.texts) - 1
        ).astype(np.int64)
        if not len(numbers):
            return np.zeros(0, np.int64)
        taken: Array = numbers[encoded.indices.to_numpy(zero_copy_only=False)]
        return taken


def encode(
    incoming: Incoming, dictionaries: dict[str, Dictionary], properties: dict[str, Property]
) -> tuple[Rows, dict[str, Property]]:
    """The rows in sorted columns, and the properties (marked as spilled where a value did not fit its column).

    `dictionaries` grow; one per coded column and per text property (by the name of its column).
    """
    columns: dict[str, Array] = {}
    for name, (kind, _disk) in CORE.items():
        if name in CODED:
            codes = dictionaries.setdefault(name, Dictionary()).codes(getattr(incoming, name), MOST_CODES.get(name))
            columns[name] = codes.astype(kind)
        else:
            columns[name] = np.array(getattr(incoming, name), dtype=kind)
    values, rest, spilled = _split(incoming.properties, properties)
    for name, one in properties.items():
        kind, _disk, missing = PROPERTY_TYPES[one.kind]
        column = property_column(name)
        if one.kind == "text":
            present = [value for value in values[name] if value is not None]
            found = dictionaries.setdefault(column, Dictionary()).codes(present)
            filled = np.full(len(incoming), missing, dtype=kind)
            filled[[index for index, value in enumerate(values[name]) if value is not None]] = found
        else:
            filled = np.array([missing if value is None else value for value in values[name]], dtype=kind)
        columns[column] = filled
    marked = {name: replace(one, spilled=True) if name in spilled else one for name, one in properties.items()}
    return Rows(columns, pa.array(rest, pa.large_string())).sorted(), marked


def _split(
    rows: list[Mapping[str, Any]], properties: dict[str, Property]
) -> tuple[dict[str, list[Any]], list[str], set[str]]:
    """Values per declared property (None: not there), the rest as JSON texts, and the properties that spilled."""
    values: dict[str, list[Any]] = {name: [None] * len(rows) for name in properties}
    rest: list[str] = []
    spilled: set[str] = set()
    for index, row in enumerate(rows):
        left = {}
        for key, value in row.items():
            one = properties.get(key)
            if one is not None and fits(value, one.kind):
                values[key][index] = value
            elif value is not None:
                left[key] = value
                if one is not None:
                    spilled.add(key)
        rest.append(orjson.dumps(left, option=orjson.OPT_NON_STR_KEYS).decode() if left else "")
    return values, rest, spilled


def row_numbers(order: Array) -> pa.Array[Any]:
    """Row numbers as Arrow takes them."""
    numbers: pa.Array[Any] = pa.array(order, pa.int64())
    return numbers


def fits(value: Any, kind: str) -> bool:
    """Whether a value can stand in a column of the kind without loss."""
    if kind == "text":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value == value and abs(value) <= 2**53
