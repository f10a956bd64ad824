"""Sessions: how many, how long, of how many events, by whom, and when they begin.

A person's events in the range, in time order; a new session begins where the gap is greater than `timeout_seconds`
(1800: exactly half an hour stays) or where the session would last longer than `max_seconds` (24 hours) from its first
event. Nothing else splits one, midnight neither. Duration = last − first. A bounce has at most one page view, that is
one event named in `page_views` (default $pageview). What identities nobody has claimed do counts as events and in
sessions, and not as people; `sessions_per_person` is of people's own sessions.

Of up to 5,000 events also: `session_number_of_event` (each person's sessions are numbered from 1; in the order in which
the events came in; events that are not counted are left out) and `each` and `durations` (by person, then number).

`by`: the same of the events with one value only, value by value.

`duration_bins`: [60, 300] adds `by_duration`: sessions, and people who have one, of less than a minute, of one to five
minutes, and of five and more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity.asking import Asked, Groups, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.histories import KEPT, Histories, each_history
from uptake.activity.middle import DIGIT, bin_of, digits_of, medians
from uptake.activity.nodes import Naming, Trail, by_value_sorted, each_trail, only_value, ranked, read_texts
from uptake.activity.owners import first_at
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
    listed = None
    numbers = None
    if asked.snapshot.rows <= LISTED:
        listed = _listed(asked, _found(asked, wanted, span, None))
        numbers = _number_of_event(asked, wanted, span)
    then, compare, by_value = asked.compared(span), None, None
    spans = [span] if then is None else [span, then]
    whole = [figures[0] for figures in _figures(asked, wanted, spans, None)]
    if then is not None:
        starts = list(_buckets(asked, then).labels)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat(), "starts": starts, **whole[1]}
    if groups is not None:
        parts = [dict(zip(groups.labels, one, strict=True)) for one in _figures(asked, wanted, spans, groups)]
        by_value = parts[0]
        if compare is not None:
            compare["by_value"] = parts[1]
    return Sessions(
        **whole[0], starts=_buckets(asked, span).labels, counted=asked.counted(span) | counted,
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
    kept &= found.actor > 0
    people, times = np.unique(found.actor[kept], return_counts=True)
    return people[times >= read_whole(number.get("least", 1), "least", 1, 10**9)]


@dataclass(frozen=True)
class Found:
    """One row per session, in the order of parts, actors, values, time."""

    actor: Array
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
        run, first, last, events, pages = emit(
            runs.starts, runs.ends, runs.at, runs.codes, runs.node_of, page,
            span.low, span.high, wanted.timeout, wanted.longest,
        )  # fmt: skip
        return runs.actor[run], value[run], first, last, events, pages

    parts = each_trail(asked, Naming(), groups, fold, unclaimed=True)
    actor, value, first, last, events, pages = (np.concatenate([part[number] for part in parts]) for number in range(6))
    return Found(actor, value, first, last, events, pages, tuple(names))


def _buckets(asked: Asked, span: Span) -> Any:
    question = asked.question
    return buckets_between(span.first, span.last, question.interval, question.timezone, question.week_start)


def _bucket_of(at: Array, edges: Array, number: Array) -> Array:
    places: Array = number[np.clip(np.searchsorted(edges, at, side="right") - 1, 0, len(number) - 1)]
    return places


def _figures(
    asked: Asked, wanted: Wanted, spans: Sequence[Span], groups: Groups | None
) -> list[list[dict[str, Any]]]:  # fmt: skip
    """For each span the figures of each value of the breakdown."""
    buckets = [_buckets(asked, span) for span in spans]
    values = 1 if groups is None else len(groups.labels)
    bins = np.array(wanted.bins or (), np.int64)

    def fold(trail: Trail) -> list[tuple[Array, ...]]:
        runs, value = by_value_sorted(trail)
        page = np.array([node in wanted.page_views for node in trail.nodes] or [False])
        return [
            added_up(
                runs.starts, runs.ends, runs.actor > 0, value, runs.at, runs.codes, runs.node_of, page,
                span.low, span.high, wanted.timeout, wanted.longest, edges.edges, edges.number, len(edges.labels),
                values, bins, digits_of(wanted.longest),
            )
            for span, edges in zip(spans, buckets, strict=True)
        ]  # fmt: skip

    parts = each_trail(asked, Naming(), groups, fold, unclaimed=True)
    return [_told(wanted, [part[number] for part in parts], values) for number in range(len(spans))]


def _told(wanted: Wanted, parts: list[tuple[Array, ...]], values: int) -> list[dict[str, Any]]:
    """The figures of each value, of what `added_up` gave for every bucket."""
    totals, each, spent, binned, lengths = (np.sum([part[number] for part in parts], axis=0) for number in range(5))
    middle = medians([(part[5], part[6]) for part in parts], lengths)
    figures = []
    for value in range(values):
        sessions, people, events, bounces, of_people = totals[value].tolist()
        begun, visitors = each[value].T.tolist()
        median = middle[value]
        figures.append({
            "sessions": sessions,
            "people": people,
            "events": events,
            "average_seconds": float(spent[value].sum()) / SECOND / sessions if sessions else None,
            "median_seconds": median / SECOND if median is not None else None,
            "bounces": bounces,
            "bounce_rate": bounces / sessions if sessions else None,
            "events_per_session": events / sessions if sessions else None,
            "sessions_per_person": of_people / people if people else None,
            "per_interval": {
                "sessions": begun,
                "people": visitors,
                "average_seconds": [
                    total / SECOND / times if times else None
                    for total, times in zip(spent[value].tolist(), begun, strict=True)
                ],
            },
        })  # fmt: skip
        if wanted.bins is not None:
            figures[-1]["by_duration"] = {
                "from_seconds": [0, *(edge // SECOND for edge in wanted.bins)],
                "sessions": binned[value, :, 0].tolist(),
                "people": binned[value, :, 1].tolist(),
            }
    return figures


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
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Of each session the run, the first and last instant, the events and the page views."""
    begin, stop = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    room = 0
    for k in range(len(starts)):
        start, end = starts[k], ends[k]
        if end > start and at[end - 1] >= high:
            end = first_at(at, start, end, high)
        begin[k], stop[k] = first_at(at, start, end, low), end
        room += stop[k] - begin[k]
    run, begun, over = np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64)
    events, pages = np.empty(room, np.int32), np.empty(room, np.int32)
    used = np.uint64(0)
    one = np.uint64(1)
    for k in range(len(starts)):
        first, before = 0, 0
        many, seen = 0, 0
        for i in range(np.uint64(begin[k]), np.uint64(stop[k])):
            node = node_of[np.uint64(codes[i])]
            if node < 0:
                continue
            t = at[i]
            if many == 0 or t - before > timeout or t - first > longest:
                if many > 0:
                    over[used - one], events[used - one], pages[used - one] = before, many, seen
                first = t
                many, seen = 0, 0
                run[used], begun[used] = k, t
                used += one
            before = t
            many += 1
            seen += page[np.uint64(node)]
        if many > 0:
            over[used - one], events[used - one], pages[used - one] = before, many, seen
    return run[:used].copy(), begun[:used].copy(), over[:used].copy(), events[:used].copy(), pages[:used].copy()


