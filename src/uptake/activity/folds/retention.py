"""Who comes back: cohorts by when people started, and how many of them did it again so many intervals later.

Row i is the cohort of interval i, column 0 its size, column k the members with enough return events in interval i + k
(or in any interval from there on; or in any interval of a range of columns). Intervals are whole ones of the local
calendar; those that are not over `as_of` are marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from uptake.activity.asking import OTHER, Asked, Groups, ranks_of, shares_of
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import Histories, each_history
from uptake.activity.log import in_threads
from uptake.activity.owners import SEVERAL
from uptake.activity.periods import first_of, local_date, midnight
from uptake.activity.presence import (
    Intervals,
    bit_of,
    counts,
    first_match,
    first_of_name,
    in_days,
    intervals_from,
    intervals_until,
    label_of,
    people_of,
    presence,
    ranked,
)
from uptake.activity.question import (
    COMMON,
    By,
    Moment,
    Question,
    QuestionRefused,
    Range,
    Selector,
    read_by,
    read_instant,
    read_list,
    read_object,
    read_one_of,
    read_selector,
    read_whole,
    read_yes,
    shown,
)
from uptake.activity.visits import each_visit

Part = TypeVar("Part")
NAME = "retention"
SELECTOR = Selector()
KEYS = COMMON | {
    "start_event", "return_event", "mode", "intervals", "cumulative", "ranges", "min_return_count", "breakdown",
    "cohort_index", "average", "as_of",
}  # fmt: skip
MODES = ("recurring", "first_time", "first_ever", "first_in_range")
MOST_INTERVALS = 400
USUAL = 12
"""Intervals where the question says neither how many nor from when to when."""
START, RETURN, STARTS_NAME = 0, 1, 2
"""The places of the selectors."""


@dataclass(frozen=True)
class Retained:
    """What a question for retention says beyond what every question says."""

    start: Selector
    back: Selector
    mode: str
    intervals: int | None
    cumulative: bool
    ranges: tuple[tuple[int, int], ...] | None
    """Columns after the first, as the first and the last interval they look at."""
    least: int
    breakdown: By | None
    limit: int
    cohort_index: int | None
    mature_only: bool
    as_of: int | None


@dataclass(frozen=True)
class Retention:
    """One row per cohort. `by_value` has matrix and weighted_average per value of the breakdown."""

    starts: tuple[str, ...]
    """The first date of each interval (for hours: local date and time)."""
    matrix: tuple[tuple[int, ...], ...]
    """Row i: its size, then who came back in each column that begins inside the range."""
    weighted_average: tuple[float | None, ...]
    """Per column the share of those who came back, over the cohorts old enough for it; None: there are none."""
    counted: dict[str, Any]
    unfinished: tuple[tuple[bool, ...], ...] | None = None
    """Per cell whether an interval it looks at is not over `as_of`."""
    cohort: dict[str, list[int]] | None = None
    """The members of one cohort and the columns in which they are counted, most of them first."""
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns start, column, people (and value, first, with a breakdown)."""
        parts = {"": self.matrix} if self.by_value is None else {v: one["matrix"] for v, one in self.by_value.items()}
        rows = [
            (value, start, column, people)
            for value, matrix in parts.items()
            for start, row in zip(self.starts, matrix, strict=True)
            for column, people in enumerate(row)
        ]
        names = ("value", "start", "column", "people")
        table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
        return table if self.by_value is not None else table.drop_columns(["value"])


