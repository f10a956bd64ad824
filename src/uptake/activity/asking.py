"""What every analysis is given: the question, one snapshot, the rows that pass, bucket by bucket, and the groups.

An analysis is a fold over one bucket's rows, each actor's together and in time order, and a sum over buckets.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from uptake.activity.columns import Array, Property, property_column
from uptake.activity.compile import compiled
from uptake.activity.conditions import Sieve, distinct, label, values_of
from uptake.activity.criteria import Belonging, Segment, belonging, last_of, narrowed, read_segment
from uptake.activity.incoming import row_numbers
from uptake.activity.log import Snapshot, each_bucket
from uptake.activity.periods import local_date, midnight
from uptake.activity.question import MOST_BUCKETS, By, Moment, Question, QuestionRefused, Range

OTHER = "__other__"
MOST_NUMBERS = 20_000
"""Below this number organizations are labelled by a table, above it only those that occur."""
Part = TypeVar("Part")


@dataclass(frozen=True)
class Rows:
    """The rows of a bucket for a fold: `keep` says which count, `group` in which row of the answer.

    Sorted by (actor, instant). Actors above 0 are counted as people, those below only their events."""

    actor: Array
    at: Array
    keep: Array
    group: Array


@dataclass(frozen=True)
class Span:
    """A range that has been settled: local dates, and the instants [low, high) that count."""

    first: date
    last: date
    low: int
    high: int

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Groups:
    """The rows of an answer with a breakdown: the values shown, by rank, and whether the rest is one more."""

    values: tuple[str, ...]
    other: bool

    @property
    def labels(self) -> tuple[str, ...]:
        return (*self.values, OTHER) if self.other else self.values


@dataclass
class Asked:
    """A question on its way through one snapshot."""

    snapshot: Snapshot
    question: Question
    companies: Collection[int] | None = None
    """The companies whoever asks may see; None: all."""
    only: Array | None = field(default=None, init=False, repr=False)
    """Codes of the people the question is narrowed to, by name and by its segment; None: everybody."""
    visible: Collection[int] | None = field(default=None, init=False, repr=False)
    """The companies that count: those whoever asks may see, and of these the ones in its segment; None: all."""
    _sieve: Sieve | None = field(default=None, repr=False)
    _regrouped: Rows | None = field(default=None, repr=False)
    _values: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        asked, snapshot = self.question, self.snapshot
        self.visible = self.companies
        self.only = None if asked.only_persons is None else snapshot.person_codes(asked.only_persons)
        if asked.segment is None:
            return
        segment = read_segment(
            asked.segment, "segment", zone=asked.timezone,
            as_of=lambda: asked.range.end or last_of(snapshot, asked.timezone),
        )  # fmt: skip
        found = self.belonging(segment).codes
        if segment.of == "person":
            self.only = narrowed(self.only, found)
        else:
            self.visible = found.tolist() if self.visible is None else set(self.visible) & set(found.tolist())

    def belonging(self, segment: Segment, known: Array | None = None) -> Belonging:
        """Who belongs to a segment, by the events that whoever asks may see at the places asked about."""
        return belonging(self.snapshot, segment, companies=self.companies, places=self.question.scope, known=known)

    @property
    def sieve(self) -> Sieve:
        if self._sieve is None:
            asked, snapshot = self.question, self.snapshot
            self._sieve = Sieve(
                snapshot,
                selector=asked.selector,
                conditions=asked.filters,
                only_persons=self.only,
                not_persons=snapshot.person_codes(asked.not_persons),
                companies=self.visible,
                places=asked.scope,
                sources=asked.sources,
            )
        return self._sieve

    def span(self, between: Range | None = None) -> Span | None:
        """The range in instants; an end that is not given is where the counted rows begin or end. None: no rows."""
        between = between or self.question.range
        zone = self.question.timezone
        start, end = between.start, between.end
        if start is None or end is None:
            extent = self.extent()
            if extent is None and start is None and end is None:
                return None
            earliest, latest = extent if extent is not None else (0, 0)
            known = start or end
            if extent is None and known is not None:
                start = end = Moment(known.day)
            start = start or Moment(local_date(earliest, zone))
            end = end or Moment(max(local_date(latest, zone), start.day))
            if start.day > end.day:
                start = Moment(end.day)
        low = start.at if start.at is not None else midnight(start.day, zone)
        high = end.at + 1 if end.at is not None else midnight(end.day + timedelta(days=1), zone)
        span = Span(start.day, end.day, low, high)
        if (
            self.question.interval in ("hour", "day")
            and span.days * (24 if self.question.interval == "hour" else 1) > MOST_BUCKETS
        ):
            raise QuestionRefused("interval", f"at most {MOST_BUCKETS} intervals in the range", f"{span.days} days")
        return span

    def compared(self, span: Span) -> Span | None:
        """The range to compare with: the one named, or the same number of days just before."""
        wanted = self.question.compare
        if wanted is None:
            return None
        if isinstance(wanted, Range):
            return self.span(wanted)
        zone = self.question.timezone
        first, last = span.first - timedelta(days=span.days), span.first - timedelta(days=1)
        return Span(first, last, midnight(first, zone), midnight(span.first, zone))

    def sum(self, fold: Callable[[Rows], list[Array]], groups: Groups | None = None) -> list[Array]:
        """The arrays a fold makes of each bucket's rows, added up. Every array has a row per group (or one row)."""
        if self._one_part():
            return fold(self._all_rows(groups))

        def of(bucket: int) -> list[Array]:
            return fold(self._rows(bucket, groups))

        parts = each_bucket(self.snapshot, of)
        total = parts[0]
        for part in parts[1:]:
            total = [whole + more for whole, more in zip(total, part, strict=True)]
        return total

    def groups(self, span: Span) -> Groups | None:
        """The values of the breakdown with the most actors in the range, at most `limit`; None: no breakdown."""
        if self.question.by is None:
            return None
        people: dict[str, int] = {}
        events: dict[str, int] = {}
        from uptake.activity.visits import ranked_places

        placed = ranked_places(self, span.low, span.high)
        if placed is not None:
            found = sorted(placed, key=lambda text: (-placed[text][0], -placed[text][1], text))
            return Groups(tuple(found[: self.question.limit]), len(found) > self.question.limit)

        def count(rows: Rows, labels: list[str]) -> list[tuple[str, int, int]]:
            counted = people_per_group(rows.actor, rows.at, rows.keep, rows.group, span.low, span.high, len(labels))
            found = zip(labels, counted[1].tolist(), counted[0].tolist(), strict=True)
            return [(text, some, many) for text, some, many in found if many]

        sieve, by = self.sieve, self.question.by

        def of(bucket: int) -> list[tuple[str, int, int]]:
            keep = sieve.mask(bucket)
            labels, codes = group_codes(self.snapshot, bucket, by, keep)
            return count(self._plain(bucket, keep, codes), labels)

        if self._one_part():
            rows = self._all_rows(None)
            labels, codes = self._labels_of_all()
            parts = [count(replace(rows, group=codes), labels)]
        else:
            parts = each_bucket(self.snapshot, of)
        for text, some, many in (row for part in parts for row in part):
            people[text] = people.get(text, 0) + some
            events[text] = events.get(text, 0) + many
        ranked = sorted(people, key=lambda text: (-people[text], -events[text], text))
        return Groups(tuple(ranked[: self.question.limit]), len(ranked) > self.question.limit)

    def extent(self) -> tuple[int, int] | None:
        """The first and the last instant of the rows that pass; None: there are none."""

        def of(bucket: int) -> tuple[int, int] | None:
            at = self.snapshot.columns(bucket, ["happened_at"])["happened_at"][self.sieve.mask(bucket)]
            return (int(at.min()), int(at.max())) if len(at) else None

        found = [extent for extent in each_bucket(self.snapshot, of) if extent is not None]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None

    def _one_part(self) -> bool:
        return self.question.count_by != By()

    def _rows(self, bucket: int, groups: Groups | None) -> Rows:
        keep = self.sieve.mask(bucket)
        if groups is None or self.question.by is None:
            return self._plain(bucket, keep, np.zeros(len(keep), dtype=np.int32))
        labels, codes = group_codes(self.snapshot, bucket, self.question.by, keep)
        codes, known = _ranked(labels, codes, groups)
        return self._plain(bucket, keep & known, codes)

    def _plain(self, bucket: int, keep: Array, group: Array) -> Rows:
        columns = self.snapshot.columns(bucket, ["person", "happened_at"])
        return Rows(columns["person"], columns["happened_at"], keep, group)

    def _all_rows(self, groups: Groups | None) -> Rows:
        """Where something else than people is counted: the kept rows of all buckets, sorted by that."""
        if self._regrouped is None:
            self._regrouped = self._regroup()
        rows = self._regrouped
        if groups is None:
            return rows
        labels, codes = self._labels_of_all()
        codes, known = _ranked(labels, codes, groups)
        return replace(rows, group=codes, keep=rows.keep & known)

    def _regroup(self) -> Rows:
        actors: dict[str, int] = {}
        actor, at, group = [], [], []
        for bucket in range(self.snapshot.buckets):
            keep = self.sieve.mask(bucket)
            labels, codes = group_codes(self.snapshot, bucket, self.question.count_by, keep)
            numbers = np.array([actors.setdefault(text, len(actors) + 1) if text else 0 for text in labels] or [0])
            actor.append(numbers[codes[keep]])
            at.append(self.snapshot.columns(bucket, ["happened_at"])["happened_at"][keep])
            if self.question.by is not None:
                labels, codes = group_codes(self.snapshot, bucket, self.question.by, keep)
                global_codes = np.array([self._values.setdefault(text, len(self._values)) for text in labels] or [0])
                group.append(global_codes[codes[keep]])
            else:
                group.append(np.zeros(int(keep.sum()), dtype=np.int64))
        who, when, which = np.concatenate(actor), np.concatenate(at), np.concatenate(group)
        there = np.flatnonzero(who > 0)  # events without the property drop out
        order = there[np.lexsort((when[there], who[there]))]
        return Rows(
            who[order].astype(np.int32), when[order], np.ones(len(order), dtype=bool), which[order].astype(np.int32)
        )

    def _labels_of_all(self) -> tuple[list[str], Array]:
        rows = self._all_rows(None)
        return list(self._values) or [""], rows.group

    def counted(self, span: Span | None) -> dict[str, Any]:
        """What the answer counted, in words a program can read."""
        asked = self.question
        by = asked.count_by
        narrowed_to = {} if asked.segment is None or self.only is None else {"segment_people": len(self.only)}
        return {
            **narrowed_to,
            "actor": by.place or (f"property {by.property}" if by.property else "person"),
            "events": list(asked.selector.events) if asked.selector.events is not None else "any",
            "conditions": len(asked.selector.where) + len(asked.filters),
            "timezone": asked.timezone,
            "week_start": asked.week_start,
            "from": span.first.isoformat() if span else None,
            "to": span.last.isoformat() if span else None,
        }


