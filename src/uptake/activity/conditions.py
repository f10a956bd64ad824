"""Which rows pass: selectors, property conditions, people and places become masks over the rows of a bucket."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from uptake.activity.columns import NOBODY, REST, Array, property_column
from uptake.activity.incoming import row_numbers
from uptake.activity.log import Snapshot
from uptake.activity.question import Condition, Selector

LARGEST_TABLE = 1_000_000
"""Up to this number a table takes the place of a search."""


def label(value: Any) -> str:
    """A value of a property as text: 10 and 10.0 are "10", true is "true", nothing is ""."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def meets(value: Any, condition: Condition) -> bool:
    """Whether one value (None: the property is not there) meets a condition.

    Equality looks through the type (10 is "10", true is "true"); `contains` looks through upper and lower case.
    What is not there equals nothing and contains nothing. gt, gte, lt, lte compare numbers as numbers (also where
    they are written as texts), and other texts by their letters, which puts ISO dates in order.
    """
    op, wanted = condition.op, condition.value
    if op == "is_set":
        return value is not None
    if op == "is_not_set":
        return value is None
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    if op == "eq":
        return any(_same(value, one) for one in several)
    if op == "ne":
        return not any(_same(value, one) for one in several)
    if op == "contains":
        return any(_contains(value, one) for one in several)
    if op == "not_contains":
        return not any(_contains(value, one) for one in several)
    return _compares(value, op, wanted)


def _same(value: Any, wanted: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, list):
        return any(_same(one, wanted) for one in value)
    return label(value) == label(wanted)


def _contains(value: Any, wanted: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, list):
        return any(_contains(one, wanted) for one in value)
    return label(wanted).casefold() in label(value).casefold()


