"""The activity log: open the files the server writes, or make one from a table in a notebook, and ask it.

log = ActivityLog.open("data/activity")
log = ActivityLog.from_arrow(table)     # columns person, event, happened_at (timestamp), any properties
log.active(every="week", timezone="Asia/Shanghai").to_arrow()
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from uptake.activity.carried import Excerpt, Fold, Moved, State, added, step
from uptake.activity.columns import CODED, REST, Array, Property, bucket_of, column_types
from uptake.activity.incoming import Dictionary, Incoming, Rows, encode
from uptake.activity.memory import Made, Memory
from uptake.activity.periods import first_of, next_first
from uptake.activity.store import Manifest, Store
from uptake.activity.tables import from_table

if TYPE_CHECKING:
    from uptake.activity.folds.active_users import ActiveUsers
    from uptake.activity.folds.cohort import Cohort
    from uptake.activity.folds.funnel import Funnel
    from uptake.activity.folds.lifecycle import Lifecycle
    from uptake.activity.folds.paths import Paths
    from uptake.activity.folds.pv_uv import PvUv
    from uptake.activity.folds.retention import Retention
    from uptake.activity.folds.sessions import Sessions
    from uptake.activity.folds.silence import Silence
    from uptake.activity.folds.stickiness import Stickiness
    from uptake.activity.folds.transitions import Transitions
    from uptake.activity.folds.trends import Trends

MEMORY_BYTES = 256 * 2**20
SMALL = 20_000
"""Below this number of rows a fold runs where it was called: threads would cost more than they save."""
SUMS_KEPT = 500
SUMS_BYTES = 32 * 2**20
Part = TypeVar("Part")
Answer = TypeVar("Answer")


class Snapshot(Protocol):
    """One consistent state of a log. Everything a question reads, it reads from one snapshot."""

    @property
    def buckets(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def properties(self) -> Mapping[str, Property]: ...
    @property
    def not_activity(self) -> Sequence[str]: ...
    @property
    def machines(self) -> Sequence[int]: ...

    def columns(self, bucket: int, names: list[str]) -> dict[str, Any]:
        """The named columns of a bucket, sorted by (person, instant, event)."""

    def remembered(self, bucket: int, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, arrays worked out from the rows of a bucket alone; asked for again, what it gave then."""

    def texts(self, column: str) -> pa.Array[Any]:
        """The texts of a coded column, by code."""

    def person_codes(self, people: Iterable[Any]) -> Array:
        """The codes of these people; the ones the log does not know are left out."""

    def person_names(self, codes: Iterable[int]) -> list[str]:
        """What the people are called in the log: their names in a table's, their numbers in a server's."""


class Elsewhere(Protocol):
    """Other processes that hold the columns of the files and fold them, instead of this process's threads."""

    def each_bucket(self, snapshot: FileSnapshot, fold: Callable[[int], Any], buckets: Iterable[int]) -> list[Any]:
        """As the function of this name."""

    def each_worker(self, snapshot: FileSnapshot, fold: Callable[[int, Any], Any]) -> list[Any]:
        """As the function of this name."""

    def catch_up(self, snapshot: FileSnapshot) -> None:
        """Brings what is held up to a newer snapshot."""


@dataclass(frozen=True)
class FileSnapshot:
    """A snapshot of the files."""

    manifest: Manifest
    memory: Memory
    dictionaries: dict[str, tuple[int, pa.Array[Any]]]
    elsewhere: Elsewhere | None = None

    @property
    def buckets(self) -> int:
        return self.manifest.buckets

    @property
    def rows(self) -> int:
        return self.manifest.rows

    @property
    def properties(self) -> Mapping[str, Property]:
        return self.manifest.properties

    @property
    def not_activity(self) -> Sequence[str]:
        return self.manifest.not_activity

    @property
    def machines(self) -> Sequence[int]:
        return self.manifest.machines

    def columns(self, bucket: int, names: list[str]) -> dict[str, Any]:
        return self.memory.columns(self.manifest, bucket, names)

    def remembered(self, bucket: int, key: Hashable, make: Callable[[], Made]) -> Made:
        return self.memory.remembered(self.manifest, bucket, key, make)

    def texts(self, column: str) -> pa.Array[Any]:
        pieces = self.manifest.dictionaries.get(column, ())
        key = hash(pieces)
        known = self.dictionaries.get(column)
        if known is None or known[0] != key:
            known = (key, self.memory.store.texts(self.manifest, column))
            self.dictionaries[column] = known
        return known[1]

    def person_codes(self, people: Iterable[Any]) -> Array:
        numbers = []
        for one in people:
            text = str(one)
            if text.removeprefix("-").isdecimal() and abs(int(text)) < 2**31:
                numbers.append(int(text))
        return np.array(numbers, dtype=np.int32)

    def person_names(self, codes: Iterable[int]) -> list[str]:
        return [str(code) for code in codes]