@lru_cache(maxsize=256)
def ranks_of(labels: tuple[str, ...], groups: Groups) -> Array:
    """For every label its place in the answer's; -1: it has none."""
    known = {text: place for place, text in enumerate(groups.values)}
    rest = len(groups.values) if groups.other else -1
    return np.array([known.get(text, rest) for text in labels] or [rest], np.int32)


@lru_cache(maxsize=256)
def shares_of(labels: tuple[str, ...], groups: Groups | None) -> Array:
    """For every label its place in the answer's, and that after all of these where it has none; at the end, for who has
    no one label, the same."""
    if groups is None:
        return np.zeros(len(labels) + 1, np.int64)
    rank = np.append(ranks_of(labels, groups), -1).astype(np.int64)
    return np.where(rank < 0, len(groups.labels), rank)


def group_codes(snapshot: Snapshot, bucket: int, by: By, keep: Array) -> tuple[list[str], Array]:
    """Labels (some of them perhaps of no row), and for every row of the bucket the number of its label; rows that are
    not kept have any number."""
    codes = np.zeros(len(keep), dtype=np.int32)
    if by.place:
        column = snapshot.columns(bucket, [by.place])[by.place]
        if by.place != "event" and not column.any():  # a table without numbers for it may have it as a property
            return group_codes(snapshot, bucket, By(property=by.place), keep)
        numbered = by_number(column) if by.place in ("company", "department") else None
        if numbered is not None:
            return list(numbered), column
        values, back = distinct(column[keep])
        codes[keep] = back
        if by.place in ("company", "department"):
            return ["" if value == 0 else str(value) for value in values.tolist()] or [""], codes
        texts = [str(text) for text in snapshot.texts(by.place).take(row_numbers(values)).to_pylist()]
        return texts or [""], codes
    declared = snapshot.properties.get(by.property)
    if declared is not None and not declared.spilled:
        return _property_codes(snapshot, bucket, declared, keep)
    labels: dict[str, int] = {}
    codes[keep] = [
        labels.setdefault(label(value), len(labels)) for value in values_of(snapshot, bucket, by.property, keep)
    ]
    return list(labels) or [""], codes


