"""What the steps of a walk are called: an item names a row, rules group the names, some names are left out.

An item is a selector and, if the event's name will not do, the property that names the node (without its last "/"),
or the name of the node itself ("name").
The first item that matches a row names it; an event without the property is named by its event. Then the rules: a
rule with `*` (anything) stands for every name that contains it, and of several the one with the most letters of its
own wins. Then exclusions, by the name as it is by then. Rows without a node are as if they had not happened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from uptake.activity.asking import Asked, Groups, Span, group_codes, ranks_of
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import distinct
from uptake.activity.histories import KEPT, Histories, Labeller, each_history, sum_histories
from uptake.activity.log import Snapshot
from uptake.activity.owners import PLACES
from uptake.activity.question import (
    By,
    QuestionRefused,
    Selector,
    read_list,
    read_object,
    read_selector,
    read_text,
    shown,
)
from uptake.activity.visits import ranked_places

KEYS = frozenset({"items", "groupings", "exclude"})
MOST_RAW = 20_000
"""Up to this many values of a column are labelled by a table, above it only those that occur."""
Part = TypeVar("Part")


@dataclass(frozen=True)
class Item:
    """Which rows, and what their node is called: by a property, by this name, or (both None) by their event."""

    selector: Selector
    property: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Naming:
    """How rows become nodes."""

    items: tuple[Item, ...] = (Item(Selector()),)
    groupings: tuple[str, ...] = ()
    """The most specific first."""
    exclude: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    """Events that are passed over, whatever their node would be called."""

    @property
    def by_event(self) -> bool:
        """Whether the event's name alone says which node a row is."""
        return not any(item.property or item.name or item.selector.where for item in self.items)

    def grouped(self, name: str) -> str | None:
        """The node of a name; None: it is left out."""
        for rule in self.groupings:
            if re.search(".*".join(re.escape(part) for part in rule.split("*")), name, re.DOTALL):
                name = rule
                break
        return None if name in self.exclude else name


def read_naming(own: Mapping[str, Any]) -> Naming:
    """items, groupings and exclude of a question."""
    items = tuple(
        _item(one, f"items[{index}]")
        for index, one in enumerate(read_list(own.get("items") or [], "items", "a list of items"))
    )
    if len(items) > 20:
        raise QuestionRefused("items", "at most 20 items", f"{len(items)}")
    rules = [bare(one) for one in read_texts(own.get("groupings"), "groupings")]
    rules.sort(key=lambda rule: (-len(rule.replace("*", "")), rule.count("*")))
    return Naming(
        items or (Item(Selector()),),
        tuple(rules),
        frozenset(bare(one) for one in read_texts(own.get("exclude"), "exclude")),
    )


def read_texts(value: Any, key: str) -> tuple[str, ...]:
    """A list of texts; nothing is none."""
    several = read_list([] if value is None else value, key, "a list of names")
    for index, one in enumerate(several):
        if not isinstance(one, str):
            raise QuestionRefused(f"{key}[{index}]", "a name", shown(one))
    return tuple(several)


def _item(value: Any, key: str) -> Item:
    if isinstance(value, str):
        return Item(Selector((value,)))
    given = read_object(value, key)
    for inner in given:
        if inner not in ("sel", "property", "name"):
            raise QuestionRefused(f"{key}.{inner}", "one of name, property, sel", "an unknown key")
    named = {one: read_text(given[one], f"{key}.{one}") for one in ("property", "name") if given.get(one) is not None}
    if len(named) == 2:
        raise QuestionRefused(f"{key}.name", "either name or property", "both")
    return Item(read_selector(given.get("sel", {}), f"{key}.sel"), **named)


def bare(name: str) -> str:
    """A path without its last "/" ("/" itself stays)."""
    return name[:-1] if len(name) > 1 and name.endswith("/") else name


