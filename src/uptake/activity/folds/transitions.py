"""How often one step follows another: a matrix with path_start and path_end, and who is where at which step.

Nodes are named as for paths (`items`, `groupings`, `exclude`). Without `session_gap_seconds` a person's whole sequence
in the range is one walk; with it a walk ends where the next step comes that many seconds later or more. Every walk adds
path_start → first and last → path_end. Runs of one node count (a step may follow itself) unless `collapse` is asked
for. `count`: "times" (default), or "people": those who did it at least once. `steps`: k adds a step matrix: the share
of walks that stand at a node at step 1, 2 … k; a walk that is over stands at path_end. Walks are people's:
identities nobody has claimed have none.

`by`: the same of the events with one value only, value by value. `edge_limit` keeps the heaviest edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity import nodes
from uptake.activity.asking import Asked, Groups, Span, shares_of
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.nodes import (
    Naming,
    Trail,
    each_trail,
    only_value,
    other_is,
    ranked,
    read_naming,
    selectors_of,
    sum_trails,
)
from uptake.activity.owners import first_at
from uptake.activity.question import (
    COMMON,
    By,
    Question,
    QuestionRefused,
    Selector,
    read_one_of,
    read_text,
    read_whole,
    read_yes,
)
from uptake.activity.tally import FREE, Counts, joined, place_of, room_for

NAME = "transitions"
SELECTOR = Selector()
KEYS = COMMON | nodes.KEYS | {"session_gap_seconds", "collapse", "count", "steps", "edge_limit"}
START, END = "path_start", "path_end"
DENSE = 512
"""Up to this many nodes the edges are counted in a square."""
MOST_EDGES = 10_000
MOST_STEPS = 50
LARGEST = 2**20
"""Up to so many edges of all values together are counted in an array."""
SECOND = 1_000_000
EXACT = 2**53
"""Below it a whole number is itself as a float."""


@dataclass(frozen=True)
class Wanted:
    """What the question asks for beside what all ask for."""

    naming: Naming
    gap: int
    """Microseconds; 0: the whole sequence is one walk."""
    collapse: bool
    people: bool
    steps: int
    edge_limit: int


@dataclass(frozen=True)
class Transitions:
    """The edges as (from, to, count), by name; average_seconds beside them (None at path_start, path_end).

    step_matrix: {"nodes": names, "shares": a row per node, a column per step}."""

    edges: tuple[Sequence[Any], ...]
    average_seconds: tuple[float | None, ...]
    walks: int
    people: int
    counted: dict[str, Any]
    step_matrix: dict[str, Any] | None = None
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns from, to, count, average_seconds (and value, first, where there is a breakdown)."""
        whole = {"edges": self.edges, "average_seconds": self.average_seconds}
        rows = [
            (value, *edge, seconds)
            for value, one in (self.by_value if self.by_value is not None else {"": whole}).items()
            for edge, seconds in zip(one["edges"], one["average_seconds"], strict=True)
        ]
        names = ["value", "from", "to", "count", "average_seconds"]
        table = pa.table({name: [row[index] for row in rows] for index, name in enumerate(names)})
        return table if self.by_value is not None else table.drop_columns(["value"])


def read_transitions(question: Question) -> Wanted:
    """The keys of its own."""
    own = question.own
    gap = own.get("session_gap_seconds")
    return Wanted(
        naming=read_naming(own),
        gap=0 if gap is None else read_whole(gap, "session_gap_seconds", 1, 10**9) * SECOND,
        collapse=read_yes(own.get("collapse", False), "collapse"),
        people=read_one_of(own.get("count", "times"), ("times", "people"), "count") == "people",
        steps=read_whole(own.get("steps", 0), "steps", 0, MOST_STEPS),
        edge_limit=read_whole(own.get("edge_limit", MOST_EDGES), "edge_limit", 1, MOST_EDGES),
    )


