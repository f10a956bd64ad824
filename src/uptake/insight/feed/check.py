"""Compares the activity log with the record, event by event, as far as the log has read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from uptake.activity.columns import CORE, REST
from uptake.activity.incoming import Incoming
from uptake.activity.log import ActivityLog
from uptake.activity.store import Manifest
from uptake.events.models import Event
from uptake.events.read import Position, events_after
from uptake.insight.feed.refresh import positions
from uptake.insight.feed.rows import Departments, rows_of
from uptake.insight.feed.where import activity_log, store

PAGE = 50_000
SHOWN = 20


@dataclass(frozen=True)
class Check:
    """What a comparison found. The log is right when nothing is missing, too much or different."""

    events: int
    """Standing events of the record up to where the log has read."""
    rows: int
    """Rows of the log."""
    missing: int
    too_much: int
    different: int
    waiting: int
    """Events the log has not read yet; that is no fault."""
    examples: tuple[str, ...]
    unreadable: bool = False
    """A file is broken or gone; nothing was compared."""

    @property
    def right(self) -> bool:
        return not (self.missing or self.too_much or self.different or self.unreadable)


def check() -> Check:
    """Reads the record and the files wholly, and compares who, when, where, what and the properties of every event.

    Corrections and memberships that the log has not read yet show as differences: refresh first."""
    manifest = store().manifest() if store().exists() else Manifest()
    try:
        # from the files, not from what this process remembers of them
        in_log, doubles = _in_log(ActivityLog(store(), None) if store().exists() else activity_log())
    except (OSError, pa.ArrowException) as broken:
        return Check(0, 0, 0, 0, 0, 0, (f"a file cannot be read: {broken}",), unreadable=True)
    rows = len(in_log) + len(doubles)
    departments = Departments()
    position, end = Position(), positions(manifest.position)[0]
    events = missing = different = waiting = 0
    examples: list[str] = [f"event {pk} stands twice" for pk in doubles[:SHOWN]]
    while True:
        page = list(events_after(position, limit=PAGE).values_list("txid", "pk"))
        if not page:
            break
        position = Position(*page[-1])
        ids = {pk for txid, pk in page if (txid, pk) <= end}
        waiting += len(page) - len(ids)
        if not ids:
            continue
        found = rows_of(Event.objects.filter(pk__range=(min(ids), max(ids))).standing(), departments)
        for wanted in _tuples(found):
            if wanted[0] not in ids:
                continue
            events += 1
            row = in_log.pop(wanted[0], None)
            if row is None:
                missing += 1
                examples.append(f"event {wanted[0]} is missing")
            elif row != wanted:
                different += 1
                examples.append(f"event {wanted[0]} is {row}, should be {wanted}")
            del examples[SHOWN:]
    examples += [f"event {pk} should not be there" for pk in list(in_log)[: SHOWN - len(examples)]]
    return Check(events, rows, missing, len(in_log) + len(doubles), different, waiting, tuple(examples))


def _in_log(log: ActivityLog) -> tuple[dict[int, tuple[Any, ...]], list[int]]:
    """The rows by event, and the events that stand there more than once."""
    table = log.to_arrow()
    own = [name for name in table.column_names if name.startswith("p:")]
    columns = [table[name].to_pylist() for name in CORE]
    properties = [table[name].to_pylist() for name in own]
    rest = table[REST].to_pylist()
    rows: dict[int, tuple[Any, ...]] = {}
    doubles: list[int] = []
    for index, plain in enumerate(zip(*columns, strict=True)):
        values = dict(orjson.loads(rest[index] or "{}"))
        values |= {
            name[2:]: column[index] for name, column in zip(own, properties, strict=True) if column[index] is not None
        }
        if plain[0] in rows:
            doubles.append(plain[0])
        rows[plain[0]] = (*plain, _comparable(values))
    return rows, doubles


def _tuples(rows: Incoming) -> list[tuple[Any, ...]]:
    columns = [getattr(rows, name) for name in CORE]
    properties = [_comparable({k: v for k, v in one.items() if v is not None}) for one in rows.properties]
    return [(*plain, values) for *plain, values in zip(*columns, properties, strict=True)]


def _comparable(values: dict[str, Any]) -> bytes:
    whole = {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in values.items()
    }
    return orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)
