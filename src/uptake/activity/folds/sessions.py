"""Sessions: how many, how long, of how many events, by whom, and when they begin.

A person's events in the range, in time order; a new session begins where the gap is greater than `timeout_seconds`
(1800: exactly half an hour stays) or where the session would last longer than `max_seconds` (24 hours) from its first
event. Nothing else splits one, midnight neither. Duration = last − first. A bounce has at most one page view, that is
one event named in `page_views` (default $pageview).

Of up to 5,000 events also: `session_number_of_event` (each person's sessions are numbered from 1; in the order in which
the events came in; events that are not counted are left out) and `each` and `durations` (by person, then number).

`by`: the same of the events with one value only, value by value.

`duration_bins`: [60, 300] adds `by_duration`: sessions, and people who have one, of less than a minute, of one to five
minutes, and of five and more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import KEPT, Histories, each_history
from uptake.activity.nodes import Naming, Trail, by_value_sorted, each_trail, only_value, ranked, read_texts
from uptake.activity.periods import EPOCH, buckets_between
from uptake.activity.question import (
    COMMON,
    By,
    Question,
    QuestionRefused,
    Selector,
    read_list,
    read_one_of,
    read_text,
    read_whole,
    read_yes,
    shown,
)

NAME = "sessions"
SELECTOR = Selector()
KEYS = COMMON | {"timeout_seconds", "max_seconds", "page_views", "duration_bins"}
TIMEOUT, LONGEST = 1800, 86_400
PAGE_VIEWS = ("$pageview",)
LISTED = 5_000
SECOND = 1_000_000


@dataclass(frozen=True)
class Wanted:
    """What the question asks for beside what all ask for."""

    timeout: int
    """Microseconds."""
    longest: int
    page_views: tuple[str, ...]
    bins: tuple[int, ...] | None = None
    """Where one bin of durations ends and the next begins, in microseconds."""


@dataclass(frozen=True)
class Sessions:
    """Figures of all sessions, and per interval those that begin in it: `per_interval` has sessions, people and
    average_seconds for each of `starts`. An average of nothing is None."""

    sessions: int
    people: int
    events: int
    average_seconds: float | None
    median_seconds: float | None
    bounces: int
    bounce_rate: float | None
    events_per_session: float | None
    sessions_per_person: float | None
    starts: tuple[str, ...]
    per_interval: dict[str, list[Any]]
    counted: dict[str, Any]
    session_number_of_event: tuple[int, ...] | None = None
    each: tuple[dict[str, Any], ...] | None = None
    """{"person", "number", "start", "end" (UTC), "seconds", "events", "bounce"}"""
    durations: tuple[float, ...] | None = None
    by_duration: dict[str, list[int]] | None = None
    """from_seconds, sessions and people of each bin; None: no bins are asked for."""
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns start, sessions, people, average_seconds (and value, first, where there is a breakdown)."""
        groups = self.by_value if self.by_value is not None else {"": {"per_interval": self.per_interval}}
        columns: dict[str, Any] = {"value": [], "start": [], "sessions": [], "people": [], "average_seconds": []}
        for value, one in groups.items():
            columns["value"] += [value] * len(self.starts)
            columns["start"] += self.starts
            for name, numbers in one["per_interval"].items():
                columns[name] += numbers
        if self.by_value is None:
            del columns["value"]
        return pa.table(columns)


def read_sessions(question: Question) -> Wanted:
    """The keys of its own."""
    own = question.own
    return Wanted(
        read_whole(own.get("timeout_seconds", TIMEOUT), "timeout_seconds", 1, 10**9) * SECOND,
        read_whole(own.get("max_seconds", LONGEST), "max_seconds", 1, 10**9) * SECOND,
        read_texts(own.get("page_views", list(PAGE_VIEWS)), "page_views"),
        None if own.get("duration_bins") is None else _read_bins(own["duration_bins"]),
    )


def _read_bins(value: Any) -> tuple[int, ...]:
    expected = "a list of seconds, each more than the one before"
    bins: list[int] = []
    for place, one in enumerate(read_list(value, "duration_bins", expected)):
        bins.append(read_whole(one, f"duration_bins[{place}]", 1, 10**9) * SECOND)
    if not bins or bins != sorted(set(bins)):
        raise QuestionRefused("duration_bins", expected)
    return tuple(bins)