def read(question: Question) -> Retained:
    """What the question says; QuestionRefused names what is wrong."""
    own = question.own
    start = read_selector(own["start_event"], "start_event") if "start_event" in own else question.selector
    intervals = read_whole(own["intervals"], "intervals", 1, MOST_INTERVALS) if own.get("intervals") else None
    if "intervals" in own and intervals is None:
        raise QuestionRefused("intervals", f"a whole number from 1 to {MOST_INTERVALS}", shown(own["intervals"]))
    average = read_object(own.get("average") or {}, "average")
    for key in average:
        if key != "mature_only":
            raise QuestionRefused(f"average.{key}", "mature_only", "an unknown key")
    cumulative = read_yes(own.get("cumulative", False), "cumulative")
    ranges = _ranges(own["ranges"]) if own.get("ranges") is not None else None
    if cumulative and ranges is not None:
        raise QuestionRefused("ranges", "nothing where cumulative is true")
    breakdown, limit = _breakdown(question)
    index = own.get("cohort_index")
    return Retained(
        start=start,
        back=read_selector(own["return_event"], "return_event") if "return_event" in own else start,
        mode=read_one_of(own.get("mode", "recurring"), MODES, "mode"),
        intervals=intervals,
        cumulative=cumulative,
        ranges=ranges,
        least=read_whole(own.get("min_return_count", 1), "min_return_count", 1, 1_000_000),
        breakdown=breakdown,
        limit=limit,
        cohort_index=None if index is None else read_whole(index, "cohort_index", 0, MOST_INTERVALS - 1),
        mature_only=read_yes(average.get("mature_only", True), "average.mature_only"),
        as_of=read_instant(own["as_of"], question.timezone, "as_of") if own.get("as_of") is not None else None,
    )


def _ranges(value: Any) -> tuple[tuple[int, int], ...]:
    """[[1, 3], [4, 7], [8, 14]]."""
    expected = "a list of [first interval, last interval]"
    found: list[tuple[int, int]] = []
    for place, one in enumerate(read_list(value, "ranges", expected)):
        key = f"ranges[{place}]"
        pair = read_list(one, key, "[first interval, last interval]")
        if len(pair) != 2:
            raise QuestionRefused(key, "[first interval, last interval]", shown(pair))
        low = read_whole(pair[0], key, 1, MOST_INTERVALS)
        found.append((low, read_whole(pair[1], key, low, MOST_INTERVALS)))
    if not found:
        raise QuestionRefused("ranges", expected, "an empty list")
    return tuple(found)


def _breakdown(question: Question) -> tuple[By | None, int]:
    value = question.own.get("breakdown")
    if value is None:
        return question.by, question.limit
    if not isinstance(value, Mapping):
        return read_by(value, "breakdown"), question.limit
    for key in value:
        if key not in ("property", "limit"):
            raise QuestionRefused(f"breakdown.{key}", "one of property, limit", "an unknown key")
    limit = read_whole(value.get("limit", question.limit), "breakdown.limit", 1, 1000)
    return read_by({"property": value.get("property")}, "breakdown"), limit


def answer(asked: Asked) -> Retention:
    """The cohorts of the question's intervals."""
    own = read(asked.question)
    intervals = _intervals(asked, own)
    if intervals is None:
        return Retention((), (), (), asked.counted(None), None, None, {} if own.breakdown else None)
    if own.cohort_index is not None and own.cohort_index >= intervals.count:
        raise QuestionRefused("cohort_index", f"a row from 0 to {intervals.count - 1}", str(own.cohort_index))
    whole, by_value = _told(asked, own, intervals, None)
    compare = None
    if asked.question.compare is not None:
        then = _compared(asked, intervals)
        before, before_by = _told(asked, own, then, None if by_value is None else tuple(by_value))
        compare = {"starts": list(then.labels), **before}
        if before_by is not None:
            compare["by_value"] = before_by
    marked = intervals.unfinished(own.as_of)
    cohort = None if own.cohort_index is None else _cohort(asked, own, intervals, own.cohort_index)
    return Retention(
        starts=intervals.labels,
        matrix=tuple(tuple(row) for row in whole["matrix"]),
        weighted_average=tuple(whole["weighted_average"]),
        counted={**asked.counted(None), **_what(own, intervals)},
        unfinished=None if marked is None else _unsettled(marked, _columns(own, intervals.count)),
        cohort=cohort,
        by_value=by_value,
        compare=compare,
    )


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """The people of {"row": i, "column": k}, with "value" those of one value of the breakdown; without "row" of all
    cohorts."""
    own = read(asked.question)
    for key in number:
        if key not in ("row", "column", "value"):
            raise QuestionRefused(str(key), "one of row, column, value", "an unknown key")
    intervals = _intervals(asked, own)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person" where people are asked for')
    if intervals is None:
        return np.zeros(0, np.int32)
    row = read_whole(number["row"], "row", 0, intervals.count - 1) if "row" in number else None
    column = read_whole(number.get("column", 0), "column", 0, len(_columns(own, intervals.count)) - 1)
    value = number.get("value")
    if value is not None and (not isinstance(value, str) or own.breakdown is None):
        raise QuestionRefused("value", "a value of the breakdown", shown(value))
    parts = _members(asked, own, intervals)
    groups = None
    if value is not None:
        groups = ranked(_sizes(parts), own.limit)
    found = []
    for part in parts:
        wanted = part.hits[:, column].copy() if row is None else (part.row == row) & part.hits[:, column]
        if groups is not None and value is not None:
            labels = np.array([label_of(text, groups) == value for text in part.labels] or [False])
            wanted &= labels[part.group]
        found.append(part.actor[wanted])
    return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int32)