def by_number(column: Array) -> tuple[str, ...] | None:
    """The labels of a column of organizations whose numbers are used as they are; None: there are too many."""
    if not len(column):
        return numbered(0)
    return numbered(int(column.max())) if int(column.min()) >= 0 else None


def numbered(most: int) -> tuple[str, ...] | None:
    """The labels of numbers from 0 to this one; None: there are too many (or negative ones)."""
    return _numbered(most + 1) if 0 <= most < MOST_NUMBERS else None


@lru_cache(maxsize=64)
def _numbered(count: int) -> tuple[str, ...]:
    return ("", *(str(number) for number in range(1, count)))


def _property_codes(snapshot: Snapshot, bucket: int, one: Property, keep: Array) -> tuple[list[str], Array]:
    """As `group_codes`, of a property that has all its values in a column."""
    name = property_column(one.name)
    column = snapshot.columns(bucket, [name])[name]
    codes = np.zeros(len(keep), dtype=np.int32)
    if one.kind == "text":  # -1 where there is none becomes the first
        values, back = distinct(column[keep] + 1)
        texts = snapshot.texts(name).take(row_numbers(np.maximum(values - 1, 0))).to_pylist()
        labels = ["" if value == 0 else str(text) for value, text in zip(values.tolist(), texts, strict=True)]
    else:
        values, back = np.unique(column[keep], return_inverse=True)
        plain = values.tolist()
        if one.kind == "boolean":
            labels = ["" if value < 0 else label(bool(value)) for value in plain]
        else:
            labels = ["" if value != value else label(value) for value in plain]
    codes[keep] = back
    return labels or [""], codes


def _ranked(labels: list[str], codes: Array, groups: Groups) -> tuple[Array, Array]:
    """Codes of labels as ranks in the answer, and which rows have one."""
    rank = {text: number for number, text in enumerate(groups.values)}
    rest = len(groups.values) if groups.other else -1
    table = np.array([rank.get(text, rest) for text in labels] or [rest], dtype=np.int32)
    ranks = table[codes]
    known = ranks >= 0
    return np.where(known, ranks, 0).astype(np.int32), known


@compiled
def people_per_group(actor: Array, at: Array, keep: Array, group: Array, low: int, high: int, groups: int) -> Array:
    """(2, groups): events, and distinct actors above 0, of each group in [low, high)."""
    counts = np.zeros((2, groups), np.int64)
    seen = np.full(groups, -1, np.int64)
    run = -1
    for i in range(len(actor)):
        if i == 0 or actor[i] != actor[i - 1]:
            run += 1
        if not keep[i] or at[i] < low or at[i] >= high:
            continue
        g = group[i]
        counts[0, g] += 1
        if actor[i] > 0 and seen[g] != run:
            seen[g] = run
            counts[1, g] += 1
    return counts
