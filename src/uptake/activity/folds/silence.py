"""What people did last before they fell silent.

As of T (`as_of`, an instant or a whole date; else the end of the range): events after it are as if they had not
happened. A person is silent when T − last activity is more than `silent_days` (of 24 hours each). Without `silent_days`
each has a measure of their own: the larger of `least_working_days` (10) and `times_median_gap` (3) × the median gap
between the local days on which the person was active, so that one is silent when more than 10 working days have begun
since the day of the last activity (T's own is counted) and more than 3 × that gap in days has passed. Working days
are `calendar`: {"weekdays": [1, 2, 3, 4, 5], "days_off": [dates], "days_on": [dates]}. Who was active on one day only
has no gap and is measured by working days.

The tail is the last `tail` (3) nodes of the last session (30 minutes, 24 hours, as in `sessions`), runs of one node
being one. Bookkeeping and `ignore_events` are no activity and no node. Nodes are named as for paths. Identities nobody
has claimed are no people and never silent.

silent: {person: tail}; last_event: [node, silent people]; tails: [tail, silent people]; last_rate: of those who ever
did it, the share that fell silent after it (4 places); lift: for nodes after which at least `least_people` (5) fell
silent, its share among last actions before silence ÷ its share among the ends of all sessions, the highest first.

`by`: people belong to the value of their last event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity import nodes
from uptake.activity.asking import Asked, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.folds.sessions import LONGEST, SECOND, TIMEOUT
from uptake.activity.nodes import Naming, Trail, each_trail, only_value, ranked, read_naming, read_texts, selectors_of
from uptake.activity.periods import EPOCH, buckets_between, local_date, midnight
from uptake.activity.question import (
    COMMON,
    By,
    Question,
    QuestionRefused,
    Selector,
    read_list,
    read_moment,
    read_object,
    read_text,
    read_whole,
    shown,
)

NAME = "silence"
SELECTOR = Selector()
KEYS = (COMMON - {"compare"}) | nodes.KEYS | {
    "as_of", "silent_days", "tail", "ignore_events", "timeout_seconds", "least_working_days", "times_median_gap",
    "calendar", "least_people",
}  # fmt: skip
DAY = 86_400 * SECOND
BEFORE_ALL = -(2**62)


@dataclass(frozen=True)
class Calendar:
    """Which days are working days."""

    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    """1 is Monday."""
    days_off: frozenset[date] = frozenset()
    days_on: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether it is one; days_on goes before days_off."""
        return day in self.days_on or (day.isoweekday() in self.weekdays and day not in self.days_off)


@dataclass(frozen=True)
class Wanted:
    """What the question asks for beside what all ask for."""

    naming: Naming
    as_of: int | None
    """The last instant that counts."""
    silent_days: float | None
    tail: int
    timeout: int
    working_days: int
    times: float
    calendar: Calendar
    least_people: int