def _what(own: Retained, intervals: Intervals) -> dict[str, Any]:
    return {
        "mode": own.mode,
        "start_event": list(own.start.events) if own.start.events is not None else "any",
        "return_event": list(own.back.events) if own.back.events is not None else "any",
        "intervals": intervals.count,
        "from": intervals.labels[0],
    }


def _intervals(asked: Asked, own: Retained) -> Intervals | None:
    """The rows: from the bucket of `from`, or up to that of `to` (or of the last event); None: there are no events."""
    question = asked.question
    how = (question.interval, question.timezone, question.week_start)
    start, end = question.range.start, question.range.end
    if start is None:
        if end is None:
            extent = asked.extent()
            if extent is None:
                return None
            end = Moment(local_date(extent[1], question.timezone), extent[1])
        return intervals_until(end, own.intervals or USUAL, *how)
    if own.intervals is not None or end is None:
        found = intervals_from(start, own.intervals or USUAL, *how)
        if end is None:
            return found
        over = end.at + 1 if end.at is not None else midnight(end.day + timedelta(days=1), question.timezone)
        return replace(found, edges=np.minimum(found.edges, over))  # what happened after `to` does not count
    count = 1
    if question.interval == "hour":
        count = 24 * ((end.day - start.day).days + 1)
    else:
        reached = intervals_until(end, 1, *how).labels[0]
        while intervals_from(start, count, *how).labels[-1] < reached and count <= MOST_INTERVALS:
            count *= 2
        labels = intervals_from(start, count, *how).labels
        count = labels.index(reached) + 1 if reached in labels else MOST_INTERVALS + 1
    if count > MOST_INTERVALS:
        raise QuestionRefused("to", f"a range of at most {MOST_INTERVALS} intervals", f"{count} of them")
    return intervals_from(start, count, *how)


def _compared(asked: Asked, intervals: Intervals) -> Intervals:
    question = asked.question
    how = (question.interval, question.timezone, question.week_start)
    if isinstance(question.compare, Range):
        assert question.compare.start is not None, "a range to compare with has both ends"
        return intervals_from(question.compare.start, intervals.count, *how)
    first = date.fromisoformat(intervals.labels[0][:10])
    if question.interval == "hour":
        return intervals_until(Moment(first, int(intervals.edges[0]) - 1), intervals.count, *how)
    return intervals_until(
        Moment(first_of(first, question.interval, question.week_start) - timedelta(days=1)), intervals.count, *how
    )


@dataclass(frozen=True)
class Column:
    """The intervals after the cohort's own that a column looks at, and the one that has to be over for it to stand."""

    low: int
    high: int
    decides: int


def _columns(own: Retained, count: int) -> tuple[Column, ...]:
    if own.ranges is not None:
        return (Column(0, 0, 0), *(Column(low, high, high) for low, high in own.ranges))
    return tuple(Column(k, count - 1 if own.cumulative and k else k, k) for k in range(count))


def _unsettled(unfinished: tuple[bool, ...], columns: tuple[Column, ...]) -> tuple[tuple[bool, ...], ...]:
    """Per cell whether what it looks at is not over, or lies beyond the range, row by row."""
    count = len(unfinished)
    return tuple(
        tuple(
            row + column.decides >= count or unfinished[row + column.decides]
            for column in columns
            if row + column.low < count
        )
        for row in range(count)
    )