@dataclass(frozen=True)
class TableSnapshot:
    """A log that lives in memory only, made from a table."""

    parts: list[Rows]
    dictionaries: dict[str, Dictionary]
    properties: dict[str, Property]
    people: list[str]
    """Names by code - 1."""
    not_activity: Sequence[str] = ()
    machines: Sequence[int] = ()
    _codes: dict[str, int] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._codes.update({name: number for number, name in enumerate(self.people, start=1)})

    @property
    def buckets(self) -> int:
        return len(self.parts)

    @property
    def rows(self) -> int:
        return sum(len(part) for part in self.parts)

    def columns(self, bucket: int, names: list[str]) -> dict[str, Any]:
        part = self.parts[bucket]
        return {name: part.rest if name == REST else part.columns[name] for name in names}

    def remembered(self, bucket: int, key: Hashable, make: Callable[[], Made]) -> Made:
        known: Made | None = self._made.get((bucket, key))
        if known is None:
            known = self._made[bucket, key] = make()
        return known

    def texts(self, column: str) -> pa.Array[Any]:
        return self.dictionaries.get(column, Dictionary()).texts

    def person_codes(self, people: Iterable[Any]) -> Array:
        return np.array([self._codes[str(one)] for one in people if str(one) in self._codes], dtype=np.int32)

    def person_names(self, codes: Iterable[int]) -> list[str]:
        return [self.people[code - 1] for code in codes]


