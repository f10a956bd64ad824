"""The ways people take: which node follows which at which position of a walk, how often and how quickly; who leaves.

A row's node comes from `items`, then `groupings`, then `exclude` (see `nodes`). A person's nodes in the range are cut
into walks where the next comes `session_gap_seconds` (1800) later or more; runs of one node become one, with the time
of the last. `start`: the walk from the first occurrence of that node, its first `max_steps` (5) nodes. `end`: the walk
up to the first occurrence, its last max_steps. Both: from the first start to the first end after it; if that is longer
than max_steps, the first half of them, "...", the last half ("..." has the time of the first node it stands for).
Walks without the start or end that is asked for are left out, and so are those of identities nobody has claimed.

An edge is ["1_from", "2_to", walks, average seconds]; `count`: "people" counts people who have such a walk instead (the
seconds stay those of the walks). `edge_limit` (50) keeps the heaviest, ties by position and name; edges that cannot be
reached any more from position 1 go too.

`steps` has, for every position and node, how many reached it, went on from it (continued), had their last node there
(dropped), and of those how many only because max_steps cut them off. `drop_off`: false leaves it out.

`by`: the same of the events with one value only, value by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from uptake.activity import nodes
from uptake.activity.asking import Asked, Groups, Span
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.nodes import (
    Naming,
    Trail,
    bare,
    by_value_sorted,
    each_trail,
    only_value,
    other_is,
    ranked,
    read_naming,
    selectors_of,
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
    shown,
)
from uptake.activity.tally import FREE, Counts, joined, place_of, room_for

NAME = "paths"
SELECTOR = Selector()
KEYS = COMMON | nodes.KEYS | {
    "max_steps", "session_gap_seconds", "start", "end", "edge_limit", "drop_off", "count"
}  # fmt: skip
LEFT_OUT = "..."
SECOND = 1_000_000
DENSE = 2**17
"""Up to so many edges there may be an array has a place for each, above it a table only for those that occur."""
NONE, ABSENT = -1, -2
"""What a start or end is in the kernel that was not asked for, or that no row of the bucket has."""


@dataclass(frozen=True)
class Wanted:
    """What the question asks for beside what all ask for."""

    naming: Naming
    max_steps: int
    gap: int
    """Microseconds."""
    start: str | None
    end: str | None
    edge_limit: int
    drop_off: bool
    people: bool


@dataclass(frozen=True)
class Paths:
    """Edges as [from, to, count, average seconds], the heaviest first. Steps by position, the most reached first:
    {"step", "node", "reached", "continued", "dropped", "cut"}."""

    edges: tuple[list[Any], ...]
    walks: int
    people: int
    counted: dict[str, Any]
    steps: tuple[dict[str, Any], ...] | None = None
    by_value: dict[str, dict[str, Any]] | None = None
    compare: dict[str, Any] | None = None

    def to_arrow(self) -> pa.Table:
        """Columns from, to, count, average_seconds (and value, first, where there is a breakdown)."""
        groups = self.by_value if self.by_value is not None else {"": {"edges": self.edges}}
        rows = [(value, *edge) for value, one in groups.items() for edge in one["edges"]]
        names = ["value", "from", "to", "count", "average_seconds"]
        table = pa.table({name: [row[index] for row in rows] for index, name in enumerate(names)})
        return table if self.by_value is not None else table.drop_columns(["value"])


def read_paths(question: Question) -> Wanted:
    """The keys of its own."""
    own = question.own
    return Wanted(
        naming=read_naming(own),
        max_steps=read_whole(own.get("max_steps", 5), "max_steps", 2, 20),
        gap=read_whole(own.get("session_gap_seconds", 1800), "session_gap_seconds", 1, 10**9) * SECOND,
        start=_node(own.get("start"), "start"),
        end=_node(own.get("end"), "end"),
        edge_limit=read_whole(own.get("edge_limit", 50), "edge_limit", 1, 10_000),
        drop_off=read_yes(own.get("drop_off", True), "drop_off"),
        people=read_one_of(own.get("count", "walks"), ("walks", "people"), "count") == "people",
    )


def _node(value: Any, key: str) -> str | None:
    return None if value is None else bare(read_text(value, key))


def answer(asked: Asked) -> Paths:
    """The edges and steps of the question's walks."""
    wanted = read_paths(asked.question)
    counted = {
        "unit": "people" if wanted.people else "walks", "session_gap_seconds": wanted.gap // SECOND,
        "max_steps": wanted.max_steps, "start": wanted.start, "end": wanted.end,
    }  # fmt: skip
    span = asked.span()
    if span is None:
        empty: dict[str, dict[str, Any]] | None = {} if asked.question.by else None
        return Paths((), 0, 0, asked.counted(None) | counted, () if wanted.drop_off else None, empty)
    groups = ranked(asked, selectors_of(asked, wanted.naming), span)
    whole = _tables(asked, wanted, span, None)[""]
    by_value = None if groups is None else _tables(asked, wanted, span, groups)
    then, compare = asked.compared(span), None
    if then is not None:
        compare = {"from": then.first.isoformat(), "to": then.last.isoformat()} | _tables(asked, wanted, then, None)[""]
        if groups is not None:
            compare["by_value"] = _tables(asked, wanted, then, groups)
    steps = tuple(whole["steps"]) if wanted.drop_off else None
    return Paths(
        tuple(whole["edges"]), whole["walks"], whole["people"], asked.counted(span) | counted, steps, by_value, compare
    )