def _told(
    asked: Asked, own: Retained, intervals: Intervals, values: tuple[str, ...] | None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]] | None]:
    """matrix and weighted_average of everybody, and of each value of the breakdown."""
    columns = _columns(own, intervals.count)
    old_enough = _old_enough(own, intervals, columns)
    low, high = _bounds(columns)
    plain = own.ranges is None and not own.cumulative
    shape = (intervals.count, len(columns))
    if own.breakdown is None:

        def of(history: Histories, shown: Intervals) -> Array:
            history = history.people
            began, back = _began_and_back(history, history.starts, history.ends, own, shown)
            return _cells(began, back, np.zeros(len(began), np.int64), 1, low, high, plain)

        total = sum(_each(asked, own, intervals, of, None), np.zeros((1, *shape), np.int64))
        return _shown(total[0], columns, old_enough, own), None
    parts = _each(asked, own, intervals, lambda history, shown: _cohorts(history, own, shown), own.breakdown)
    groups = _named(values) if values is not None else ranked(_people(parts), own.limit)
    rest = len(groups.labels)

    def counted(place: int, so_far: Array | None) -> Array:
        part = parts[place]
        tables = np.zeros((rest + 1, *shape), np.int64) if so_far is None else so_far
        rank = ranks_of(part.labels, groups)
        owned = shares_of(part.labels, groups)[part.owner]
        tables += _cells(part.began, part.back, owned, rest + 1, low, high, plain)
        if len(part.mixed):
            some = count_cells_by(part.began[part.mixed], part.back[part.mixed], part.group, rank, rest, low, high)
            tables[:rest] += some[:rest]
            tables[rest] -= some[:rest].sum(axis=0)
        return tables

    tables = sum(in_threads(asked.snapshot, counted, len(parts)), np.zeros((rest + 1, *shape), np.int64))
    by_value = {text: _shown(tables[number], columns, old_enough, own) for number, text in enumerate(groups.labels)}
    return _shown(tables.sum(axis=0), columns, old_enough, own), by_value


@dataclass(frozen=True)
class Cohorts:
    """The actors of a bucket: the row by which each is in an interval's cohort (-1: it is not), and in which intervals
    it was back."""

    began: Array
    back: Array
    labels: tuple[str, ...]
    owner: Array
    """By actor the value of all its rows; SEVERAL: they differ."""
    mixed: Array
    """Places of the actors whose rows differ."""
    group: Array
    """The value of each row, for them."""
    people: Array
    """By value how many actors are in a cohort of it."""


def _cohorts(history: Histories, own: Retained, intervals: Intervals) -> Cohorts:
    history = history.people
    began, back = _began_and_back(history, history.starts, history.ends, own, intervals)
    labels = history.labels or ("",)
    owner = history.owner if len(history.owner) else np.full(len(began), SEVERAL, np.int32)
    settled, mixed = owner >= 0, np.flatnonzero(owner < 0)
    sizes = np.bincount(owner[settled & (began >= 0).any(axis=1)], minlength=len(labels))
    group = np.zeros(0, np.int32)
    if len(mixed):
        group = history.group if len(history.group) else np.zeros(len(history.at), np.int32)
        sizes = sizes + actors_by_value(began[mixed], group, len(labels))
    return Cohorts(began, back, labels, owner, mixed, group, sizes)


def _people(parts: list[Cohorts]) -> dict[str, int]:
    """How many actors each value has."""
    alike: dict[tuple[str, ...], Array] = {}
    for part in parts:
        known = alike.get(part.labels)
        alike[part.labels] = part.people if known is None else known + part.people
    sizes: dict[str, int] = {}
    for labels, many in alike.items():
        for label in np.flatnonzero(many).tolist():
            sizes[labels[label]] = sizes.get(labels[label], 0) + int(many[label])
    return sizes


def _cells(
    began: Array, back: Array, own: Array, groups: int, low: Array, high: Array, plain: bool
) -> Array:  # fmt: skip
    """(groups, rows, columns) people of a bucket; own: by actor the group. plain: column k is the interval k later."""
    return count_plain_cells(began, back, own, groups) if plain else count_cells(began, back, own, groups, low, high)


def _bounds(columns: tuple[Column, ...]) -> tuple[Array, Array]:
    low, high = [column.low for column in columns], [column.high for column in columns]
    return np.array(low, np.int64), np.array(high, np.int64)


def _named(values: tuple[str, ...]) -> Groups:
    return Groups(tuple(text for text in values if text != OTHER), OTHER in values)