class ActivityLog:
    """Person-ordered columns and the questions they answer. Safe to use from several threads."""

    def __init__(
        self,
        store: Store | None,
        table: TableSnapshot | None,
        memory_bytes: int = MEMORY_BYTES,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.store = store
        self._elsewhere = elsewhere
        self._table = table
        self._memory = Memory(store, memory_bytes) if store is not None else None
        self._dictionaries: dict[str, tuple[int, pa.Array[Any]]] = {}
        self._manifest: Manifest | None = None
        self._empty_if_missing = False
        self._lock = Lock()
        self._sums: OrderedDict[tuple[Hashable, ...], Sums] = OrderedDict()
        self._sums_bytes = 0
        self._steps: tuple[int, dict[int, tuple[Excerpt, Excerpt] | None]] = (-1, {})
        self._stepping = Lock()

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        memory_bytes: int = MEMORY_BYTES,
        empty_if_missing: bool = False,
        cluster: str | None = None,
    ) -> ActivityLog:
        """The log in a folder or under s3://bucket/prefix. Where there is none yet, the first question raises NoSuchLog
        (a FileNotFoundError), or with `empty_if_missing` finds no events. `cluster`: the address of a Ray cluster whose
        nodes hold the columns and fold them (`memory_bytes` is then what one group of buckets may hold)."""
        elsewhere: Elsewhere | None = None
        if cluster:
            from uptake.activity.cluster import Cluster

            elsewhere = Cluster(location, address=cluster, memory_bytes=memory_bytes)
        log = cls(Store(location), None, memory_bytes, elsewhere)
        log._empty_if_missing = empty_if_missing
        return log

    @classmethod
    def from_arrow(cls, table: pa.Table, *, timezone: str = "UTC", buckets: int = 1) -> ActivityLog:
        """A log in memory. `table` has person, event and happened_at (a timestamp; without a zone it is UTC);
        company, department (numbers), source and object where there are; every other column is a property.
        Rows without a person are the system's. Business days are dates of `timezone`."""
        people, incoming, kinds = from_table(table, timezone)
        dictionaries: dict[str, Dictionary] = {}
        declared = {name: Property(name, kind) for name, kind in kinds.items()}
        rows, properties = encode(incoming, dictionaries, declared)
        own = bucket_of(rows.columns["person"], buckets)
        parts = [rows] if buckets == 1 else [rows.taken(np.flatnonzero(own == bucket)) for bucket in range(buckets)]
        return cls(None, TableSnapshot(parts, dictionaries, properties, people))

    def snapshot(self) -> Snapshot:
        """The state in force now."""
        if self._table is not None:
            return self._table
        assert self.store is not None
        assert self._memory is not None
        manifest = self._manifest
        if manifest is None or self.store.newest() != manifest.number:
            if self._empty_if_missing and not self.store.exists():
                return FileSnapshot(Manifest(), self._memory, {})
            manifest = self.store.manifest()
            with self._lock:
                self._manifest = manifest
        return FileSnapshot(manifest, self._memory, self._dictionaries, self._elsewhere)

    def reading(self, ask: Callable[[Snapshot], Answer]) -> Answer:
        """Asks one snapshot; again a newer one if its files were swept away in the middle."""
        for _ in range(5):
            try:
                return ask(self.snapshot())
            except FileNotFoundError:
                self._manifest = None
        return ask(self.snapshot())

    def summing(
        self,
        fold: Fold,
        tell: Callable[[Snapshot, State], Answer],
        key: tuple[Hashable, ...],
        moved: Moved = added,
    ) -> Answer:
        """As `reading`, of an answer (which nobody may change) told from sums over people; `fold` makes them.

        They are kept under the `key`, which says all that is asked, for everyone who asks the same, and moved on to
        later snapshots by counting again only those who have new rows.
        """

        def ask(snapshot: Snapshot) -> Answer:
            if not isinstance(snapshot, FileSnapshot):
                return tell(snapshot, fold(snapshot))
            known = self._sums.get(key)
            if known is not None and known.manifest.number == snapshot.manifest.number:
                self._keep(key, known)
                answer: Answer = known.answer
                return answer
            state = None
            if known is not None and known.manifest.number < snapshot.manifest.number:
                parts = self._step(known.manifest, snapshot)
                state = None if parts is None else moved(known.state, fold(parts[0]), fold(parts[1]))
            if state is None:
                state = fold(snapshot)
            told = tell(snapshot, state)
            self._keep(key, Sums(snapshot.manifest, state, told))
            return told

        return self.reading(ask)

    def _step(self, before: Manifest, snapshot: FileSnapshot) -> tuple[Excerpt, Excerpt] | None:
        """`carried.step`, worked out once for all the questions that go from one snapshot to another."""
        number = snapshot.manifest.number
        with self._stepping:
            if number != self._steps[0]:
                self._steps = (number, {})
            known = self._steps[1]
            if before.number not in known:
                known[before.number] = step(before, snapshot)
            return known[before.number]

    def _keep(self, key: tuple[Hashable, ...], new: Sums) -> None:
        with self._lock:
            known = self._sums.get(key)
            if known is not None and known.manifest.number > new.manifest.number:
                return
            self._sums[key] = new
            self._sums.move_to_end(key)
            self._sums_bytes += new.size - (known.size if known is not None else 0)
            while len(self._sums) > 1 and (self._sums_bytes > SUMS_BYTES or len(self._sums) > SUMS_KEPT):
                self._sums_bytes -= self._sums.popitem(last=False)[1].size

    def catch_up(self) -> None:
        """Brings the columns held in memory up to the newest snapshot, so that no page waits for it."""
        if self._memory is not None:
            snapshot = self.snapshot()
            assert isinstance(snapshot, FileSnapshot)
            if self._elsewhere is not None:
                self._elsewhere.catch_up(snapshot)
                return
            memory = self._memory
            each_bucket(snapshot, lambda bucket: memory.columns(snapshot.manifest, bucket, []), memory.buckets())

    def active(
        self,
        *,
        every: str = "day",
        timezone: str = "UTC",
        start: date | None = None,
        end: date | None = None,
        event: str | list[str] | None = None,
        week_start: str = "monday",
        by: str | None = None,
    ) -> PvUv:
        """Events and distinct people per hour, day, week, month or quarter (`start` and `end` inclusive)."""
        from uptake.activity.folds.pv_uv import PvUv

        own = {
            "event_sel": {"event": event}, "interval": every, "timezone": timezone, "week_start": week_start,
            "from": start, "to": end, "by": by,
        }  # fmt: skip
        return self._answered(PvUv, "pv_uv", own)

    def active_users(
        self,
        *,
        start: date,
        end: date,
        timezone: str = "UTC",
        event: str | list[str] | None = None,
        week_start: str = "monday",
    ) -> ActiveUsers:
        """Distinct people per day, rolling 7 and 30 days, calendar week and month."""
        from uptake.activity.folds.active_users import ActiveUsers

        own = {
            "event_sel": {"event": event}, "timezone": timezone, "week_start": week_start, "from": start, "to": end,
        }  # fmt: skip
        return self._answered(ActiveUsers, "active_users", own)

    def funnel(
        self,
        steps: Sequence[str | Mapping[str, Any]],
        *,
        within: str = "14d",
        order: str = "ordered",
        start: date | None = None,
        end: date | None = None,
        timezone: str = "UTC",
        by: str | None = None,
    ) -> Funnel:
        """How many people get from one step to the next. `within`: the window, such as 90s, 30m, 12h, 7d or 2w."""
        from uptake.activity.folds.funnel import Funnel
        from uptake.activity.funnels import seconds_of

        own = {
            "steps": list(steps), "order": order, "window_seconds": seconds_of(within), "timezone": timezone,
            "from": start, "to": end, "by": by,
        }  # fmt: skip
        return self._answered(Funnel, "funnel", own)

    def paths(
        self, *, max_steps: int = 5, gap: str = "30m", start: str | None = None, end: str | None = None, **more: Any
    ) -> Paths:
        """The ways people take. `more`: any other key of the question, such as items, filters, timezone."""
        from uptake.activity.folds.paths import Paths
        from uptake.activity.funnels import seconds_of

        own = {"max_steps": max_steps, "session_gap_seconds": seconds_of(gap), "start": start, "end": end}
        return self._answered(Paths, "paths", own | more)

    def transitions(self, *, gap: str | None = None, **more: Any) -> Transitions:
        """How often one event follows another; without `gap` a person's whole history is one walk."""
        from uptake.activity.folds.transitions import Transitions
        from uptake.activity.funnels import seconds_of

        own = {"session_gap_seconds": None if gap is None else seconds_of(gap)}
        return self._answered(Transitions, "transitions", own | more)

    def sessions(self, *, gap: str = "30m", **more: Any) -> Sessions:
        """Sessions, which end where nothing happens for longer than `gap`."""
        from uptake.activity.folds.sessions import Sessions
        from uptake.activity.funnels import seconds_of

        return self._answered(Sessions, "sessions", {"timeout_seconds": seconds_of(gap)} | more)

    def silent(self, *, days: float | None = None, on: date | None = None, **more: Any) -> Silence:
        """Who is silent (without `days`: by their own rhythm), and what they did last."""
        from uptake.activity.folds.silence import Silence

        return self._answered(Silence, "silence", {"silent_days": days, "as_of": on} | more)

    def trends(self, series: Sequence[str | Mapping[str, Any]], *, every: str = "day", **more: Any) -> Trends:
        """Events, people or sessions per interval, of several selectors."""
        from uptake.activity.folds.trends import Trends

        return self._answered(Trends, "trends", {"series": list(series), "interval": every} | more)

    def retention(
        self,
        first: str | Mapping[str, Any] | None = None,
        then: str | Mapping[str, Any] | None = None,
        *,
        every: str = "week",
        periods: int = 12,
        **more: Any,
    ) -> Retention:
        """Who comes back: cohorts by `first` (any event, if not said), returns by `then` (the same, if not said)."""
        from uptake.activity.folds.retention import Retention

        own: dict[str, Any] = {"interval": every, "intervals": periods}
        own |= {} if first is None else {"start_event": first}
        own |= {} if then is None else {"return_event": then}
        return self._answered(Retention, "retention", own | more)

    def lifecycle(self, *, every: str = "week", **more: Any) -> Lifecycle:
        """Who is new, returns, comes back and falls silent in each interval."""
        from uptake.activity.folds.lifecycle import Lifecycle

        return self._answered(Lifecycle, "lifecycle", {"interval": every} | more)

    def stickiness(self, *, every: str = "day", within: str | None = None, **more: Any) -> Stickiness:
        """How many were active in so many intervals; `within`: of the week, month or quarter of the last event."""
        from uptake.activity.criteria import last_of
        from uptake.activity.folds.stickiness import Stickiness

        own: dict[str, Any] = {"interval": every}
        if within is not None:
            zone = str(more.get("timezone", "UTC"))
            day = self.reading(lambda snapshot: last_of(snapshot, zone)).day
            first = first_of(day, within, str(more.get("week_start", "monday")))
            own |= {"from": first, "to": next_first(first, within) - timedelta(days=1)}
        return self._answered(Stickiness, "stickiness", own | more)

    def cohort(self, criteria: Sequence[Mapping[str, Any]], *, on: date | None = None, **more: Any) -> Cohort:
        """Who belongs, as of a date (of the last event, if not said)."""
        from uptake.activity.folds.cohort import Cohort

        return self._answered(Cohort, "cohort", {"criteria": list(criteria), "as_of": on} | more)

    def _answered(self, kind: type[Answer], name: str, question: Mapping[str, Any]) -> Answer:
        from uptake.activity.analyses import answer_to

        answer = answer_to(self, {"analysis": name, **question})
        assert isinstance(answer, kind)
        return answer

    def to_arrow(self) -> pa.Table:
        """Every row, with texts for codes, sorted by bucket, person, instant, event."""
        return self.reading(_whole_table)