def actors(asked: Asked, number: Mapping[str, Any]) -> Array:
    """{"from": "1_a", "to": "2_b"}: who has such a walk (one of the two may be left out). {"step": i, "node": n}: who
    reached it, with "dropped": true whose walk ends there, with false who went on. And "value" with a breakdown."""
    wanted = read_paths(asked.question)
    if asked.question.count_by != By():
        raise QuestionRefused("count_by", '"person", to see who is behind a number')
    for key in number:
        if key not in ("from", "to", "step", "node", "dropped", "value"):
            raise QuestionRefused(str(key), "one of dropped, from, node, step, to, value", "an unknown key")
    if "step" in number:
        step = read_whole(number["step"], "step", 1, wanted.max_steps + 1)
        node = read_text(number.get("node"), "node")
        ways = {None: 1, True: 2, False: 3}
        dropped = number.get("dropped")
        kind = ways[None if dropped is None else read_yes(dropped, "dropped")]
        sought = (kind, step, node, "")
    elif "from" in number and "to" in number:
        step, node = _position(number["from"], "from")
        after, then = _position(number["to"], "to")
        if after != step + 1:
            raise QuestionRefused("to", "a node at the next position", shown(number["to"]))
        sought = (4, step, node, then)
    elif "to" in number:
        sought = (1, *_position(number["to"], "to"), "")
    else:
        sought = (3, *_position(number.get("from"), "from"), "")
    span = asked.span()
    if span is None:
        return np.zeros(0, np.int32)

    def find(trail: Trail) -> Array:
        flags, _, actor = _walked(trail, wanted, span, 1, sought)
        return actor[flags > 0]

    found = each_trail(asked, wanted.naming, only_value(asked, number), find)
    return np.unique(np.concatenate(found or [np.zeros(0, np.int32)]))


def _position(value: Any, key: str) -> tuple[int, str]:
    text = read_text(value, key)
    position, _, node = text.partition("_")
    if not position.isdecimal() or not node or not 1 <= int(position) <= 21:
        raise QuestionRefused(key, 'a position and a node, such as "1_/orders"', shown(value))
    return int(position), node


