"""The log on disk: Parquet files, and a manifest per snapshot that says which of them are the log.

    manifests/000000000012.json    the snapshot: everything below that belongs to it; the highest number is in force
    bucket-07/…-base.parquet       a bucket's rows, sorted by (person, instant, event)
    deltas/…-delta.parquet         rows that came later, sorted by (bucket, person, instant, event)
    dictionaries/…-event.parquet   the texts behind the codes, in pieces
    lock                           held by the one writer

Every file is there wholly or not at all; the manifest comes last. A crash at any moment leaves the last snapshot.
Readers take no lock: they follow a manifest, and start again with a newer one if a file of theirs has been swept away.
Where the files lie, in a folder or on object storage, and how they get there, is the business of `storage`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from uptake.activity.columns import (
    REST,
    Array,
    Property,
    bucket_of,
    column_types,
    missing_value,
    property_column,
)
from uptake.activity.incoming import Dictionary, Incoming, Rows, encode
from uptake.activity.storage import Storage, storage_at

BUCKETS = 64
KEPT_SNAPSHOTS = 3
MOST_DELTAS = 24
LARGE_DELTA = 20_000
COMPACT_FROM = 50_000
COMPACT_SHARE = 5
"""Deltas belong into the base files when they hold more than so many rows and this share of the rows there."""
_TIMES = pa.timestamp("us", tz="UTC")


class NoSuchLog(FileNotFoundError):
    """There is no activity log in the folder."""


@dataclass(frozen=True)
class Delta:
    """A file of later rows. `places[bucket]` = (first row, number of rows)."""

    number: int
    file: str
    rows: int
    places: Mapping[int, tuple[int, int]]
    grouped: bool = False
    """True: a large file with a row group per bucket, so that a bucket's rows can be read alone."""
    since: int = 0
    """Several deltas gathered into one file: the lowest number among them (`number` is the highest); else 0.
    A bucket's rows then stand in it one delta after the other."""


@dataclass(frozen=True)
class Base:
    """A bucket's sorted file; deltas up to number `folded` are in it already."""

    file: str
    rows: int
    folded: int


@dataclass(frozen=True)
class Manifest:
    """One snapshot: which files are the log, how far it has read, and what the catalogue says to leave out."""

    number: int = 0
    buckets: int = BUCKETS
    bases: Mapping[int, Base] = field(default_factory=dict)
    deltas: tuple[Delta, ...] = ()
    dictionaries: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """Column → its pieces (file, number of texts)."""
    properties: Mapping[str, Property] = field(default_factory=dict)
    not_activity: tuple[str, ...] = ()
    """Names of events that are bookkeeping: they count only where a question names them."""
    machines: tuple[int, ...] = ()
    """Codes of people who are none."""
    position: Mapping[str, int] = field(default_factory=dict)
    """How far the feed has read; written with the rows, so the two cannot disagree."""
    next_delta: int = 1
    epoch: int = 0
    """How often the log was made again from nothing."""

    @cached_property
    def rows(self) -> int:
        """Rows of the log."""
        rows = sum(base.rows for base in self.bases.values())
        for delta in self.deltas:
            rows += sum(n for bucket, (_, n) in delta.places.items() if delta.number > self.folded(bucket))
        return rows

    def rows_of(self, bucket: int) -> int:
        """Rows of one bucket, in its base and in later deltas."""
        base = self.bases.get(bucket)
        return (base.rows if base else 0) + sum(delta.places[bucket][1] for delta in self.pending(bucket))

    def folded(self, bucket: int) -> int:
        base = self.bases.get(bucket)
        return base.folded if base else 0

    def pending(self, bucket: int) -> list[Delta]:
        """The deltas with rows of the bucket that its base does not hold yet, oldest first."""
        return self._pending.get(bucket, [])

    @cached_property
    def _pending(self) -> dict[int, list[Delta]]:
        found: dict[int, list[Delta]] = {}
        for delta in self.deltas:
            for bucket in delta.places:
                if delta.number > self.folded(bucket):
                    found.setdefault(bucket, []).append(delta)
        return found

    def files(self) -> set[str]:
        """Every file of the snapshot, relative to the log's folder."""
        texts = {file for pieces in self.dictionaries.values() for file, _ in pieces}
        return {base.file for base in self.bases.values()} | {delta.file for delta in self.deltas} | texts