@dataclass(frozen=True)
class Trail:
    """A bucket's rows with their nodes: row i is node_of[codes[i]] (-1: none), and in group rank_of[value[i]]
    (-1: none shown; without a breakdown both arrays are empty and all is one group)."""

    starts: Array
    ends: Array
    actor: Array
    at: Array
    codes: Array
    node_of: Array
    """int32"""
    nodes: tuple[str, ...]
    """Names by node number."""
    rank_of: Array
    """int32"""
    names: tuple[str, ...]
    """Names of actors that are no people."""
    histories: Histories
    """Where they come from."""

    @property
    def value(self) -> Array:
        """int32, one per row; of length 0 without a breakdown."""
        return self.histories.group if len(self.rank_of) else np.zeros(0, np.int32)


def each_trail(
    asked: Asked, naming: Naming, groups: Groups | None, fold: Callable[[Trail], Part], *, unclaimed: bool = False
) -> list[Part]:
    """What the fold makes of each bucket's rows that match `event_sel` and an item; of people alone, unless identities
    nobody has claimed are asked for too."""
    selectors = selectors_of(asked, naming)
    by = asked.question.by if groups is not None else None
    if _by_event(asked, naming):
        trail = _named_by_event(asked, naming, groups)
        breakdown = None if by is None else _breakdown(asked, by)
        return each_history(
            asked, selectors, lambda rows: fold(trail(rows if unclaimed else rows.people)), breakdown=breakdown
        )
    nothing = np.zeros(0, np.int32)

    def by_label(rows: Histories) -> Trail:
        numbers: dict[str, int] = {}
        nodes = [_number(numbers, None if label is None else label[0]) for label in rows.labels]
        node_of = np.array(nodes or [-1], np.int32)
        rank_of = nothing
        if groups is not None:
            rank_of = ranks_of(tuple(label[1] if label is not None else "" for label in rows.labels), groups)
        return Trail(
            rows.starts, rows.ends, rows.actor, rows.at, rows.group, node_of, tuple(numbers), rank_of, rows.names, rows
        )

    labeller = _node_labeller(asked.snapshot, naming, by)
    return each_history(
        asked, selectors, lambda rows: fold(by_label(rows if unclaimed else rows.people)), breakdown=labeller
    )


def sum_trails(
    asked: Asked, naming: Naming, groups: Groups | None, fold: Callable[[Trail, Part | None], Part]
) -> list[Part] | None:
    """As `each_trail` of people, of a fold that adds each bucket to what it gave for the one before (None at first):
    as many sums as there were workers. None: the nodes of one bucket are not those of another, so they cannot be added
    up so."""
    if not _by_event(asked, naming):
        return None
    trail = _named_by_event(asked, naming, groups)
    by = asked.question.by if groups is not None else None
    breakdown = None if by is None else _breakdown(asked, by)
    return sum_histories(
        asked, selectors_of(asked, naming), lambda rows, so_far: fold(trail(rows.people), so_far), breakdown=breakdown
    )


def event_nodes(asked: Asked, naming: Naming) -> tuple[str, ...] | None:
    """The nodes of all buckets, where the event's name alone says which one a row is; else None."""
    if not _by_event(asked, naming):
        return None
    texts = (str(text) for text in asked.snapshot.texts("event").to_pylist())
    names = (None if text in naming.without else naming.grouped(text) for text in texts)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def selectors_of(asked: Asked, naming: Naming) -> list[Selector]:
    """The question's own, then one per item."""
    return [asked.question.selector, *(item.selector for item in naming.items)]


def _by_event(asked: Asked, naming: Naming) -> bool:
    return naming.by_event and not asked.question.selector.where and asked.question.count_by == By()


def _breakdown(asked: Asked, by: By) -> By | Labeller:
    return by if by.place in PLACES else value_labeller(asked.snapshot, by)