@dataclass(frozen=True)
class Silence:
    """Who is silent and what they did last; `people` had any activity up to as_of."""

    silent: dict[str, list[str]]
    since: dict[str, str]
    """When each of them was last active (UTC)."""
    last_event: tuple[list[Any], ...]
    tails: tuple[list[Any], ...]
    last_rate: dict[str, float]
    lift: tuple[dict[str, Any], ...]
    """{"event", "lift", "silent", "did", "rate"}"""
    people: int
    silent_people: int
    counted: dict[str, Any]
    by_value: dict[str, dict[str, Any]] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns person, since, tail."""
        return pa.table({
            "person": pa.array(list(self.silent), pa.string()),
            "since": pa.array([self.since[name] for name in self.silent], pa.string()),
            "tail": pa.array(list(self.silent.values()), pa.list_(pa.string())),
        })  # fmt: skip


def read_silence(question: Question) -> Wanted:
    """The keys of its own."""
    own = question.own
    naming = read_naming(own)
    as_of = None
    if own.get("as_of") is not None:
        moment = read_moment(own["as_of"], question.timezone, "as_of")
        at = moment.at
        as_of = at if at is not None else midnight(moment.day + timedelta(days=1), question.timezone) - 1
        if question.range.end is not None:
            raise QuestionRefused("to", "nothing beside as_of", shown(own["as_of"]))
    return Wanted(
        naming=replace(naming, without=frozenset(read_texts(own.get("ignore_events"), "ignore_events"))),
        as_of=as_of,
        silent_days=None if own.get("silent_days") is None else _number(own["silent_days"], "silent_days"),
        tail=read_whole(own.get("tail", 3), "tail", 1, 20),
        timeout=read_whole(own.get("timeout_seconds", TIMEOUT), "timeout_seconds", 1, 10**9) * SECOND,
        working_days=read_whole(own.get("least_working_days", 10), "least_working_days", 0, 1000),
        times=_number(own.get("times_median_gap", 3), "times_median_gap"),
        calendar=_calendar(own.get("calendar")),
        least_people=read_whole(own.get("least_people", 5), "least_people", 1, 10**6),
    )


def _number(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100_000:
        raise QuestionRefused(key, "a number from 0", shown(value))
    return float(value)


def _calendar(value: Any) -> Calendar:
    if value is None:
        return Calendar()
    given = read_object(value, "calendar")
    for key in given:
        if key not in ("weekdays", "days_off", "days_on"):
            raise QuestionRefused(f"calendar.{key}", "one of days_off, days_on, weekdays", "an unknown key")
    weekdays = [
        read_whole(one, f"calendar.weekdays[{number}]", 1, 7)
        for number, one in enumerate(read_list(given.get("weekdays", [1, 2, 3, 4, 5]), "calendar.weekdays", "a list"))
    ]
    return Calendar(frozenset(weekdays), _dates(given, "days_off"), _dates(given, "days_on"))


def _dates(given: Mapping[str, Any], key: str) -> frozenset[date]:
    several = read_list(given.get(key, []), f"calendar.{key}", "a list of dates")
    days = [read_moment(one, "UTC", f"calendar.{key}[{number}]") for number, one in enumerate(several)]
    return frozenset(day.day for day in days)


def answer(asked: Asked) -> Silence:
    """Who is silent, and the last actions before."""
    wanted = read_silence(asked.question)
    counted: dict[str, Any] = {"as_of": None, "silent_days": wanted.silent_days, "tail": wanted.tail}
    span = _span(asked, wanted)
    if span is None:
        empty: dict[str, dict[str, Any]] | None = {} if asked.question.by else None
        return Silence({}, {}, (), (), {}, (), 0, 0, asked.counted(None) | counted, empty)
    counted["as_of"] = _written(span.high - 1)
    groups = ranked(asked, selectors_of(asked, wanted.naming), span)
    parts = each_trail(asked, wanted.naming, groups, lambda trail: fold(trail, wanted, span, asked.question.timezone))
    did: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    silent: dict[str, list[str]] = {}
    since: dict[str, str] = {}
    labels = () if groups is None else groups.labels
    by: list[list[tuple[bool, str]]] = [[] for _ in labels]
    people = 0
    for part in parts:
        did.update(part.did)
        ends.update(part.ends)
        people += len(part.actor)
        quiet = np.flatnonzero(part.silent).tolist()
        codes = part.actor[part.silent].tolist()
        names = [part.names[code - 1] for code in codes] if part.names else asked.snapshot.person_names(codes)
        for row, name in zip(quiet, names, strict=True):
            silent[name] = part.tail(row)
            since[name] = _written(int(part.last_at[row]))
        for row, value in enumerate(part.value.tolist() if groups is not None else []):
            if value >= 0:
                by[value].append((bool(part.silent[row]), part.tail(row)[-1]))
    silent = {name: silent[name] for name in sorted(silent)}
    last = Counter(tail[-1] for tail in silent.values())
    by_value = None
    if groups is not None:
        by_value = {label: _of_value(rows) for label, rows in zip(labels, by, strict=True)}
    return Silence(
        silent, {name: since[name] for name in silent}, tuple(_ranked(last)),
        tuple([list(tail), times] for tail, times in _ranked(Counter(tuple(tail) for tail in silent.values()))),
        {node: round(times / did[node], 4) for node, times in _ranked(last)},
        tuple(_lift(last, did, ends, wanted.least_people)), people, len(silent),
        asked.counted(span) | counted, by_value,
    )  # fmt: skip


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{}: who is silent. {"last": node}: whose last node it is. {"tail": nodes}: whose tail. And "value"."""
    wanted = read_silence(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person", to see who is behind a number')
    for key in number:
        if key not in ("last", "tail", "value"):
            raise QuestionRefused(str(key), "one of last, tail, value", "an unknown key")
    last = read_text(number["last"], "last") if "last" in number else None
    tail = list(read_texts(number["tail"], "tail")) if "tail" in number else None
    span = _span(asked, wanted)
    if span is None:
        return np.zeros(0, np.int32)
    groups = only_value(asked, number)

    def find(trail: Trail) -> Array:
        part = fold(trail, wanted, span, asked.question.timezone)
        rows = [
            row
            for row in np.flatnonzero(part.silent & ((part.value >= 0) | (groups is None))).tolist()
            if last in (None, part.tail(row)[-1]) and tail in (None, part.tail(row))
        ]
        return part.actor[rows]

    return np.unique(np.concatenate(each_trail(asked, wanted.naming, groups, find) or [np.zeros(0, np.int32)]))


def _span(asked: Asked, wanted: Wanted) -> Span | None:
    """From the beginning of the range to as_of; None: nothing has ever happened."""
    span = asked.span()
    if span is None:
        return None
    zone = asked.question.timezone
    low = span.low if asked.question.range.start is not None else BEFORE_ALL
    high = span.high if wanted.as_of is None else wanted.as_of + 1
    return Span(min(span.first, local_date(high - 1, zone)), local_date(high - 1, zone), low, high)


def _written(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).isoformat()


def _ranked(counts: Counter[Any]) -> list[list[Any]]:
    return [[one, times] for one, times in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def _of_value(rows: list[tuple[bool, str]]) -> dict[str, Any]:
    silent = sum(quiet for quiet, _ in rows)
    return {
        "people": len(rows),
        "silent_people": silent,
        "share": silent / len(rows) if rows else None,
        "last_event": _ranked(Counter(node for quiet, node in rows if quiet)),
    }


def _lift(last: Counter[str], did: Counter[str], ends: Counter[str], least: int) -> list[dict[str, Any]]:
    silent, sessions = sum(last.values()), sum(ends.values())
    rows = [
        {
            "event": node, "lift": (times / silent) / (ends[node] / sessions), "silent": times, "did": did[node],
            "rate": times / did[node],
        }
        for node, times in last.items()
        if times >= least
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["lift"], -row["silent"], row["event"]))


@dataclass(frozen=True)
class Part:
    """The people of a bucket who were active at all, and the nodes' figures."""

    actor: Array
    last_at: Array
    silent: Array
    value: Array
    """Rank of the value of the last event; -1: none."""
    nodes: tuple[str, ...]
    tails: Array
    """(people, tail) node numbers, the last one last; -1 before the first."""
    names: tuple[str, ...]
    did: dict[str, int]
    ends: dict[str, int]

    def tail(self, row: int) -> list[str]:
        return [self.nodes[node] for node in self.tails[row].tolist() if node >= 0]


def fold(trail: Trail, wanted: Wanted, span: Span, zone: str) -> Part:
    """Last activity, tail and silence of everyone in a bucket."""
    own_measure = wanted.silent_days is None
    edges = np.zeros(0, np.int64)
    first = span.last
    if own_measure and len(trail.at):
        used = trail.at[trail.at < span.high] if span.low == BEFORE_ALL else trail.at[:0]
        first = local_date(int(used.min()), zone) if len(used) else min(span.first, span.last)
        edges = buckets_between(first, span.last, "day", zone).edges
    last_at, last_row, tails, gaps, did, ends = count(
        trail.starts, trail.ends, trail.at, trail.codes, trail.node_of, span.low, span.high,
        wanted.timeout, LONGEST * SECOND, wanted.tail, len(trail.nodes), edges,
    )  # fmt: skip
    there = last_row >= 0
    last_at, last_row, tails, gaps = last_at[there], last_row[there], tails[there], gaps[there]
    if own_measure and len(edges):
        days = np.searchsorted(edges, last_at, side="right") - 1
        calendar = [wanted.calendar.works(first + timedelta(days=day)) for day in range(len(edges) - 1)]
        begun = np.cumsum(calendar)
        passed = len(edges) - 2 - days
        silent = (begun[-1] - begun[days] > wanted.working_days) & ~(passed <= wanted.times * gaps)
    else:
        silent = span.high - 1 - last_at > (wanted.silent_days or 0) * DAY
    value = trail.rank_of[trail.value[last_row]] if len(trail.rank_of) else np.full(len(last_row), -1)
    return Part(
        trail.actor[there], last_at, silent, value, trail.nodes, tails, trail.names,
        _named(trail, did), _named(trail, ends),
    )  # fmt: skip


def _named(trail: Trail, counts: Array) -> dict[str, int]:
    return {node: times for node, times in zip(trail.nodes, counts.tolist(), strict=True) if times}


@compiled
def count(
    starts: Array, ends: Array, at: Array, codes: Array, node_of: Array, low: int, high: int,
    timeout: int, longest: int, most: int, nodes: int, edges: Array,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """Per actor the last instant and row (-1: none), the tail, and the median gap in days between active days (not a
    number where there is none, and without edges of days); per node the actors that did it and the sessions' ends."""
    last_at = np.zeros(len(starts), np.int64)
    last_row = np.full(len(starts), -1, np.int64)
    tails = np.full((len(starts), most), -1, np.int64)
    gaps = np.full(len(starts), np.nan, np.float64)
    did = np.zeros(nodes, np.int64)
    stopped = np.zeros(nodes, np.int64)
    seen = np.full(nodes, -1, np.int64)
    ring = np.zeros(most, np.int64)
    days = len(edges) - 1
    between = np.zeros(max(days, 1), np.float64)
    for k in range(len(starts)):
        length, last, first, before = 0, -1, 0, 0
        day, apart = -1, 0
        for i in range(starts[k], ends[k]):
            node = node_of[codes[i]]
            t = at[i]
            if node < 0 or t < low:
                continue
            if t >= high:
                break
            if seen[node] != k:
                seen[node] = k
                did[node] += 1
            if last < 0 or t - before > timeout or t - first > longest:
                if last >= 0:
                    stopped[last] += 1
                length, last, first = 0, -1, t
            if node != last:
                ring[length % most] = node
                length += 1
                last = node
            before = t
            last_row[k] = i
            if days > 0 and (day < 0 or t >= edges[day + 1]):
                under, over = max(day, 0), days - 1
                while under < over:
                    middle = (under + over + 1) // 2
                    if edges[middle] <= t:
                        under = middle
                    else:
                        over = middle - 1
                if day >= 0:
                    between[apart] = under - day
                    apart += 1
                day = under
        if last < 0:
            continue
        stopped[last] += 1
        last_at[k] = before
        kept = min(length, most)
        for j in range(kept):
            tails[k, most - kept + j] = ring[(length - kept + j) % most]
        if apart > 0:
            gaps[k] = np.median(between[:apart])
    return last_at, last_row, tails, gaps, did, stopped