def answer(asked: Asked) -> Transitions:
    """The edges of the question's walks."""
    wanted = read_transitions(asked.question)
    counted = {"unit": "people" if wanted.people else "times", "session_gap_seconds": wanted.gap // SECOND or None}
    span = asked.span()
    if span is None:
        empty: dict[str, dict[str, Any]] | None = {} if asked.question.by else None
        matrix: dict[str, Any] | None = {"nodes": [], "shares": []} if wanted.steps else None
        return Transitions((), (), 0, 0, asked.counted(None) | counted, matrix, empty)
    groups = ranked(asked, selectors_of(asked, wanted.naming), span)
    whole, by_value = _told(asked, wanted, span, groups)
    then, compare = asked.compared(span), None
    if then is not None:
        before, before_by_value = _told(asked, wanted, then, groups)
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat()} | before
        if groups is not None:
            compare["by_value"] = before_by_value
    return Transitions(
        tuple(whole["edges"]), tuple(whole["average_seconds"]), whole["walks"], whole["people"],
        asked.counted(span) | counted, whole.get("step_matrix"), by_value, compare,
    )  # fmt: skip


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{"from": node, "to": node}, and "value" with a breakdown: who went from the one to the other in the range."""
    wanted = read_transitions(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person", to see who is behind a number')
    for key in number:
        if key not in ("from", "to", "value"):
            raise QuestionRefused(str(key), "one of from, to, value", "an unknown key")
    first, then = read_text(number.get("from"), "from"), read_text(number.get("to"), "to")
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)
    groups = only_value(asked, number)

    def find(trail: Trail) -> Array:
        places = {name: place for place, name in enumerate(trail.nodes)}
        places |= {START: len(places)} if first == START else {}
        end = {END: len(trail.nodes)} if then == END else {}
        if first not in places or then not in (places | end):
            return np.zeros(0, np.int32)
        square = len(trail.nodes) + 1
        flags = np.zeros(len(trail.starts), np.uint8)
        sought = places[first] * square + (places | end)[then]
        _all(trail, wanted, span, 1, sought, flags)
        return trail.actor[flags > 0]

    return np.unique(np.concatenate(each_trail(asked, wanted.naming, groups, find) or [np.zeros(0, np.int32)]))


@dataclass(frozen=True)
class Square:
    """Edges in arrays, of actors by the group they are in as a whole (the last: in none), or of each value's events.

    The last place of `from` is the start of a walk, that of `to` its end; both stand in `passed` only when all is
    added up."""

    passed: Array
    """(groups, 2, from, to, 2): of steps near enough and of those that are not, how many, and µs."""
    ends: Array
    """(groups, nodes + 1): walks of actors that end there last of all."""
    people: Array
    """(groups)"""


def _blank(groups: int, square: int) -> Square:
    return Square(
        np.zeros((groups, 2, square, square, 2), np.int64), np.zeros((groups, square), np.int64),
        np.zeros(groups, np.int64),
    )  # fmt: skip


def _told(
    asked: Asked, wanted: Wanted, span: Span, groups: Groups | None
) -> tuple[dict[str, Any], dict[str, dict[str, Any]] | None]:
    """edges, average_seconds, walks, people and step_matrix: of all, and per value of the breakdown."""
    values = 0 if groups is None else len(groups.labels)
    squared = None
    if not (wanted.collapse or wanted.people or wanted.steps):
        squared = _squared(asked, wanted, span, groups, values)
    if squared is None:
        whole = _tables(asked, wanted, span, None)[""]
        return whole, None if groups is None else _tables(asked, wanted, span, groups)
    nodes, found = squared
    shown = _Shown(nodes, wanted)
    whole = shown.told(found, values)
    if groups is None:
        return whole, None
    return whole, {value: shown.told(found, number) for number, value in enumerate(groups.labels)}


def _squared(
    asked: Asked, wanted: Wanted, span: Span, groups: Groups | None, values: int
) -> tuple[tuple[str, ...], Square] | None:
    """The nodes and all edges by value, those of everybody last; None: there are too many of them for arrays."""
    names = nodes.event_nodes(asked, wanted.naming)
    square = len(names or ()) + 1
    if names is None or len(names) > DENSE or (values + 1) * square * square > LARGEST:
        return None

    def fold(trail: Trail, so_far: tuple[Square, Square] | None) -> tuple[Square, Square]:
        settled, mixed = so_far or (_blank(values + 1, square), _blank(values, square))
        own, rest = trail.histories.shared_out(shares_of(trail.histories.labels, groups))
        order = np.argsort(own, kind="stable") if values else slice(None)  # what is added to stays near the processor
        add_edges(
            trail.starts[order], trail.ends[order], trail.at, trail.codes, trail.node_of, own[order],
            span.low, span.high, wanted.gap, settled.passed, settled.ends, settled.people,
        )  # fmt: skip
        if rest is not None and groups is not None:
            add_edges_by(
                rest.starts, rest.ends, trail.at, trail.codes, trail.node_of, trail.value, trail.rank_of,
                span.low, span.high, wanted.gap, mixed.passed, mixed.ends, mixed.people,
            )  # fmt: skip
        return settled, mixed

    sums = sum_trails(asked, wanted.naming, groups, fold)
    if sums is None:
        return None
    total = _blank(values + 1, square)
    for settled, mixed in sums:
        for whole, own, of_value in (
            (total.passed, settled.passed, mixed.passed),
            (total.ends, settled.ends, mixed.ends),
            (total.people, settled.people, mixed.people),
        ):
            whole[values] += own.sum(axis=0)
            whole[:values] += own[:values]
            if mixed.people.any():
                whole[:values] += of_value
    near, far, out = total.passed[:, 0, :, :, 0], total.passed[:, 1, :, :, 0], square - 1
    begun = near[:, out] + far.sum(axis=1)
    near[:, :out, out] = far[:, :out].sum(axis=2) + total.ends[:, :out]
    near[:, out] = begun
    return names, total


class _Shown:
    """How edges between nodes are told."""

    def __init__(self, names: tuple[str, ...], wanted: Wanted) -> None:
        self.wanted = wanted
        heads, tails = (*names, START), (*names, END)
        by_head = sorted(range(len(heads)), key=heads.__getitem__)
        by_tail = sorted(range(len(tails)), key=tails.__getitem__)
        self.order = np.ix_(by_head, by_tail)
        first, then = np.array(heads, object)[by_head], np.array(tails, object)[by_tail]
        self.first, self.then = np.repeat(first, len(tails)), np.tile(then, len(heads))
        self.open_end = (self.first == START) | (self.then == END)

    def told(self, found: Square, number: int) -> dict[str, Any]:
        """The numbers of one group."""
        times = found.passed[number, 0, :, :, 0][self.order].ravel()
        spent = found.passed[number, 0, :, :, 1][self.order].ravel()
        kept = np.flatnonzero(times)
        if len(kept) > self.wanted.edge_limit:
            kept = np.sort(kept[np.argsort(-times[kept], kind="stable")[: self.wanted.edge_limit]])
        many, spent = times[kept], np.where(self.open_end[kept], 0, spent[kept])
        if spent.max(initial=0) < EXACT:
            seconds = (spent / many / SECOND).tolist()
        else:
            seconds = [time / n / SECOND for time, n in zip(spent.tolist(), many.tolist(), strict=True)]
        for place in np.flatnonzero(self.open_end[kept]).tolist():
            seconds[place] = None
        return {
            "edges": tuple(zip(self.first[kept].tolist(), self.then[kept].tolist(), many.tolist(), strict=True)),
            "average_seconds": seconds,
            "walks": int(found.passed[number, 0, -1, :, 0].sum()),
            "people": int(found.people[number]),
        }


Sums = tuple[Counts, Counts, Array, Array]


def _tables(asked: Asked, wanted: Wanted, span: Span, groups: Groups | None) -> dict[str, dict[str, Any]]:
    """As `_told`, per value of the breakdown, of any nodes and whatever is asked for."""
    values = other_is(groups)
    parts = each_trail(asked, wanted.naming, groups, lambda trail: fold(trail, wanted, span, len(values)))
    counts, standing = joined([part[0] for part in parts]), joined([part[1] for part in parts])
    walks, people = np.sum([part[2] for part in parts], axis=0), np.sum([part[3] for part in parts], axis=0)
    square = len(counts.names)
    heads, tails = (*counts.names[:-1], START), (*counts.names[:-1], END)
    edges: list[dict[tuple[str, str], list[int]]] = [{} for _ in values]
    for key, sums in zip(counts.keys.tolist(), counts.sums.tolist(), strict=True):
        edges[key // (square * square)][heads[key // square % square], tails[key % square]] = sums
    stands: list[dict[tuple[int, str], int]] = [{} for _ in values]
    for key, (times,) in zip(standing.keys.tolist(), standing.sums.tolist(), strict=True):
        step = key // square
        stands[step // wanted.steps][step % wanted.steps, standing.names[key % square]] = times
    found = {}
    for number, value in enumerate(values):
        own = edges[number]
        unit = 2 if wanted.people else 0
        kept = sorted(own, key=lambda key: (-own[key][unit], key))[: wanted.edge_limit]
        kept.sort()
        found[value] = {
            "edges": [[first, then, own[first, then][unit]] for first, then in kept],
            "average_seconds": [
                None if START in key or END in key else own[key][1] / own[key][0] / SECOND for key in kept
            ],
            "walks": int(walks[number]),
            "people": int(people[number]),
        }
        if wanted.steps:
            names = sorted({name for edge in own for name in edge} - {START, END})
            found[value]["step_matrix"] = _matrix(
                names, stands[number], int(walks[number]), wanted.steps
            )  # fmt: skip
    return found


def _matrix(names: list[str], stands: dict[tuple[int, str], int], walks: int, steps: int) -> dict[str, Any]:
    rows = [[stands.get((step, name), 0) for step in range(steps)] for name in names]
    rows.append([walks - sum(row[step] for row in rows) for step in range(steps)])
    return {
        "nodes": [*names, END],
        "shares": [[times / walks if walks else None for times in row] for row in rows],
    }


def fold(trail: Trail, wanted: Wanted, span: Span, values: int) -> Sums:
    """Edges by (value, from, to): times, µs, people; walks by (value, step, node); walks and people by value."""
    keys, sums, stands, walks, people = _all(trail, wanted, span, values, -1, np.zeros(len(trail.starts), np.uint8))
    taken = keys != FREE
    keys, sums = keys[taken], sums[taken]
    names = (*trail.nodes, "")
    standing = np.flatnonzero(stands)
    at_step = Counts(names, 1, standing, stands.ravel()[standing][:, None])
    return Counts(names, 2, keys, sums[:, :3]), at_step, walks, people


def _all(
    trail: Trail, wanted: Wanted, span: Span, values: int, sought: int, flags: Array
) -> tuple[Array, Array, Array, Array, Array]:
    return count_all(
        trail.starts, trail.ends, trail.at, trail.codes, trail.node_of, trail.value, trail.rank_of,
        span.low, span.high, wanted.gap, wanted.collapse, wanted.steps, len(trail.nodes) + 1, values, sought, flags,
    )  # fmt: skip


@compiled
def add_edges(
    starts: Array, ends: Array, at: Array, codes: Array, node_of: Array, own: Array, low: int, high: int, gap: int,
    passed: Array, last_of_all: Array, people: Array,
) -> None:  # fmt: skip
    """Adds each actor's steps to what `Square` describes. own: by actor its group.

    Whether a step is near enough cannot be foretold by a processor: both kinds are counted without a branch. A step
    that is not ends a walk and begins another."""
    out = len(last_of_all[0]) - 1
    limit = gap if gap > 0 else 2**62
    for k in range(len(starts)):
        start, end = starts[k], ends[k]
        if end > start and at[end - 1] >= high:
            end = first_at(at, start, end, high)
        start = first_at(at, start, end, low)
        mine = passed[own[k]]
        last = np.uint64(out)
        before = -(2**62)
        for i in range(np.uint64(start), np.uint64(end)):
            code = node_of[np.uint64(codes[i])]
            if code < 0:
                continue
            node = np.uint64(code)
            t = at[i]
            far = np.uint64(t - before >= limit)
            mine[far, last, node, np.uint64(0)] += 1
            mine[far, last, node, np.uint64(1)] += t - before
            last = node
            before = t
        if last != out:
            last_of_all[own[k], last] += 1
            people[own[k]] += 1


@compiled
def add_edges_by(
    starts: Array, ends: Array, at: Array, codes: Array, node_of: Array, value: Array, rank_of: Array,
    low: int, high: int, gap: int, passed: Array, last_of_all: Array, people: Array,
) -> None:  # fmt: skip
    """As `add_edges`, of the events of one value each, whoever's they are; rank_of: by value the group, -1: none."""
    groups = len(people)
    out = len(last_of_all[0]) - 1
    limit = gap if gap > 0 else 2**62
    last = np.full(groups, out, np.int64)
    before = np.full(groups, -(2**62), np.int64)
    mine = np.empty(groups, np.int64)
    for k in range(len(starts)):
        several = 0
        for i in range(starts[k], ends[k]):
            t = at[i]
            node = node_of[codes[i]]
            g = rank_of[value[i]]
            if node < 0 or g < 0 or t < low or t >= high:
                continue
            if last[g] == out:
                mine[several] = g
                several += 1
            far = 1 if t - before[g] >= limit else 0
            passed[g, far, last[g], node, 0] += 1
            passed[g, far, last[g], node, 1] += t - before[g]
            last[g] = node
            before[g] = t
        for one in range(several):
            g = mine[one]
            last_of_all[g, last[g]] += 1
            people[g] += 1
            last[g] = out
            before[g] = -(2**62)