class Store:
    """The files of one log."""

    def __init__(self, location: str | Path) -> None:
        """`location`: the path of a folder, or s3://bucket/prefix."""
        self.location = location
        self.storage: Storage = storage_at(location)

    def manifest(self) -> Manifest:
        """The snapshot in force. NoSuchLog where there is none."""
        for number in sorted(self._numbers(), reverse=True):
            try:
                return self.manifest_numbered(number)
            except FileNotFoundError:
                continue  # swept between listing and reading: a newer one exists
        self.storage.refreshed()
        if self._numbers():
            return self.manifest()
        raise NoSuchLog(f"There is no activity log in {self.storage.name!r}")

    def manifest_numbered(self, number: int) -> Manifest:
        """A snapshot by its number. FileNotFoundError if it has been swept away."""
        return _manifest_from(json.loads(self.storage.read(_manifest_path(number))))

    def exists(self) -> bool:
        return bool(self._numbers())

    def newest(self) -> int:
        """The number of the snapshot in force; 0 if there is none."""
        return max(self._numbers(), default=0)

    @contextmanager
    def writing(self, *, buckets: int = BUCKETS) -> Iterator[Writer]:
        """The one writer of this log. Waits for another one, in whatever process, to finish."""
        with self.storage.writing():
            manifest = self.manifest() if self.exists() else Manifest(buckets=buckets)
            yield Writer(self, manifest)

    def read_base(self, manifest: Manifest, bucket: int, columns: list[str]) -> dict[str, Any]:
        """Columns of a bucket's base file as stored (numpy; `rest` as pyarrow). Empty ones where there is none."""
        base = manifest.bases.get(bucket)
        if base is None:
            return _empty(columns, manifest)
        return _columns_of(self._read(base.file, columns), columns, manifest, base.rows)

    def read_delta(self, manifest: Manifest, delta: Delta, columns: list[str]) -> dict[str, Any]:
        """Columns of a whole delta file."""
        return _columns_of(self._read(delta.file, columns), columns, manifest, delta.rows)

    def read_of_delta(self, manifest: Manifest, delta: Delta, bucket: int, columns: list[str]) -> dict[str, Any]:
        """Columns of one bucket's rows in a delta file."""
        start, count = delta.places[bucket]
        if not delta.grouped:
            return sliced(self.read_delta(manifest, delta, columns), start, count)
        group = sorted(delta.places).index(bucket)
        return _columns_of(self._read(delta.file, columns, group), columns, manifest, count)

    def read_bucket(self, manifest: Manifest, bucket: int, known: dict[str, dict[str, Any]] | None = None) -> Rows:
        """All the rows of a bucket, sorted. `known` keeps the small delta files for the next bucket."""
        known = {} if known is None else known
        names = [*column_types(dict(manifest.properties)), REST]
        parts = [self.read_base(manifest, bucket, names)]
        for delta in manifest.pending(bucket):
            if delta.grouped:
                parts.append(self.read_of_delta(manifest, delta, bucket, names))
            else:
                if delta.file not in known:
                    known[delta.file] = self.read_delta(manifest, delta, names)
                parts.append(sliced(known[delta.file], *delta.places[bucket]))
        joined = {name: np.concatenate([part[name] for part in parts]) for name in names if name != REST}
        rows = Rows(joined, pa.concat_arrays([part[REST] for part in parts]))
        return rows if len(parts) == 1 else rows.sorted()

    def texts(self, manifest: Manifest, column: str) -> pa.Array[Any]:
        """The dictionary of a column: texts by code."""
        pieces = manifest.dictionaries.get(column, ())
        if not pieces:
            return Dictionary().texts
        arrays = [self._read(file, ["text"])["text"].combine_chunks().cast(pa.large_string()) for file, _ in pieces]
        return pa.concat_arrays(arrays)

    def write(self, path: str, table: pa.Table, groups: list[int] | None = None) -> str:
        """Writes a Parquet file so that it is either wholly there under its name or not at all.

        `groups`: numbers of rows of its row groups; None: one for all."""
        encodings = {
            column.name: "DELTA_BINARY_PACKED"
            for column in table.schema
            if pa.types.is_integer(column.type) or pa.types.is_temporal(column.type)
        }

        def fill(file: BinaryIO) -> None:
            with pq.ParquetWriter(
                file, table.schema, use_dictionary=False, column_encoding=encodings or None, compression="zstd",
                write_statistics=False,
            ) as writer:  # fmt: skip
                start = 0
                for count in groups or [max(len(table), 1)]:
                    writer.write_table(table.slice(start, count), row_group_size=max(count, 1))
                    start += count

        self.storage.write(path, fill)
        return path

    def publish(self, manifest: Manifest, *, keep: int = KEPT_SNAPSHOTS) -> None:
        """Puts a snapshot in force, then sweeps away what none of the last `keep` snapshots needs.

        Overtaken: on object storage, where another writer has done so meanwhile."""
        content = json.dumps(_manifest_to(manifest), separators=(",", ":")).encode()
        self.storage.publish(_manifest_path(manifest.number), content)
        self._sweep(keep)

    def _sweep(self, keep: int) -> None:
        numbers = sorted(self._numbers(), reverse=True)
        needed = set().union(*(self.manifest_numbered(number).files() for number in numbers[:keep]))
        gone: set[str] = set()
        for number in numbers[keep:]:
            try:
                gone |= self.manifest_numbered(number).files()
            except (FileNotFoundError, AssertionError):  # swept already, or of another version
                continue
        self.storage.sweep(needed, gone, [_manifest_path(number) for number in numbers[keep:]], max(numbers))

    def _read(self, path: str, columns: list[str], group: int | None = None) -> pa.Table:
        with self.storage.parquet(path) as file:
            there = set(file.schema_arrow.names)
            wanted = [name for name in columns if name in there]
            try:
                if group is not None:
                    return file.read_row_group(group, columns=wanted, use_threads=False)
                return file.read(columns=wanted, use_threads=False)
            except OSError as broken:
                if not self.storage.exists(path):  # swept away between opening and reading
                    raise FileNotFoundError(path) from broken
                raise

    def _numbers(self) -> list[int]:
        return [int(Path(path).stem) for path in self.storage.manifests()]