def answer(asked: Asked) -> Sessions:
    """The sessions of the question's events."""
    wanted = read_sessions(asked.question)
    counted = {"timeout_seconds": wanted.timeout // SECOND, "max_seconds": wanted.longest // SECOND}
    span = asked.span()
    if span is None:
        empty: dict[str, dict[str, Any]] | None = {} if asked.question.by else None
        none: dict[str, list[Any]] = {"sessions": [], "people": [], "average_seconds": []}
        return Sessions(
            0,
            0,
            0,
            None,
            None,
            0,
            None,
            None,
            None,
            (),
            none,
            asked.counted(None) | counted,
            (),
            (),
            (),
            by_value=empty,
        )
    groups = ranked(asked, [asked.question.selector], span)
    found = _found(asked, wanted, span, None)
    listed = None
    numbers = None
    if asked.snapshot.rows <= LISTED:
        listed = _listed(asked, found)
        numbers = _number_of_event(asked, wanted, span)
    whole = _figures(asked, wanted, found, span, 1)[0]
    by_value = None
    if groups is not None:
        parts = _figures(asked, wanted, _found(asked, wanted, span, groups), span, len(groups.labels))
        by_value = dict(zip(groups.labels, parts, strict=True))
    then, compare = asked.compared(span), None
    if then is not None:
        compare = {
            "from": then.first.isoformat(), "to": then.last.isoformat(), "starts": list(_buckets(asked, then).labels),
            **_figures(asked, wanted, _found(asked, wanted, then, None), then, 1)[0],
        }  # fmt: skip
        if groups is not None:
            parts = _figures(asked, wanted, _found(asked, wanted, then, groups), then, len(groups.labels))
            compare["by_value"] = dict(zip(groups.labels, parts, strict=True))
    return Sessions(
        **whole, starts=_buckets(asked, span).labels, counted=asked.counted(span) | counted,
        session_number_of_event=numbers, each=listed,
        durations=None if listed is None else tuple(one["seconds"] for one in listed),
        by_value=by_value, compare=compare,
    )  # fmt: skip


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{}: who has sessions. {"start": bucket}: who has one that begins in it. {"bounce": true}: who has a bounce.
    {"duration": i}: who has one of bin i. {"least": n}: who has n sessions or more. They may be joined, and "value"
    with a breakdown."""
    wanted = read_sessions(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person", to see who is behind a number')
    for key in number:
        if key not in ("start", "bounce", "duration", "least", "value"):
            raise QuestionRefused(str(key), "one of bounce, duration, least, start, value", "an unknown key")
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    found = _found(asked, wanted, span, only_value(asked, number))
    kept = np.ones(len(found.actor), bool)
    if "start" in number:
        buckets = _buckets(asked, span)
        wanted_bucket = buckets.labels.index(read_one_of(read_text(number["start"], "start"), buckets.labels, "start"))
        kept &= _bucket_of(found.first, buckets.edges, buckets.number) == wanted_bucket
    if "bounce" in number:
        kept &= (found.pages <= 1) == read_yes(number["bounce"], "bounce")
    if "duration" in number:
        if wanted.bins is None:
            raise QuestionRefused("duration", "nothing where there are no duration_bins", shown(number["duration"]))
        bin_ = read_whole(number["duration"], "duration", 0, len(wanted.bins))
        kept &= np.searchsorted(wanted.bins, found.last - found.first, side="right") == bin_
    people, times = np.unique(found.actor[kept], return_counts=True)
    return people[times >= read_whole(number.get("least", 1), "least", 1, 10**9)]


@dataclass(frozen=True)
class Found:
    """One row per session, in the order of parts, actors, values, time."""

    actor: Array
    owner: Array
    """A number per actor that is its own over all parts."""
    value: Array
    first: Array
    last: Array
    events: Array
    pages: Array
    names: tuple[str, ...]


def _found(asked: Asked, wanted: Wanted, span: Span, groups: Groups | None) -> Found:
    names: list[str] = []

    def fold(trail: Trail) -> tuple[Array, ...]:
        if trail.names:
            names.extend(trail.names)
        runs, value = by_value_sorted(trail)
        page = np.array([node in wanted.page_views for node in trail.nodes] or [False])
        rows = emit(
            runs.starts, runs.ends, runs.at, runs.codes, runs.node_of, page,
            span.low, span.high, wanted.timeout, wanted.longest,
        )  # fmt: skip
        run = rows[:, 0]
        return runs.actor[run], value[run], rows[:, 1], rows[:, 2], rows[:, 3], rows[:, 4]

    parts = each_trail(asked, Naming(), groups, fold)
    actor, value, first, last, events, pages = (np.concatenate([part[number] for part in parts]) for number in range(6))
    owner = np.cumsum(np.concatenate([[0], actor[1:] != actor[:-1]])[: len(actor)])
    return Found(actor, owner, value, first, last, events, pages, tuple(names))


def _buckets(asked: Asked, span: Span) -> Any:
    question = asked.question
    return buckets_between(span.first, span.last, question.interval, question.timezone, question.week_start)


def _bucket_of(at: Array, edges: Array, number: Array) -> Array:
    places: Array = number[np.clip(np.searchsorted(edges, at, side="right") - 1, 0, len(number) - 1)]
    return places


def _figures(asked: Asked, wanted: Wanted, found: Found, span: Span, values: int) -> list[dict[str, Any]]:
    """The figures of each value of the breakdown."""
    buckets = _buckets(asked, span)
    many = len(buckets.labels)
    bucket = _bucket_of(found.first, buckets.edges, buckets.number)
    figures = []
    for value in range(values):
        own: Any = found.value == value if values > 1 else slice(None)
        lasted = (found.last[own] - found.first[own]) / SECOND
        sessions, events = len(lasted), int(found.events[own].sum())
        people = int((np.diff(found.owner[own]) != 0).sum()) + (1 if sessions else 0)
        bounces = int((found.pages[own] <= 1).sum())
        begun = np.bincount(bucket[own], minlength=many)
        spent = np.bincount(bucket[own], weights=lasted, minlength=many)
        who, when = found.owner[own], bucket[own]
        new = np.ones(sessions, bool)  # each actor's sessions of a value stand together, in time order
        new[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
        visitors = np.bincount(when[new], minlength=many)
        figures.append({
            "sessions": sessions,
            "people": people,
            "events": events,
            "average_seconds": float(lasted.mean()) if sessions else None,
            "median_seconds": float(np.median(lasted)) if sessions else None,
            "bounces": bounces,
            "bounce_rate": bounces / sessions if sessions else None,
            "events_per_session": events / sessions if sessions else None,
            "sessions_per_person": sessions / people if people else None,
            "per_interval": {
                "sessions": begun.tolist(),
                "people": visitors.tolist(),
                "average_seconds": [
                    total / times if times else None
                    for total, times in zip(spent.tolist(), begun.tolist(), strict=True)
                ],
            },
        })  # fmt: skip
        if wanted.bins is not None:
            figures[-1]["by_duration"] = _binned(wanted.bins, found.owner[own], found.last[own] - found.first[own])
    return figures


def _binned(bins: tuple[int, ...], owner: Array, lasted: Array) -> dict[str, list[int]]:
    """Sessions of each bin, and the people who have one; a duration on an edge belongs to the bin that begins there."""
    places = np.searchsorted(bins, lasted, side="right")
    pairs = np.unique(places * (int(owner.max(initial=0)) + 1) + owner) // (int(owner.max(initial=0)) + 1)
    return {
        "from_seconds": [0, *(edge // SECOND for edge in bins)],
        "sessions": np.bincount(places, minlength=len(bins) + 1).tolist(),
        "people": np.bincount(pairs, minlength=len(bins) + 1).tolist(),
    }


def _listed(asked: Asked, found: Found) -> tuple[dict[str, Any], ...]:
    codes = found.actor.tolist()
    names = [found.names[code - 1] for code in codes] if found.names else asked.snapshot.person_names(codes)
    order = np.lexsort((found.first, found.actor)).tolist()
    numbers: dict[int, int] = {}
    rows = []
    for one in order:
        code = codes[one]
        numbers[code] = numbers.get(code, 0) + 1
        first, last = int(found.first[one]), int(found.last[one])
        rows.append({
            "person": names[one],
            "number": numbers[code],
            "start": (EPOCH + timedelta(microseconds=first)).isoformat(),
            "end": (EPOCH + timedelta(microseconds=last)).isoformat(),
            "seconds": (last - first) / SECOND,
            "events": int(found.events[one]),
            "bounce": bool(found.pages[one] <= 1),
        })  # fmt: skip
    return tuple(rows)


def _number_of_event(asked: Asked, wanted: Wanted, span: Span) -> tuple[int, ...]:
    """The number of each counted event's session, in the order of arrival."""

    def label(bucket: int, found: Array) -> tuple[list[Any], Array]:
        arrived = asked.snapshot.columns(bucket, ["event_id"])["event_id"]
        return arrived.tolist(), np.arange(len(found), dtype=np.int32)

    def fold(rows: Histories) -> dict[int, int]:
        numbers: dict[int, int] = {}
        for start, end in zip(rows.starts.tolist(), rows.ends.tolist(), strict=True):
            number, first, before = 0, 0, 0
            for row in range(start, end):
                bits, t = int(rows.bits[rows.codes[row]]), int(rows.at[row])
                if not (bits & int(KEPT) and bits & 1) or not span.low <= t < span.high:
                    continue
                if number == 0 or t - before > wanted.timeout or t - first > wanted.longest:
                    number, first = number + 1, t
                before = t
                numbers[rows.labels[rows.group[row]]] = number
        return numbers

    found: dict[int, int] = {}
    for part in each_history(asked, [asked.question.selector], fold, breakdown=label):
        found |= part
    return tuple(found[arrived] for arrived in sorted(found))


@compiled
def emit(
    starts: Array, ends: Array, at: Array, codes: Array, node_of: Array, page: Array,
    low: int, high: int, timeout: int, longest: int,
) -> Array:  # fmt: skip
    """Of each session the run, the first and last instant, the events and the page views."""
    size = 64
    rows = np.zeros((size, 5), np.int64)
    used = 0
    for k in range(len(starts)):
        first, before = 0, 0
        fresh = True
        for i in range(starts[k], ends[k]):
            node = node_of[codes[i]]
            t = at[i]
            if node < 0 or t < low or t >= high:
                continue
            if fresh or t - before > timeout or t - first > longest:
                fresh = False
                first = t
                if used == size:
                    size *= 2
                    more = np.zeros((size, 5), np.int64)
                    more[:used] = rows
                    rows = more
                used += 1
                rows[used - 1, 0] = k
                rows[used - 1, 1] = t
            before = t
            rows[used - 1, 2] = t
            rows[used - 1, 3] += 1
            if page[node]:
                rows[used - 1, 4] += 1
    return rows[:used].copy()