def _named_by_event(asked: Asked, naming: Naming, groups: Groups | None) -> Callable[[Histories], Trail]:
    """Makes trails of histories in which the event's code says which node a row is, the same in all buckets."""
    texts = [str(text) for text in asked.snapshot.texts("event").to_pylist()]
    numbers: dict[str, int] = {}
    named = np.array(
        [_number(numbers, None if text in naming.without else naming.grouped(text)) for text in texts] + [-1], np.int32
    )
    every, nothing = tuple(numbers), np.zeros(0, np.int32)
    known: dict[int, tuple[Array, Array]] = {}

    def node_by_code(bits: Array) -> Array:
        """The same for every bucket, as the bits are."""
        if id(bits) not in known:
            wanted = ((bits & KEPT) > 0) & ((bits & 1) > 0) & ((bits & np.uint32(~1 & 0x7FFFFFFF)) > 0)
            known[id(bits)] = bits, np.where(wanted, named, -1).astype(np.int32)
        return known[id(bits)][1]

    def trail(rows: Histories) -> Trail:
        node_of = node_by_code(rows.bits)
        rank_of = nothing if groups is None else ranks_of(rows.labels, groups)
        return Trail(rows.starts, rows.ends, rows.actor, rows.at, rows.codes, node_of, every, rank_of, rows.names, rows)

    return trail


def _number(numbers: dict[str, int], name: str | None) -> int:
    return -1 if name is None else numbers.setdefault(name, len(numbers))