class Writer:
    """Changes to a log under its lock: nothing is seen by readers before `publish`."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self.store = store
        self.draft = manifest
        self._number = manifest.number + 1
        self._dictionaries: dict[str, Dictionary] = {}
        self._written: dict[str, int] = {}
        self._files = 0
        self._own = store.storage.token()
        self._only = False
        for column, pieces in manifest.dictionaries.items():
            self._written[column] = sum(count for _, count in pieces)

    @property
    def position(self) -> Mapping[str, int]:
        return self.draft.position

    def clear(self, buckets: int | None = None) -> None:
        """Begins from an empty log, with as many buckets as before if not said otherwise."""
        self.draft = Manifest(
            number=self.draft.number,
            buckets=buckets or self.draft.buckets,
            next_delta=self.draft.next_delta,
            epoch=self.draft.epoch + 1,
        )
        self._dictionaries, self._written = {}, {}
        self._only = True

    def declare(self, properties: Mapping[str, str]) -> None:
        """Gives properties (name → text, number or boolean) columns of their own, from now on."""
        new = dict(self.draft.properties)
        for name, kind in properties.items():
            if name not in new:
                new[name] = Property(name, kind, spilled=self.draft.rows > 0)
        self.draft = replace(self.draft, properties=new)

    def leave_out(self, *, not_activity: Iterable[str], machines: Iterable[int]) -> None:
        """Says which events are bookkeeping and which people are machines."""
        self.draft = replace(
            self.draft, not_activity=tuple(sorted(set(not_activity))), machines=tuple(sorted(set(machines)))
        )

    def add(self, incoming: Incoming) -> None:
        """Adds rows, as one delta file."""
        rows = self._encoded(incoming)
        if len(rows):
            self._add_delta(rows)

    def fill(self, bucket: int, rows: Rows, texts: Mapping[str, Sequence[str]]) -> None:
        """Puts rows that are columns and codes already into an empty bucket of a new log, as its base file.

        `texts`: the texts behind the codes by column, from code 1 on; the same for every bucket."""
        assert bucket not in self.draft.bases, "the bucket holds rows already"
        assert (bucket_of(rows.columns["person"], self.draft.buckets) == bucket).all(), "rows of this bucket's people"
        for column, listed in texts.items():
            self._dictionaries[column] = Dictionary(pa.array(["", *listed], pa.large_string()))
        self._write_base(bucket, rows.sorted())

    def replace(self, persons: Iterable[int], incoming: Incoming) -> None:
        """Puts these rows in the place of all the rows of these people: their buckets are rewritten."""
        codes = np.array(sorted(set(persons)), dtype=np.int32)
        rows = self._encoded(incoming)
        own = bucket_of(rows.columns["person"], self.draft.buckets)
        for bucket in np.unique(bucket_of(codes, self.draft.buckets)).tolist():
            old = self.store.read_bucket(self.draft, bucket)
            kept = old.taken(np.flatnonzero(~np.isin(old.columns["person"], codes)))
            self._write_base(bucket, _joined(kept, rows.taken(np.flatnonzero(own == bucket))).sorted())
        elsewhere = np.flatnonzero(~np.isin(rows.columns["person"], codes))
        assert not len(elsewhere), "rows may only be replaced by rows of the same people"
        self._only = True

    def compact(self, most: int | None = None) -> int:
        """Folds the deltas into the base files of all buckets, or of the `most` with the most rows there; gives how
        many base files were written."""
        known: dict[str, dict[str, Any]] = {}
        later = {
            bucket: sum(delta.places[bucket][1] for delta in self.draft.pending(bucket))
            for bucket in range(self.draft.buckets)
            if self.draft.pending(bucket)
        }
        chosen = sorted(later, key=lambda bucket: (-later[bucket], bucket))[:most]
        for bucket in chosen:
            self._write_base(bucket, self.store.read_bucket(self.draft, bucket, known))
        folded = self.draft.folded
        left = tuple(d for d in self.draft.deltas if any(d.number > folded(bucket) for bucket in d.places))
        self.draft = replace(self.draft, deltas=left)
        if not left:
            pieces = {name: self._joined_pieces(name) for name in self.draft.dictionaries}
            self.draft = replace(self.draft, dictionaries=pieces)
        return len(chosen)

    @property
    def much_to_compact(self) -> bool:
        """Whether the deltas hold so much that it belongs into the base files."""
        return self._later() > COMPACT_FROM + self._based() // COMPACT_SHARE

    def tidy(self) -> None:
        """Keeps the files few: many deltas become one; where nobody compacts them, they go into the base files."""
        if self._later() > 2 * (COMPACT_FROM + self._based() // COMPACT_SHARE):
            self.compact()
        elif len(self.draft.deltas) > MOST_DELTAS:
            self.gather()

    def _based(self) -> int:
        return sum(base.rows for base in self.draft.bases.values())

    def _later(self) -> int:
        return self.draft.rows - self._based()

    def forget_texts(self) -> None:
        """Empties the texts of objects and properties that no row has any more, and lets go of rows that were replaced
        and still lie in deltas. Codes stay as they are, so no base file is written."""
        self.gather(least=1)
        kinds = dict(self.draft.properties)
        columns = ["object", *(property_column(name) for name, one in kinds.items() if one.kind == "text")]
        texts = {
            name: self._dictionaries.get(name) or Dictionary(self.store.texts(self.draft, name)) for name in columns
        }
        used = {name: np.zeros(len(known), dtype=bool) for name, known in texts.items()}
        parts = [self.store.read_base(self.draft, bucket, columns) for bucket in self.draft.bases]
        parts += [self.store.read_delta(self.draft, delta, columns) for delta in self.draft.deltas]
        for part in parts:
            for name in columns:
                used[name][part[name][part[name] >= 0]] = True
        for name, known in texts.items():
            used[name][0] = True
            if not used[name].all():
                kept = pc.if_else(pa.array(used[name]), known.texts, "")
                self._dictionaries[name] = Dictionary(kept)
                pieces = {**self.draft.dictionaries, name: (self._write_texts(name, kept),)}
                self.draft = replace(self.draft, dictionaries=pieces)
                self._written[name] = len(kept)
        self._only = True

    def gather(self, least: int = 2) -> None:
        """Puts all deltas (if there are `least`) into one file, each bucket's rows one delta after the other."""
        deltas = self.draft.deltas
        if len(deltas) < least:
            return
        names = [*column_types(dict(self.draft.properties)), REST]
        folded = np.array([self.draft.folded(bucket) for bucket in range(self.draft.buckets)])
        parts, buckets = [], []
        for delta in deltas:
            columns = self.store.read_delta(self.draft, delta, names)
            own = bucket_of(columns["person"], self.draft.buckets)
            kept = np.flatnonzero(folded[own] < delta.number)
            rest = columns.pop(REST)
            parts.append(Rows(columns, rest).taken(kept))
            buckets.append(own[kept])
        rows = parts[0]
        for part in parts[1:]:
            rows = _joined(rows, part)
        self.draft = replace(self.draft, deltas=())
        if len(rows):
            since = min(delta.since or delta.number for delta in deltas)
            self._write_delta(rows, np.concatenate(buckets), deltas[-1].number, since)

    def publish(self, *, position: Mapping[str, int] | None = None) -> Manifest:
        """Puts everything done so far in force as one snapshot. Old rows of replaced people go from the disk too."""
        self._write_dictionaries()
        manifest = replace(
            self.draft, number=self._number, position=dict(position if position is not None else self.draft.position)
        )
        self.store.publish(manifest, keep=1 if self._only else KEPT_SNAPSHOTS)
        self.draft, self._number, self._only = manifest, manifest.number + 1, False
        return manifest

    def _encoded(self, incoming: Incoming) -> Rows:
        for column in self.draft.dictionaries:
            if column not in self._dictionaries:
                self._dictionaries[column] = Dictionary(self.store.texts(self.draft, column))
        rows, properties = encode(incoming, self._dictionaries, dict(self.draft.properties))
        self.draft = replace(self.draft, properties=properties)
        return rows

    def _add_delta(self, rows: Rows) -> None:
        self._write_delta(rows, bucket_of(rows.columns["person"], self.draft.buckets), self.draft.next_delta, 0)
        self.draft = replace(self.draft, next_delta=self.draft.next_delta + 1)

    def _write_delta(self, rows: Rows, buckets: Array, number: int, since: int) -> None:
        order = np.argsort(buckets, kind="stable")
        rows = rows.taken(order)
        found, starts, counts = np.unique(buckets[order], return_index=True, return_counts=True)
        places = {
            int(bucket): (int(start), int(count)) for bucket, start, count in zip(found, starts, counts, strict=True)
        }
        grouped = len(rows) >= LARGE_DELTA
        groups = [count for _, count in sorted(places.values())] if grouped else None
        file = self.store.write(f"deltas/{self._name()}-delta.parquet", self._table(rows), groups)
        delta = Delta(number, file, len(rows), places, grouped, since)
        self.draft = replace(self.draft, deltas=(*self.draft.deltas, delta))

    def _write_base(self, bucket: int, rows: Rows) -> None:
        file = self.store.write(f"bucket-{bucket:02}/{self._name()}-base.parquet", self._table(rows))
        base = Base(file, len(rows), self.draft.next_delta - 1)
        self.draft = replace(self.draft, bases={**self.draft.bases, bucket: base})

    def _table(self, rows: Rows) -> pa.Table:
        types = column_types(dict(self.draft.properties))
        arrays: list[Any] = []
        for name, (_memory, disk) in types.items():
            array: Any = pa.array(rows.columns[name])
            if name == "happened_at":
                array = array.view(_TIMES)
            elif name == "business_day":
                array = array.view(pa.date32())
            else:
                array = array.cast(disk)
            arrays.append(array)
        return pa.table([*arrays, rows.rest], names=[*types, REST])

    def _write_dictionaries(self) -> None:
        pieces = dict(self.draft.dictionaries)
        for column, dictionary in self._dictionaries.items():
            written = self._written.get(column, 0)
            if len(dictionary) > written:
                new = dictionary.texts.slice(written)
                pieces[column] = (*pieces.get(column, ()), self._write_texts(column, new))
                self._written[column] = len(dictionary)
        self.draft = replace(self.draft, dictionaries=pieces)

    def _joined_pieces(self, column: str) -> tuple[tuple[str, int], ...]:
        pieces = self.draft.dictionaries[column]
        if len(pieces) < 8:
            return pieces
        return (self._write_texts(column, self.store.texts(self.draft, column)),)

    def _write_texts(self, column: str, texts: pa.Array[Any]) -> tuple[str, int]:
        safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in column)[:40]
        file = self.store.write(f"dictionaries/{self._name()}-{safe}.parquet", pa.table([texts], names=["text"]))
        return file, len(texts)

    def _name(self) -> str:
        self._files += 1
        return f"{self._number:012}-{self._files:04}{self._own}"