def _old_enough(own: Retained, intervals: Intervals, columns: tuple[Column, ...]) -> Array:
    """(rows, columns) whether the cohort is old enough for the column."""
    count = intervals.count
    marks = _unsettled(intervals.unfinished(own.as_of) or (False,) * count, columns)
    old = np.zeros((count, len(columns)), bool)
    for row in range(count):
        seen = [place for place, column in enumerate(columns) if row + column.low < count]
        old[row, seen] = ~np.array(marks[row], bool)
    return old


def _shown(total: Array, columns: tuple[Column, ...], old_enough: Array, own: Retained) -> dict[str, Any]:
    count = len(total)
    cells = total.tolist()
    seen = [[place for place, column in enumerate(columns) if row + column.low < count] for row in range(count)]
    matrix = [[cells[row][place] for place in seen[row]] for row in range(count)]
    judged = old_enough if own.mature_only else np.ones_like(old_enough)
    sizes, came = (judged * total[:, :1]).sum(axis=0).tolist(), (judged * total).sum(axis=0).tolist()
    average = [round(many / size, 4) if size else None for many, size in zip(came, sizes, strict=True)]
    return {"matrix": matrix, "weighted_average": average}


def _selectors(own: Retained) -> tuple[Selector, ...]:
    return (own.start, own.back, replace(own.start, where=()))


def _began_and_back(
    history: Histories, starts: Array, ends: Array, own: Retained, intervals: Intervals
) -> tuple[Array, Array]:
    """(actors, intervals) twice: the row of the event by which they are in the interval's cohort (-1: they are not),
    and whether they did enough to have come back."""
    there = presence(history, starts, ends, START, intervals) if own.mode == "recurring" else None
    if own.least > 1:
        back = counts(history, starts, ends, RETURN, intervals) >= own.least
    elif there is not None and own.back == own.start:
        back = there >= 0
    else:
        back = presence(history, starts, ends, RETURN, intervals) >= 0
    if there is not None:
        return there, back
    bit = bit_of(START)
    args = (starts, ends, history.at, history.codes, history.bits)
    if own.mode == "first_ever":
        rows = first_of_name(*args, bit_of(STARTS_NAME), bit)
    else:
        first = -(2**62) if own.mode == "first_time" else int(intervals.edges[0])
        rows = first_match(*args, bit, first)
    began = np.full(back.shape, -1, np.int32)
    found = np.flatnonzero(rows >= 0)
    places = np.searchsorted(intervals.edges, history.at[rows[found]], side="right") - 1
    inside = (places >= 0) & (places < len(intervals.number))
    began[found[inside], intervals.number[places[inside]]] = rows[found[inside]]
    return began, back


@dataclass(frozen=True)
class Members:
    """The members of the cohorts of a bucket, one entry per actor and cohort."""

    actor: Array
    row: Array
    group: Array
    """The place of the value in `labels`."""
    hits: Array
    """(entries, columns) bool"""
    labels: tuple[str, ...]
    names: tuple[str, ...]


def _members(asked: Asked, own: Retained, intervals: Intervals) -> list[Members]:
    columns = _columns(own, intervals.count)

    def of(history: Histories, intervals: Intervals) -> Members:
        starts, ends, actor = people_of(history)
        began, back = _began_and_back(history, starts, ends, own, intervals)
        who, row = np.nonzero(began >= 0)
        before = np.concatenate([np.zeros((len(back), 1), np.int32), np.cumsum(back, axis=1, dtype=np.int32)], axis=1)
        hits = np.zeros((len(who), len(columns)), bool)
        hits[:, 0] = True
        last = intervals.count
        for place, column in enumerate(columns):
            if place:
                begin, end = np.minimum(row + column.low, last), np.minimum(row + column.high + 1, last)
                hits[:, place] = before[who, end] > before[who, begin]
        group = history.group[began[who, row]] if len(history.group) else np.zeros(len(who), np.int32)
        return Members(actor[who], row, group, hits, tuple(history.labels) or ("",), history.names)

    return _each(asked, own, intervals, of, own.breakdown)


def _each(
    asked: Asked, own: Retained, intervals: Intervals, fold: Callable[[Histories, Intervals], Part], by: By | None
) -> list[Part]:
    """What the fold makes of each bucket's visits where they say enough, else of its rows."""
    if own.least == 1:
        parts = each_visit(asked, _selectors(own), intervals.edges, in_days(fold, intervals), by)
        if parts is not None:
            return parts
    return each_history(asked, _selectors(own), lambda history: fold(history, intervals), breakdown=by)