def _tables(asked: Asked, wanted: Wanted, span: Span, groups: Groups | None) -> dict[str, dict[str, Any]]:
    """Per value of the breakdown: edges, steps, walks and people."""
    values = other_is(groups)
    parts = each_trail(asked, wanted.naming, groups, lambda trail: fold(trail, wanted, span, len(values)))
    passed, stood = joined([part[0] for part in parts]), joined([part[1] for part in parts])
    totals = np.sum([part[2] for part in parts], axis=0)
    names, many = passed.names, len(passed.names)
    edges = [_heaviest(passed, number, wanted) for number in range(len(values))]
    steps: list[dict[tuple[int, str], list[int]]] = [{} for _ in values]
    for key, sums in zip(stood.keys.tolist(), stood.sums.tolist(), strict=True):
        steps[key // many // 32][key // many % 32, names[key % many]] = sums
    return {
        value: {
            "edges": _edges(edges[number], wanted),
            **({"steps": _steps(steps[number], wanted.people)} if wanted.drop_off else {}),
            "walks": int(totals[0, number]),
            "people": int(totals[1, number]),
        }
        for number, value in enumerate(values)
    }


def _heaviest(passed: Counts, value: int, wanted: Wanted) -> dict[tuple[int, str, str], list[int]]:
    """The sums of a value's heaviest edges (position, from, to), these first; ties by position and name."""
    names, many = passed.names, len(passed.names)
    place, first, then = passed.keys // (many * many), passed.keys // many % many, passed.keys % many
    own = np.flatnonzero(place // 32 == value)
    rank = np.empty(many, np.int64)
    rank[np.array(sorted(range(many), key=names.__getitem__))] = np.arange(many)
    weight = passed.sums[own, 2 if wanted.people else 0]
    own = own[np.lexsort((rank[then[own]], rank[first[own]], place[own], -weight))[: wanted.edge_limit]]
    edges = zip((place[own] % 32).tolist(), first[own].tolist(), then[own].tolist(), strict=True)
    sums = passed.sums[own].tolist()
    return {(position, names[a], names[b]): one for (position, a, b), one in zip(edges, sums, strict=True)}


def _edges(heaviest: dict[tuple[int, str, str], list[int]], wanted: Wanted) -> list[list[Any]]:
    """Those of the heaviest edges that can be reached from the first position."""
    unit = 2 if wanted.people else 0
    reached = {(1, first) for position, first, _ in heaviest if position == 1}
    for position, first, then in sorted(heaviest):
        if (position, first) in reached:
            reached.add((position + 1, then))
    return [
        [
            f"{position}_{first}", f"{position + 1}_{then}",
            sums[unit],
            sums[1] / sums[0] / SECOND,
        ]
        for (position, first, then), sums in heaviest.items()
        if (position, first) in reached
    ]  # fmt: skip


def _steps(found: dict[tuple[int, str], list[int]], people: bool) -> list[dict[str, Any]]:
    rows = []
    for (position, node), sums in found.items():
        reached, dropped, cut, continued = (
            (sums[3], sums[4], sums[5], sums[6]) if people else (sums[0], sums[1], sums[2], sums[0] - sums[1])
        )
        rows.append({
            "step": position, "node": f"{position}_{node}", "reached": reached, "continued": continued,
            "dropped": dropped, "cut": cut,
        })  # fmt: skip
    return sorted(rows, key=lambda row: (row["step"], -row["reached"], row["node"]))


Sums = tuple[Counts, Counts, Array]


def fold(trail: Trail, wanted: Wanted, span: Span, values: int) -> Sums:
    """By (value, position, from, to): walks, µs, people. By (value, position, node): reached, dropped, cut, the people
    of each, and the people who continued. (2, values) walks and people."""
    _, (edge_keys, edges, step_keys, steps, totals), _ = _walked(trail, wanted, span, values, (0, 0, "", ""))
    names = (*trail.nodes, LEFT_OUT)
    passed, stood = edge_keys != FREE, step_keys != FREE
    return (
        Counts(names, 2, edge_keys[passed], edges[passed, :3]),
        Counts(names, 1, step_keys[stood], steps[stood, :7]),
        totals,
    )


def _walked(
    trail: Trail, wanted: Wanted, span: Span, values: int, sought: tuple[int, int, str, str]
) -> tuple[Array, Any, Array]:
    """Flags of the actors that have what is sought, the sums, and the actors."""
    places = {name: place for place, name in enumerate(trail.nodes)}
    places[LEFT_OUT] = many = len(trail.nodes)

    def number(name: str | None) -> int:
        return NONE if name is None else places.get(name, ABSENT)

    kind, step, node, then = sought
    key = NONE
    if kind and node in places and (kind < 4 or then in places):
        key = step * (many + 1) + places[node]
        key = key * (many + 1) + places[then] if kind == 4 else key
    elif kind:
        kind = 0
    runs, value = by_value_sorted(trail)
    flags = np.zeros(len(runs.starts), np.uint8)
    longest = int((runs.ends - runs.starts).max()) if len(runs.starts) else 0
    sums = count(
        runs.starts, runs.ends, runs.at, runs.codes, runs.node_of, value, span.low, span.high, wanted.gap,
        number(wanted.start), number(wanted.end), wanted.max_steps, many + 1, values, longest, kind, key, flags,
    )  # fmt: skip
    return flags, sums, runs.actor


@compiled
def count(
    starts: Array, ends: Array, at: Array, codes: Array, node_of: Array, value: Array, low: int, high: int, gap: int,
    first: int, last: int, most: int, many: int, values: int, longest: int, kind: int, sought: int, flags: Array,
) -> tuple[Array, Array, Array, Array, Array]:  # fmt: skip
    """Edges by ((value * 32 + position) * many + from) * many + to: [walks, µs, people, last actor + 1]; steps by
    (value * 32 + position) * many + node: [reached, dropped, cut, people of each of these, people who continued, last
    actor + 1 of each of the four]; (2, values) walks and people. Sets the flags of the actors that have what is sought.
    """
    rows = (ends - starts).sum()
    positions = 32 * max(values - 1, 0) + most + 2  # nobody: no values either
    dense = positions * many * many <= DENSE  # then a key is its own place
    room = positions * many * many if dense else room_for(min(rows, values * (most + 2) * many * many))
    edge_keys, edges = np.full(room, FREE, np.int64), np.zeros((room, 4), np.int64)
    room = positions * many if dense else room_for(min(rows, values * (most + 2) * many))
    step_keys, steps = np.full(room, FREE, np.int64), np.zeros((room, 11), np.int64)
    totals = np.zeros((2, values), np.int64)
    walk = np.zeros(longest + 2, np.int64)
    when = np.zeros(longest + 2, np.int64)
    for k in range(len(starts)):
        g = value[k]
        length = 0
        seen = False
        before = 0
        start, stop = starts[k], ends[k]
        if stop > start and at[stop - 1] >= high:
            stop = first_at(at, start, stop, high)
        start = first_at(at, start, stop, low)
        for i in range(start, stop + 1):
            node = -1
            t = 0
            over = i == stop
            if not over:
                t = at[i]
                node = node_of[codes[i]]
                if node < 0:
                    continue
                if length > 0 and t - before < gap:
                    before = t
                    if walk[length - 1] != node:
                        walk[length] = node
                        length += 1
                    when[length - 1] = t
                    continue
            if length > 0:  # the walk in hand is whole
                begin, end = 0, length
                if first != NONE:
                    while begin < end and walk[begin] != first:
                        begin += 1
                found = begin < end
                if found and last != NONE:
                    end = begin
                    while end < length and walk[end] != last:
                        end += 1
                    found = end < length
                    end += 1
                if found:
                    cut = False
                    if end - begin > most:
                        if last == NONE:
                            end = begin + most
                            cut = True
                        elif first == NONE:
                            begin = end - most
                        else:
                            half = most // 2
                            walk[begin + half] = many - 1
                            for j in range(half):
                                walk[begin + half + 1 + j] = walk[end - half + j]
                                when[begin + half + 1 + j] = when[end - half + j]
                            end = begin + 2 * half + 1
                    totals[0, g] += 1
                    if not seen:
                        seen = True
                        totals[1, g] += 1
                    for j in range(begin, end):
                        position = j - begin + 1
                        dropped = j == end - 1
                        key = (g * 32 + position) * many + walk[j]
                        place = key if dense else place_of(step_keys, key)
                        step_keys[place] = key
                        steps[place, 0] += 1
                        if steps[place, 7] != k + 1:
                            steps[place, 7] = k + 1
                            steps[place, 3] += 1
                        if dropped:
                            steps[place, 1] += 1
                            if steps[place, 8] != k + 1:
                                steps[place, 8] = k + 1
                                steps[place, 4] += 1
                            if cut:
                                steps[place, 2] += 1
                                if steps[place, 9] != k + 1:
                                    steps[place, 9] = k + 1
                                    steps[place, 5] += 1
                        elif steps[place, 10] != k + 1:
                            steps[place, 10] = k + 1
                            steps[place, 6] += 1
                        here = kind > 0 and kind < 4 and position * many + walk[j] == sought
                        if here and (kind == 1 or (kind == 2) == dropped):
                            flags[k] = 1
                        if dropped:
                            continue
                        key = key * many + walk[j + 1]
                        place = key if dense else place_of(edge_keys, key)
                        edge_keys[place] = key
                        edges[place, 0] += 1
                        edges[place, 1] += when[j + 1] - when[j]
                        if edges[place, 3] != k + 1:
                            edges[place, 3] = k + 1
                            edges[place, 2] += 1
                        if kind == 4 and (position * many + walk[j]) * many + walk[j + 1] == sought:
                            flags[k] = 1
            if not over:
                walk[0] = node
                when[0] = t
                length = 1
                before = t
    return edge_keys, edges, step_keys, steps, totals