def _manifest_path(number: int) -> str:
    return f"manifests/{number:012}.json"


def sliced(columns: dict[str, Any], start: int, count: int) -> dict[str, Any]:
    """The rows from `start` on of columns as read from a file."""
    return {
        name: column.slice(start, count) if name == REST else column[start : start + count]
        for name, column in columns.items()
    }


def _joined(first: Rows, second: Rows) -> Rows:
    columns = {name: np.concatenate([column, second.columns[name]]) for name, column in first.columns.items()}
    return Rows(columns, pa.concat_arrays([first.rest, second.rest]))


def _columns_of(table: pa.Table, columns: list[str], manifest: Manifest, rows: int) -> dict[str, Any]:
    properties = dict(manifest.properties)
    types = column_types(properties)
    read: dict[str, Any] = {}
    for name in columns:
        if name not in table.column_names:
            read[name] = np.full(rows, missing_value(name, properties), dtype=types[name][0])
            continue
        column = table[name].combine_chunks()
        if name == REST:
            read[name] = column.cast(pa.large_string())
            continue
        if pa.types.is_temporal(column.type):
            column = column.view(pa.int64() if name == "happened_at" else pa.int32())
        # a copy of our own: what lies in Arrow's memory is read-only, and would need folds compiled a second time
        read[name] = np.array(column.to_numpy(zero_copy_only=False), dtype=types[name][0])
    return read