@compiled
def added_up(
    starts: Array, ends: Array, known: Array, value: Array, at: Array, codes: Array, node_of: Array, page: Array,
    low: int, high: int, timeout: int, longest: int, edges: Array, number: Array, buckets: int, values: int,
    bins: Array, digits: int,
) -> tuple[Array, Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """(values, 5) sessions, people, events, bounces, people's sessions; (values, buckets, 2) sessions and people where
    they begin; their µs; (values, bins + 1, 2) sessions and people of each bin of durations; (values, bins of
    `middle`) sessions by µs; the µs of each session, and its value where there are several. A run is all that one actor
    did of one value; known: whose actor is a person."""
    totals = np.zeros((values, 5), np.int64)
    each = np.zeros((values, buckets, 2), np.int64)
    spent = np.zeros((values, buckets), np.int64)
    binned = np.zeros((values, len(bins) + 1, 2), np.int64)
    lengths = np.zeros((values, digits << DIGIT), np.int64)
    begin, stop = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    room = 0
    for k in range(len(starts)):
        start, end = starts[k], ends[k]
        if end > start and at[end - 1] >= high:
            end = first_at(at, start, end, high)
        begin[k], stop[k] = first_at(at, start, end, low), end
        room += stop[k] - begin[k]
    lasted, whose = np.empty(room, np.int64), np.empty(room if values > 1 else 0, np.int32)
    seen_bin = np.full(len(bins) + 1, -1, np.int64)
    used = 0
    place = 0
    for k in range(len(starts)):
        first, before, bucket = 0, 0, -1
        many, seen = 0, 0
        sessions, events, bounces = 0, 0, 0
        v, person = value[k], known[k]
        for i in range(np.uint64(begin[k]), np.uint64(stop[k]) + np.uint64(1)):
            node = -1
            t = 0
            over = i == np.uint64(stop[k])
            if not over:
                node = node_of[np.uint64(codes[i])]
                if node < 0:
                    continue
                t = at[i]
                if many > 0 and t - before <= timeout and t - first <= longest:
                    before = t
                    many += 1
                    seen += page[np.uint64(node)]
                    continue
            if many > 0:  # the session in hand is whole
                if first < edges[place]:
                    place = 0
                while place < len(number) - 1 and first >= edges[place + 1]:
                    place += 1
                b = number[place]
                length = before - first
                sessions += 1
                events += many
                bounces += seen <= 1
                each[v, b, 0] += 1
                each[v, b, 1] += b != bucket and person
                bucket = b
                spent[v, b] += length
                lengths[v, bin_of(length, digits)] += 1
                lasted[used] = length
                if values > 1:
                    whose[used] = v
                used += 1
                if len(bins) > 0:
                    b = 0
                    while b < len(bins) and length >= bins[b]:
                        b += 1
                    binned[v, b, 0] += 1
                    if person and seen_bin[b] != k:
                        seen_bin[b] = k
                        binned[v, b, 1] += 1
            if not over:
                first, before = t, t
                many, seen = 1, int(page[np.uint64(node)])
        totals[v, 0] += sessions
        totals[v, 1] += sessions > 0 and person
        totals[v, 2] += events
        totals[v, 3] += bounces
        totals[v, 4] += sessions if person else 0
    return totals, each, spent, binned, lengths, lasted[:used].copy(), whose[: used if values > 1 else 0].copy()