def _compares(value: Any, op: str, wanted: Any) -> bool:
    if value is None or isinstance(value, bool | list | dict):
        return False
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None:
        return {"gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[op]
    if isinstance(value, str) and isinstance(wanted, str):
        return {"gt": value > wanted, "gte": value >= wanted, "lt": value < wanted, "lte": value <= wanted}[op]
    return False


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number == number else None


def passing(snapshot: Snapshot, bucket: int, condition: Condition, among: Array) -> Array:
    """`among` (a mask) without the rows that do not meet the condition."""
    kept = among.copy()
    look = among
    name = condition.property

    def holds(value: Any) -> bool:
        return meets(value, condition)

    one = snapshot.properties.get(name)
    if one is not None:
        column = snapshot.columns(bucket, [property_column(name)])[property_column(name)]
        there = among & _there(column)
        exact = _by_number(column, condition) if one.kind == "number" else None
        if exact is not None:
            answers, back = [False, True], exact[there].astype(np.int64)
        elif one.kind == "text":
            values, back = distinct(column[there])
            texts = snapshot.texts(property_column(name)).take(row_numbers(values)).to_pylist()
            answers = [holds(text) for text in texts]
        else:
            values, back = np.unique(column[there], return_inverse=True)
            plain = values.astype(bool) if one.kind == "boolean" else values
            answers = [holds(value) for value in plain.tolist()]
        kept[np.flatnonzero(there)] = np.array(answers, dtype=bool)[back]
        look = among & ~there
        if not one.spilled:
            kept[look] = holds(None)
            return kept
    rows = np.flatnonzero(look)
    if len(rows):
        kept[rows] = holds(None)
        known: dict[Any, bool] = {}
        for row, value in _in_rest(snapshot, bucket, name, look):
            try:
                answer = known.get((type(value), value))
            except TypeError:
                kept[row] = holds(value)
                continue
            if answer is None:
                answer = known[(type(value), value)] = holds(value)
            kept[row] = answer
    return kept


def values_of(snapshot: Snapshot, bucket: int, name: str, among: Array) -> list[Any]:
    """The values of a property in the rows of a mask, in their order; None where it is not there."""
    found: list[Any] = [None] * int(among.sum())
    place = {row: index for index, row in enumerate(np.flatnonzero(among).tolist())}
    one = snapshot.properties.get(name)
    look = among
    if one is not None:
        column = snapshot.columns(bucket, [property_column(name)])[property_column(name)]
        there = among & _there(column)
        texts = snapshot.texts(property_column(name)) if one.kind == "text" else None
        for row in np.flatnonzero(there).tolist():
            raw = column[row]
            found[place[row]] = (
                texts[int(raw)].as_py() if texts is not None else bool(raw) if one.kind == "boolean" else float(raw)
            )
        look = among & ~there if one.spilled else np.zeros_like(among)
    for row, value in _in_rest(snapshot, bucket, name, look):
        found[place[row]] = value
    return found


def _in_rest(snapshot: Snapshot, bucket: int, name: str, look: Array) -> list[tuple[int, Any]]:
    """(row, value) of a property that stands in the JSON of these rows."""
    rows = np.flatnonzero(look)
    if not len(rows):
        return []
    rest = snapshot.columns(bucket, [REST])[REST].take(pa.array(rows))
    named = pc.match_substring(rest, orjson.dumps(name).decode() + ":")
    found = []
    for index in np.flatnonzero(named.to_numpy(zero_copy_only=False)):
        value = orjson.loads(rest[int(index)].as_py()).get(name)
        if value is not None:
            found.append((int(rows[index]), value))
    return found


def _by_number(column: Array, condition: Condition) -> Array | None:
    """Whether the numbers of a column meet a condition about numbers, all at once; None: it is about something else."""
    wanted = condition.value
    if not isinstance(wanted, int | float) or isinstance(wanted, bool) or abs(wanted) > 2**53:
        return None
    found: Array
    if condition.op in ("eq", "ne"):
        found = (column == wanted) == (condition.op == "eq")
    elif condition.op in ("gt", "gte"):
        found = column > wanted if condition.op == "gt" else column >= wanted
    elif condition.op in ("lt", "lte"):
        found = column < wanted if condition.op == "lt" else column <= wanted
    else:
        return None
    return found


def distinct(column: Array) -> tuple[Array, Array]:
    """The distinct values of a column of whole numbers from 0, sorted, and for every row the place of its own."""
    if not len(column):
        return column, column
    if int(column.max()) >= LARGEST_TABLE or int(column.min()) < 0:
        return np.unique(column, return_inverse=True)
    values = np.flatnonzero(np.bincount(column))
    place = np.zeros(int(values[-1]) + 1, dtype=np.int32)
    place[values] = np.arange(len(values))
    return values, place[column]


def _there(column: Array) -> Array:
    there: Array = ~np.isnan(column) if column.dtype.kind == "f" else column >= 0
    return there


class Sieve:
    """What has to hold of every row a question counts; made once per question, used for every bucket."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        selector: Selector | None = None,
        conditions: tuple[Condition, ...] = (),
        only_persons: Array | None = None,
        not_persons: Array | None = None,
        companies: Collection[int] | None = None,
        departments: Collection[int] | None = None,
        places: Collection[int] | None = None,
        sources: Collection[str] | None = None,
    ) -> None:
        self.snapshot = snapshot
        selector = selector or Selector()
        self.conditions = (*selector.where, *conditions)
        self.events = self._event_codes(selector)
        self.only, self.never = only_persons, not_persons
        self.machines = np.array(snapshot.machines, dtype=np.int32)
        self.companies = _numbers(companies)
        self.departments = _numbers(departments)
        self.places = _numbers(places)
        self.sources: Array | None = None
        if sources is not None:
            listed = pa.array(list(sources), pa.large_string())
            self.sources = pc.is_in(snapshot.texts("source"), value_set=listed).to_numpy(zero_copy_only=False)

    def _event_codes(self, selector: Selector) -> Array | None:
        """The codes that pass, as a table by code; None: all. Bookkeeping passes only where it is named."""
        names = selector.events
        if names is None and not self.snapshot.not_activity:
            return None
        texts = self.snapshot.texts("event")
        listed = pa.array(names if names is not None else self.snapshot.not_activity, pa.large_string())
        table: Array = pc.is_in(texts, value_set=listed).to_numpy(zero_copy_only=False)
        return table if names is not None else ~table

    def mask(self, bucket: int) -> Array:
        """The rows of a bucket that pass. Nobody's and machines' rows never do."""
        person = self.snapshot.columns(bucket, ["person"])["person"]
        kept: Array = person != NOBODY
        if len(self.machines):
            kept &= ~np.isin(person, self.machines)
        if self.only is not None:
            kept &= np.isin(person, self.only)
        if self.never is not None and len(self.never):
            kept &= ~np.isin(person, self.never)
        if self.events is not None:
            codes = self.snapshot.columns(bucket, ["event"])["event"]
            kept &= self.events[codes]
        for name, wanted in (("company", self.companies), ("department", self.departments)):
            if wanted is not None:
                kept &= wanted.holds(self.snapshot.columns(bucket, [name])[name])
        if self.places is not None:
            columns = self.snapshot.columns(bucket, ["company", "department"])
            kept &= self.places.holds(columns["company"]) | self.places.holds(columns["department"])
        if self.sources is not None:
            kept &= self.sources[self.snapshot.columns(bucket, ["source"])["source"]]
        for condition in self.conditions:
            if kept.any():
                kept = passing(self.snapshot, bucket, condition, kept)
        return kept


class Numbers:
    """A set of organizations' numbers that a whole column is looked up in at once."""

    def __init__(self, values: Collection[int]) -> None:
        self.sorted = np.array(sorted(set(values)), dtype=np.int64)
        self.table: Array | None = None
        """By number its place in the sorted set, -1: not in it; the last stands for all beyond. None: too large."""
        if len(self.sorted) and self.sorted[0] >= 0 and self.sorted[-1] < LARGEST_TABLE:
            self.table = np.full(int(self.sorted[-1]) + 2, -1, dtype=np.int32)
            self.table[self.sorted] = np.arange(len(self.sorted))

    def __len__(self) -> int:
        return len(self.sorted)

    def places(self, column: Array) -> Array:
        """For every row the place of its number in the sorted set; -1: it is not in it."""
        found: Array
        if self.table is None:
            if not len(self.sorted):
                return np.full(len(column), -1, dtype=np.int32)
            found = np.searchsorted(self.sorted, column).clip(0, len(self.sorted) - 1)
            return np.where(self.sorted[found] == column, found, -1).astype(np.int32)
        found = self.table.take(column, mode="clip")  # beyond the last number stands a -1
        return found

    def holds(self, column: Array) -> Array:
        """For every row whether its number is in the set."""
        return self.places(column) >= 0


def _numbers(values: Collection[int] | None) -> Numbers | None:
    return None if values is None else Numbers(values)