def _empty(columns: list[str], manifest: Manifest) -> dict[str, Any]:
    types = column_types(dict(manifest.properties))
    return {name: pa.array([], pa.large_string()) if name == REST else np.zeros(0, types[name][0]) for name in columns}


def _manifest_to(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": 1,
        "number": manifest.number,
        "buckets": manifest.buckets,
        "rows": manifest.rows,
        "bases": {str(bucket): [base.file, base.rows, base.folded] for bucket, base in manifest.bases.items()},
        "deltas": [
            {
                "number": delta.number,
                "file": delta.file,
                "rows": delta.rows,
                "grouped": delta.grouped,
                "since": delta.since,
                "places": [[bucket, *place] for bucket, place in delta.places.items()],
            }
            for delta in manifest.deltas
        ],
        "dictionaries": manifest.dictionaries,
        "properties": {name: [one.kind, one.spilled] for name, one in manifest.properties.items()},
        "not_activity": manifest.not_activity,
        "machines": manifest.machines,
        "position": manifest.position,
        "next_delta": manifest.next_delta,
        "epoch": manifest.epoch,
    }


def _manifest_from(saved: dict[str, Any]) -> Manifest:
    assert saved["format"] == 1, "this activity log was written by another version; run `uptake activity rebuild`"
    return Manifest(
        number=saved["number"],
        buckets=saved["buckets"],
        bases={int(bucket): Base(*base) for bucket, base in saved["bases"].items()},
        deltas=tuple(
            Delta(
                delta["number"],
                delta["file"],
                delta["rows"],
                {bucket: (start, count) for bucket, start, count in delta["places"]},
                delta["grouped"],
                delta.get("since", 0),
            )
            for delta in saved["deltas"]
        ),
        dictionaries={
            column: tuple((file, count) for file, count in pieces) for column, pieces in saved["dictionaries"].items()
        },
        properties={name: Property(name, kind, spilled) for name, (kind, spilled) in saved["properties"].items()},
        not_activity=tuple(saved["not_activity"]),
        machines=tuple(saved["machines"]),
        position=saved["position"],
        next_delta=saved["next_delta"],
        epoch=saved.get("epoch", 0),
    )
