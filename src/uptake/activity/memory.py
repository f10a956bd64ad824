"""Decoded columns kept in memory under a budget of bytes, bucket by bucket; the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array, order_of
from uptake.activity.incoming import row_numbers
from uptake.activity.merge import inserted, merge_places
from uptake.activity.store import Delta, Manifest, Store, sliced

KEYS = ("person", "happened_at", "event_id")
Made = TypeVar("Made", bound="tuple[Any, ...]")


@dataclass
class Held:
    """The decoded columns of one bucket as of one snapshot. Arrays are never changed, only replaced."""

    base: str
    """Which base file, of which making of the log."""
    delta: int
    """The number of the last delta of the log when the columns were brought up to date."""
    columns: dict[str, Any]
    taken: Array | None = None
    """Where the sorted rows stand in base + deltas as stored; None: in the same order."""

    made: dict[Hashable, tuple[Any, ...]] = field(default_factory=dict)
    """What folds worked out from these rows and want again: arrays, by what they are."""
    manifest: Manifest | None = None
    """The snapshot these are the rows of, if it is known; None: what they are of has to be looked at."""
    size: int = 0
    """Bytes."""

    def __post_init__(self) -> None:
        self.size = sum(column.nbytes for column in self.columns.values())
        self.size += 0 if self.taken is None else self.taken.nbytes
        self.size += sum(_bytes(one) for one in self.made.values())


@dataclass
class Memory:
    """What one process holds of a store."""

    store: Store
    budget: int
    """Bytes."""
    held: OrderedDict[int, Held] = field(default_factory=OrderedDict)
    deltas: OrderedDict[str, dict[str, Any]] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)
    at_work: dict[int, Lock] = field(default_factory=dict)
    size: int = 0
    """Bytes held now."""

    def columns(self, manifest: Manifest, bucket: int, names: list[str]) -> dict[str, Any]:
        """The named columns of a bucket in the order of the log (numpy; `rest` as pyarrow)."""
        ready = self._ready(manifest, bucket)
        if ready is not None and all(name in ready.columns for name in names):
            return {name: ready.columns[name] for name in names}
        with self.lock:
            own = self.at_work.setdefault(bucket, Lock())
        with own:
            held = self._in_step(manifest, bucket)
            missing = [name for name in names if name not in held.columns]
            if missing:
                held = self._with(manifest, bucket, held, missing)
            with self.lock:
                self._keep(bucket, held)
            return {name: held.columns[name] for name in names}

    def arrived(self, manifest: Manifest, bucket: int, before: int) -> tuple[Array, Array]:
        """The person column of a bucket, and which of its rows came after the first `before` ones (by row)."""
        with self.lock:
            own = self.at_work.setdefault(bucket, Lock())
        with own:
            held = self._in_step(manifest, bucket)
            if "person" not in held.columns:
                held = self._with(manifest, bucket, held, ["person"])
            with self.lock:
                self._keep(bucket, held)
        person = held.columns["person"]
        return person, (held.taken if held.taken is not None else np.arange(len(person))) >= before

    def remembered(self, manifest: Manifest, bucket: int, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, arrays worked out from the rows of a bucket; kept under the key as long as its columns."""
        ready = self._ready(manifest, bucket)
        if ready is not None and key in ready.made:
            return cast(Made, ready.made[key])
        with self.lock:
            own = self.at_work.setdefault(bucket, Lock())
        with own:
            held = self._in_step(manifest, bucket)
            with self.lock:
                self._keep(bucket, held)
            if key in held.made:
                return cast(Made, held.made[key])
        new = make()
        with own, self.lock:
            now = self.held.get(bucket)
            if now is not None and now.made is held.made and key not in held.made:
                held.made[key] = new
                now.size += _bytes(new)
                self.size += _bytes(new)
                self._keep(bucket, now)
        return new

    def _ready(self, manifest: Manifest, bucket: int) -> Held | None:
        """What is held of the bucket, if it is known to be of this very snapshot."""
        held = self.held.get(bucket)
        if held is None or held.manifest is not manifest:
            return None
        with self.lock:
            if bucket in self.held:
                self.held.move_to_end(bucket)
        return held

    def buckets(self) -> list[int]:
        """Those of which something is held."""
        with self.lock:
            return list(self.held)

    def _in_step(self, manifest: Manifest, bucket: int) -> Held:
        """What is held of the bucket, with the deltas that came since; from the files if it is of another base."""
        base = f"{manifest.epoch}/{manifest.bases[bucket].file if bucket in manifest.bases else ''}"
        with self.lock:
            held = self.held.get(bucket)
        pending, last = manifest.pending(bucket), manifest.next_delta - 1
        if held is None or held.base != base or held.delta > last:
            held = Held(base, 0, self.store.read_base(manifest, bucket, list(KEYS)))
        if any(delta.since and delta.since <= held.delta < delta.number for delta in pending):
            # some of what was gathered into one file is held already: read it all again
            held = Held(base, 0, self.store.read_base(manifest, bucket, list(KEYS)))
        for delta in pending:
            if delta.number > held.delta:
                held = self._merged(manifest, bucket, held, delta)
        if held.delta == last and held.manifest is manifest:
            return held
        return Held(base, last, held.columns, held.taken, held.made, manifest)

    def _merged(self, manifest: Manifest, bucket: int, held: Held, delta: Delta) -> Held:
        new = self._of_delta(manifest, delta, bucket, [*KEYS, *held.columns])
        rows, count = len(held.columns["person"]), delta.places[bucket][1]
        before = held.taken if held.taken is not None else np.arange(rows, dtype=np.int32)
        later = np.arange(rows, rows + count, dtype=np.int32)
        if delta.since:  # several deltas one after the other: not sorted
            order = order_of(*(np.concatenate([held.columns[name], new[name]]) for name in KEYS))
            taken = np.concatenate([before, later])[order]
            columns = {name: _taken(_joined([column, new[name]]), order) for name, column in held.columns.items()}
            return Held(held.base, delta.number, columns, taken)
        places = merge_places(held.columns, new)
        columns = {
            name: inserted(column, new[name], places)
            if isinstance(column, np.ndarray)
            else _taken(_joined([column, new[name]]), np.insert(np.arange(rows), places, later))
            for name, column in held.columns.items()
        }
        return Held(held.base, delta.number, columns, inserted(before, later, places))

    def _with(self, manifest: Manifest, bucket: int, held: Held, missing: list[str]) -> Held:
        parts = [self.store.read_base(manifest, bucket, missing)]
        parts += [self._of_delta(manifest, delta, bucket, missing) for delta in manifest.pending(bucket)]
        columns = dict(held.columns)
        for name in missing:
            joined = _joined([part[name] for part in parts])
            columns[name] = joined if held.taken is None else _taken(joined, held.taken)
        return Held(held.base, held.delta, columns, held.taken, held.made, held.manifest)

    def _of_delta(self, manifest: Manifest, delta: Delta, bucket: int, names: list[str]) -> dict[str, Any]:
        if delta.grouped:
            return self.store.read_of_delta(manifest, delta, bucket, names)
        return sliced(self._delta(manifest, delta, names), *delta.places[bucket])

    def _delta(self, manifest: Manifest, delta: Delta, names: list[str]) -> dict[str, Any]:
        """Whole delta files are small and asked for by every bucket: the last few are kept."""
        with self.lock:
            known = self.deltas.get(delta.file, {})
        missing = [name for name in names if name not in known]
        if missing:
            known = {**known, **self.store.read_delta(manifest, delta, missing)}
            with self.lock:
                self.deltas[delta.file] = known
                while len(self.deltas) > 32:
                    self.deltas.popitem(last=False)
        return known

    def _keep(self, bucket: int, held: Held) -> None:
        before = self.held.get(bucket)
        if before is not held:
            self.size += held.size - (before.size if before else 0)
            self.held[bucket] = held
        self.held.move_to_end(bucket)
        while self.size > self.budget:
            _, gone = self.held.popitem(last=False)
            self.size -= gone.size


def _bytes(made: tuple[Any, ...]) -> int:
    return sum(one.nbytes for one in made if isinstance(one, np.ndarray))


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    return pa.concat_arrays(parts) if isinstance(parts[0], pa.Array) else np.concatenate(parts)


def _taken(column: Any, order: Array) -> Any:
    return column.take(row_numbers(order)) if isinstance(column, pa.Array) else column[order]