@compiled
def count_all(
    starts: Array, ends: Array, at: Array, codes: Array, node_of: Array, value: Array, rank_of: Array,
    low: int, high: int, gap: int, collapse: bool, steps: int, square: int, values: int, sought: int, flags: Array,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Keys (value * square + from) * square + to with [times, µs, people, last actor + 1]; (values, steps, nodes) walks
    that stand there; walks and people by value. flags[k] is set for actors with the edge `sought`."""
    room = room_for(min(3 * (ends - starts).sum(), values * square * square))
    keys = np.full(room, FREE, np.int64)
    sums = np.zeros((room, 4), np.int64)
    stands = np.zeros((values, steps, square), np.int64)
    walks = np.zeros(values, np.int64)
    people = np.zeros(values, np.int64)
    out = square - 1
    last = np.full(values, out, np.int64)
    before = np.zeros(values, np.int64)
    length = np.zeros(values, np.int64)
    grouped = len(value) > 0
    pair = np.zeros((3, 2), np.int64)  # edges to add: from, to
    for k in range(len(starts)):
        start, end = starts[k], ends[k]
        if end > start and at[end - 1] >= high:
            end = first_at(at, start, end, high)
        start = first_at(at, start, end, low)
        for i in range(start, end + values):
            more = 0
            passed = 0
            if i < end:
                node = node_of[codes[i]]
                g = 0
                if grouped:
                    g = rank_of[value[i]]
                if node < 0 or g < 0:
                    continue
                t = at[i]
                if last[g] == out:
                    people[g] += 1
                    walks[g] += 1
                    length[g] = 0
                    pair[0, 0], pair[0, 1] = out, node
                    more = 1
                elif gap <= 0 or t - before[g] < gap:
                    passed = t - before[g]
                    before[g] = t
                    if collapse and last[g] == node:
                        continue
                    pair[0, 0], pair[0, 1] = last[g], node
                    more = 1
                else:
                    walks[g] += 1
                    length[g] = 0
                    pair[0, 0], pair[0, 1] = last[g], out
                    pair[1, 0], pair[1, 1] = out, node
                    more = 2
                last[g] = node
                before[g] = t
                if length[g] < steps:
                    stands[g, length[g], node] += 1
                    length[g] += 1
            else:
                g = i - end
                if last[g] == out:
                    continue
                pair[0, 0], pair[0, 1] = last[g], out
                more = 1
                last[g] = out
            for one in range(more):
                key = (g * square + pair[one, 0]) * square + pair[one, 1]
                place = place_of(keys, key)
                keys[place] = key
                sums[place, 0] += 1
                sums[place, 1] += passed
                if sums[place, 3] != k + 1:
                    sums[place, 3] = k + 1
                    sums[place, 2] += 1
                if key == sought:
                    flags[k] = 1
    return keys, sums, stands, walks, people