@dataclass(frozen=True)
class Sums:
    """What a question was answered from."""

    manifest: Manifest
    state: State
    answer: Any

    @property
    def size(self) -> int:
        """Bytes of the sums."""
        return sum(array.nbytes for array in self.state)


def buckets_with(snapshot: Snapshot, codes: Array) -> list[int] | None:
    """The buckets in which these people's rows lie (at least one); None: any."""
    if not isinstance(snapshot, FileSnapshot):
        return None
    return sorted(set(bucket_of(codes, snapshot.buckets).tolist())) or [0]


def asked(name: str, *parts: Any) -> tuple[Hashable, ...]:
    """The key of a question: its name and all its parts, lists as tuples."""
    return (name, *(part if part is None or isinstance(part, str | int | date) else tuple(part) for part in parts))


def each_bucket(snapshot: Snapshot, fold: Callable[[int], Part], buckets: Iterable[int] | None = None) -> list[Part]:
    """The fold of every bucket (or of these), in threads where there is enough to do.

    On a cluster it runs in other processes: it gives what it finds and changes nothing outside of itself."""
    wanted = list(range(snapshot.buckets) if buckets is None else buckets)
    if isinstance(snapshot, FileSnapshot) and snapshot.elsewhere is not None:
        return snapshot.elsewhere.each_bucket(snapshot, fold, wanted)
    parts: list[Any] = [None] * len(wanted)

    def of(place: int, _: None) -> None:
        parts[place] = fold(wanted[place])

    in_threads(snapshot, of, len(wanted))
    return parts