def _node_labeller(snapshot: Snapshot, naming: Naming, by: By | None) -> Labeller:
    """Labels (node, value of the breakdown), None where there is no node."""

    def label(bucket: int, found: Array) -> tuple[list[Hashable], Array]:
        codes = np.zeros(len(found), np.int64)
        labels: list[Any] = [None]
        seen: dict[Any, int] = {}
        open_rows = ((found & KEPT) > 0) & ((found & 1) > 0)
        for number, item in enumerate(naming.items, start=1):
            rows = open_rows & ((found & np.uint32(1 << number)) > 0)
            if not rows.any():
                continue
            open_rows &= ~rows
            texts, own = group_codes(snapshot, bucket, By(place="event"), rows)
            if item.property is not None:
                named, values = group_codes(snapshot, bucket, By(property=item.property), rows)
                pairs, back = np.unique(own[rows].astype(np.int64) * len(named) + values[rows], return_inverse=True)
                places = []
                for pair in pairs.tolist():
                    event, text = texts[pair // len(named)], named[pair % len(named)]
                    node = None if event in naming.without else naming.grouped(bare(text) if text else event)
                    places.append(_place(node, labels, seen))
            else:
                used, back = distinct(own[rows])
                names = [None if text in naming.without else naming.grouped(item.name or text) for text in texts]
                places = [_place(names[one], labels, seen) for one in used.tolist()]
            codes[rows] = np.array(places or [0])[back]
        if by is None:
            return [None if one is None else (one, "") for one in labels], codes.astype(np.int32)
        texts, own = group_codes(snapshot, bucket, by, codes > 0)
        pairs, back = np.unique(codes * len(texts) + np.where(codes > 0, own, 0), return_inverse=True)
        both = [(labels[pair // len(texts)], texts[pair % len(texts)]) for pair in pairs.tolist()]
        return [None if one[0] is None else one for one in both], back.astype(np.int32)

    return label


def _place(node: str | None, labels: list[Any], seen: dict[Any, int]) -> int:
    if node is None:
        return 0
    if node not in seen:
        seen[node] = len(labels)
        labels.append(node)
    return seen[node]


def value_labeller(snapshot: Snapshot, by: By) -> Labeller:
    """Labels of a breakdown. Where the column's own numbers will do they are handed on as they are."""

    def label(bucket: int, found: Array) -> tuple[list[Hashable], Array]:
        if by.place and by.place != "object":
            column = snapshot.columns(bucket, [by.place])[by.place]
            most = int(column.max()) + 1 if len(column) else 1
            if by.place in ("event", "source"):
                return list(snapshot.texts(by.place).to_pylist()), column.astype(np.int32)
            if column.any() and most <= MOST_RAW and int(column.min()) >= 0:
                return ["", *(str(number) for number in range(1, most))], column
        texts, codes = group_codes(snapshot, bucket, by, (found & KEPT) > 0)
        return list(texts), codes

    return label


def ranked(asked: Asked, selectors: list[Selector], span: Span) -> Groups | None:
    """The values of the breakdown with the most people in the range, at most `limit`; None: no breakdown.

    Rows count that match the first selector and any of the others (or the first, if it is alone).
    """
    by = asked.question.by
    if by is None:
        return None

    placed = ranked_places(asked, span.low, span.high, tuple(selectors))
    if placed is not None:
        order = sorted(placed, key=lambda text: (-placed[text][0], -placed[text][1], text))
        return Groups(tuple(order[: asked.question.limit]), len(order) > asked.question.limit)

    def count(rows: Histories) -> tuple[tuple[str, ...], Array]:
        others = np.uint32(((1 << len(selectors)) - 1) & ~1)
        wanted = ((rows.bits & KEPT) > 0) & ((rows.bits & 1) > 0)
        if others:
            wanted &= (rows.bits & others) > 0
        many = max(len(rows.labels), 1)
        counted = people_per_value(
            rows.starts, rows.ends, rows.at, rows.codes, wanted, rows.group, span.low, span.high, many
        )
        return rows.labels, counted

    people: dict[str, int] = {}
    events: dict[str, int] = {}
    for labels, counted in each_history(asked, selectors, count, breakdown=value_labeller(asked.snapshot, by)):
        for number in np.flatnonzero(counted[0]).tolist():
            text = labels[number]
            people[text] = people.get(text, 0) + int(counted[1, number])
            events[text] = events.get(text, 0) + int(counted[0, number])
    best = sorted(people, key=lambda text: (-people[text], -events[text], text))
    limit = asked.question.limit
    return Groups(tuple(best[:limit]), len(best) > limit)


@compiled
def people_per_value(
    starts: Array, ends: Array, at: Array, codes: Array, wanted: Array, value: Array, low: int, high: int, values: int
) -> Array:
    """(2, values): events, and distinct actors, of each value in [low, high)."""
    counts = np.zeros((2, values), np.int64)
    seen = np.full(values, -1, np.int64)
    for k in range(len(starts)):
        for i in range(starts[k], ends[k]):
            if not wanted[codes[i]] or at[i] < low or at[i] >= high:
                continue
            v = value[i]
            counts[0, v] += 1
            if seen[v] != k:
                seen[v] = k
                counts[1, v] += 1
    return counts


def other_is(groups: Groups | None) -> tuple[str, ...]:
    """The names of the groups of an answer; one without a name where there is no breakdown."""
    return ("",) if groups is None else groups.labels


def only_value(asked: Asked, number: Mapping[str, Any]) -> Groups | None:
    """The one group that is asked about; None: all."""
    if "value" not in number:
        return None
    value = number["value"]
    if asked.question.by is None or not isinstance(value, str):
        raise QuestionRefused("value", "a value of the breakdown", shown(value))
    return Groups((value,), False)


def by_value_sorted(trail: Trail) -> tuple[Trail, Array]:
    """The rows that count with each actor's sorted by value, so that a run is one actor's rows of one value; and the
    value of each run. Without a breakdown the trail itself."""
    if not len(trail.rank_of):
        return trail, np.zeros(len(trail.starts), np.int32)
    lengths = trail.ends - trail.starts
    before = np.cumsum(lengths) - lengths
    row = np.repeat(trail.starts - before, lengths) + np.arange(lengths.sum())
    owner = np.repeat(np.arange(len(lengths)), lengths)
    group = trail.rank_of[trail.value[row]]
    kept = (group >= 0) & (trail.node_of[trail.codes[row]] >= 0)
    row, owner, group = row[kept], owner[kept], group[kept]
    order = np.argsort(owner * (int(group.max(initial=0)) + 1) + group, kind="stable")
    row, owner, group = row[order], owner[order], group[order]
    turns = np.flatnonzero((owner[1:] != owner[:-1]) | (group[1:] != group[:-1])) + 1
    starts = np.concatenate([np.zeros(min(1, len(row)), np.int64), turns])
    ends = np.concatenate([turns, np.full(min(1, len(row)), len(row), np.int64)])
    nothing = np.zeros(0, np.int32)
    sorted_trail = Trail(
        starts, ends, trail.actor[owner[starts]], trail.at[row], trail.codes[row], trail.node_of, trail.nodes,
        nothing, trail.names, trail.histories,
    )  # fmt: skip
    return sorted_trail, group[starts].astype(np.int32)