def _sizes(parts: list[Members]) -> dict[str, int]:
    """How many actors each value has."""
    sizes: dict[str, int] = {}
    for part in parts:
        pairs = np.unique(part.actor.astype(np.int64) * (len(part.labels) + 1) + part.group)
        values, people = np.unique(pairs % (len(part.labels) + 1), return_counts=True)
        for value, many in zip(values.tolist(), people.tolist(), strict=True):
            sizes[part.labels[value]] = sizes.get(part.labels[value], 0) + many
    return sizes


def _cohort(asked: Asked, own: Retained, intervals: Intervals, index: int) -> dict[str, list[int]]:
    found: list[tuple[str, list[int]]] = []
    for part in _members(asked, replace(own, breakdown=None), intervals):
        here = np.flatnonzero(part.row == index)
        codes = part.actor[here].tolist()
        names = [part.names[code - 1] for code in codes] if part.names else asked.snapshot.person_names(codes)
        for name, entry in zip(names, here.tolist(), strict=True):
            found.append((name, np.flatnonzero(part.hits[entry]).tolist()))
    return dict(sorted(found, key=lambda one: (-len(one[1]), one[0])))


@compiled
def actors_by_value(began: Array, group: Array, values: int) -> Array:
    """By value the actors with a cohort of it."""
    people = np.zeros(values, np.int64)
    seen = np.full(values, -1, np.int64)
    for a in range(began.shape[0]):
        for i in range(began.shape[1]):
            if began[a, i] >= 0:
                value = np.uint64(group[began[a, i]])
                people[value] += seen[value] != a
                seen[value] = a
    return people


@compiled
def count_cells_by(
    began: Array, back: Array, group: Array, rank: Array, values: int, low: Array, high: Array
) -> Array:  # fmt: skip
    """(values + 1, intervals, columns) as `count_cells`, each cohort under the rank of its event's value (-1: none),
    the last of those without one."""
    people, count = began.shape
    columns = len(low)
    total = np.zeros((values + 1, count, columns), np.int64)
    before = np.zeros(count + 1, np.int64)
    for a in range(people):
        for i in range(count):
            before[i + 1] = before[i] + back[a, i]
        for i in range(count):
            if began[a, i] < 0:
                continue
            value = rank[group[began[a, i]]]
            if value < 0:
                value = values
            total[value, i, 0] += 1
            for c in range(1, columns):
                begin = i + low[c]
                if begin >= count:
                    continue
                total[value, i, c] += before[min(i + high[c] + 1, count)] > before[begin]
    return total


@compiled
def count_plain_cells(began: Array, back: Array, own: Array, groups: int) -> Array:
    """As `count_cells`, where column k looks at the interval k after the cohort's own."""
    people, count = began.shape
    both = np.zeros((groups, count, count), np.int32)
    there = np.zeros(count, np.int32)
    for a in range(people):
        g = np.uint64(own[a])
        for i in range(count):
            there[i] = back[a, i]
        for i in range(count):
            if began[a, i] >= 0:
                for j in range(count):
                    both[g, i, j] += there[j]
                both[g, i, i] += 1 - there[i]
    total = np.zeros((groups, count, count), np.int64)
    for one in range(groups):
        for i in range(count):
            for j in range(i, count):
                total[one, i, j - i] = both[one, i, j]
    return total


@compiled
def count_cells(began: Array, back: Array, own: Array, groups: int, low: Array, high: Array) -> Array:
    """(groups, intervals, columns): sizes of cohorts, and members who were back between interval + low and + high.

    own: by actor the group."""
    people, count = began.shape
    columns = len(low)
    total = np.zeros((groups, count, columns), np.int64)
    before = np.zeros(count + 1, np.int64)
    for a in range(people):
        g = own[a]
        for i in range(count):
            before[i + 1] = before[i] + back[a, i]
        for i in range(count):
            if began[a, i] < 0:
                continue
            total[g, i, 0] += 1
            for c in range(1, columns):
                begin = i + low[c]
                if begin < count and before[min(i + high[c] + 1, count)] > before[begin]:
                    total[g, i, c] += 1
    return total