def each_worker(snapshot: Snapshot, fold: Callable[[int, Part | None], Part]) -> list[Part]:
    """Every bucket folded into what its worker has so far (None at first): as many sums as there are workers.

    For sums too large to be made anew for every bucket; the fold may change what it is given."""
    if isinstance(snapshot, FileSnapshot) and snapshot.elsewhere is not None:
        return snapshot.elsewhere.each_worker(snapshot, fold)
    return in_threads(snapshot, fold, snapshot.buckets)


def in_threads(snapshot: Snapshot, fold: Callable[[int, Part | None], Part], count: int) -> list[Part]:
    """What each worker made of the numbers from 0 to `count`; whoever is free takes the next one."""
    numbers = iter(range(count))

    def run() -> list[Part]:
        sums: list[Part] = []
        for number in numbers:
            sums = [fold(number, sums[0] if sums else None)]
        return sums

    if count < 4 or snapshot.rows < SMALL:
        return run()
    others = [_threads().submit(run) for _ in range(_workers() - 1)]
    found = run()
    for one in others:
        found += one.result()
    return found


def _workers() -> int:
    return min(8, os.cpu_count() or 1)


def _threads() -> ThreadPoolExecutor:
    with _POOL_LOCK:
        if not _POOL:
            _POOL.append(ThreadPoolExecutor(max_workers=_workers(), thread_name_prefix="fold"))
        return _POOL[0]


_POOL: list[ThreadPoolExecutor] = []
_POOL_LOCK = Lock()


def _whole_table(snapshot: Snapshot) -> pa.Table:
    names = list(column_types(dict(snapshot.properties)))
    parts = [snapshot.columns(bucket, [*names, REST]) for bucket in range(snapshot.buckets)]
    arrays: dict[str, Any] = {}
    for name in names:
        column = np.concatenate([part[name] for part in parts])
        kind = dict(snapshot.properties).get(name.removeprefix("p:")) if name.startswith("p:") else None
        if name in CODED or (kind is not None and kind.kind == "text"):
            texts = snapshot.texts(name)
            arrays[name] = texts.take(pa.array(column, mask=column < 0))
        elif kind is not None and kind.kind == "boolean":
            arrays[name] = pa.array(column == 1, mask=column < 0)
        elif kind is not None:
            arrays[name] = pa.array(column, mask=np.isnan(column))
        else:
            arrays[name] = pa.array(column)
    arrays[REST] = pa.concat_arrays([part[REST] for part in parts])
    return pa.table(arrays)


def from_incoming(incoming: Incoming, people: list[str], not_activity: Sequence[str] = ()) -> ActivityLog:
    """A log in memory of rows whose person codes are 1 … len(people); `not_activity` names bookkeeping."""
    dictionaries: dict[str, Dictionary] = {}
    rows, properties = encode(incoming, dictionaries, {})
    return ActivityLog(None, TableSnapshot([rows], dictionaries, properties, people, not_activity))
