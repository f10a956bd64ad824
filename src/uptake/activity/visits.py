"""Days on which people were there: a bucket in far fewer rows, a visit for each person, local day and place.

A question that counts any activity by whole local days needs no more of the rows than this. Visits are worked out at
the first such question, remembered with the columns under the same budget, and look to a fold like histories whose
instants are days: so every kernel of intervals reads them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uptake.activity.asking import Asked, Groups, numbered, ranks_of, shares_of
from uptake.activity.columns import NOBODY, Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Numbers
from uptake.activity.histories import KEPT, Histories, wanted_actors
from uptake.activity.log import Snapshot, each_worker
from uptake.activity.owners import (
    OUT,
    PLACES,
    SOME,
    actors_of,
    narrowed_codes,
    owners_of,
    table_of,
    verdicts,
)
from uptake.activity.periods import Buckets, buckets_between, day_number, local_date
from uptake.activity.question import By, Selector

DAY = 86_400_000_000
LAST_DAY = 32_000
"""Days of visits are int16 from 1970: until 2057."""
Part = TypeVar("Part")
Visits = tuple[Array, Array, Array, Array, Array, Array]
"""first (where each actor's visits begin, and their number), actor, day (int16, from 1970), many (rows), company and
department (of length 0 where places do not matter)."""


def each_visit(
    asked: Asked, selectors: tuple[Selector, ...], edges: Array, fold: Callable[[Histories, Array], Part],
    breakdown: By | None = None,
) -> list[Part] | None:  # fmt: skip
    """What a fold makes of every bucket's visits; None: the question needs the rows themselves.

    `edges`: the instants at which its intervals begin and end. The fold is given histories whose `at` are days and
    whose `many` are the rows of each, and the edges as days."""

    def one(history: Histories, days: Array, so_far: list[Part] | None) -> list[Part]:
        return [*(so_far or ()), fold(history, days)]

    sums = sum_visits(asked, selectors, edges, one, breakdown)
    return None if sums is None else [part for parts in sums for part in parts]


def sum_visits(
    asked: Asked, selectors: tuple[Selector, ...], edges: Array, fold: Callable[[Histories, Array, Part | None], Part],
    breakdown: By | None = None,
) -> list[Part] | None:  # fmt: skip
    """As `each_visit`, of a fold that adds each bucket to what it gave for the one before (None at first): as many sums
    as there were workers."""
    question = asked.question
    if question.count_by != By() or question.filters or question.sources is not None:
        return None
    if any(one.events is not None or one.where for one in selectors):
        return None
    if breakdown is not None and breakdown.place not in PLACES:
        return None
    zone, snapshot = question.timezone, asked.snapshot
    days = days_of(edges, zone)
    if days is None:
        return None
    never = np.concatenate([
        np.array([NOBODY], np.int32), np.array(snapshot.machines, np.int32), snapshot.person_codes(question.not_persons)
    ])  # fmt: skip
    narrow = asked.visible is not None or question.scope is not None
    companies = table_of(None if asked.visible is None else Numbers(asked.visible))
    places = table_of(None if question.scope is None else Numbers(question.scope))
    if companies is None or places is None:
        return None
    bits = np.array([int(KEPT) | ((1 << len(selectors)) - 1), 0], np.uint32)

    def of(bucket: int) -> Histories | None:
        first, actor = actors_of(snapshot, bucket)
        wanted = wanted_actors(actor, never, asked.only)
        some, owner = np.zeros(0, bool), np.zeros(0, np.int32)
        if narrow:
            found = verdicts(snapshot, bucket, companies, places)
            wanted = found != OUT if wanted is None else wanted & (found != OUT)
            some = wanted & (found == SOME)
        placed = bool(some.any())
        if breakdown is not None:
            owners = owners_of(snapshot, bucket, breakdown.place)
            owner, placed = owners.values, placed or owners.several
        known = visits_of(snapshot, bucket, zone, placed)
        if known is None:
            return None
        first, actor, day, many, company, department = known
        codes = _all_kept(len(day))
        if placed and narrow:
            starts, ends = first[:-1][some], first[1:][some]
            codes = narrowed_codes(codes, 1, starts, ends, lambda: (company, department), companies, places)
        labels: tuple[str, ...] = ()
        group = np.zeros(0, np.int32)
        if breakdown is not None:
            if placed:
                group = company if breakdown.place == "company" else department
            named = numbered(owners.most)
            if named is None or (owners.most == 0 and len(owner)):  # a property may have its name
                return None
            labels = named
        history = Histories(first[:-1], first[1:], actor, day, codes, bits, labels, group, many=many, owner=owner)
        return history if wanted is None else history.only(wanted)

    def add(bucket: int, so_far: tuple[bool, Part | None] | None) -> tuple[bool, Part | None]:
        possible, total = so_far or (True, None)
        history = of(bucket) if possible else None
        return (False, None) if history is None else (True, fold(history, days, total))

    parts = each_worker(snapshot, add)
    return [part for _, part in parts if part is not None] if all(possible for possible, _ in parts) else None


def days_of(edges: Array, zone: str) -> Array | None:
    """Instants as the numbers of the days that begin at them; None: one of them is not the beginning of a local day."""
    if not len(edges):
        return None
    inside = edges[(edges > 0) & (edges < LAST_DAY * DAY)]
    days = np.where(edges > 0, LAST_DAY, 0)
    if len(inside):
        first, last = local_date(int(inside.min()), zone), local_date(int(inside.max()), zone)
        begins = buckets_between(first, last, "day", zone).edges
        places = np.searchsorted(begins, inside)
        if (begins[places] != inside).any():
            return None
        days[(edges > 0) & (edges < LAST_DAY * DAY)] = places + day_number(first)
    return days.astype(np.int64)


def visits_of(snapshot: Snapshot, bucket: int, zone: str, placed: bool) -> Visits | None:
    """The visits of a bucket; None: its days are further than they can be numbered."""
    left_out = tuple(snapshot.not_activity)

    def make() -> Visits:
        starts, actor = actors_of(snapshot, bucket)
        columns = snapshot.columns(bucket, ["happened_at", "event", *(PLACES if placed else ())])
        at, nothing = columns["happened_at"], np.zeros(0, np.int32)
        low, high = (int(at.min()), int(at.max())) if len(at) else (2 * DAY, 2 * DAY)
        if low < DAY or high > (LAST_DAY - 2) * DAY:
            return nothing, actor, nothing, nothing, nothing, nothing
        first, last = local_date(low, zone), local_date(high, zone)
        days = buckets_between(first, last + timedelta(days=1), "day", zone)
        alive = np.zeros(0, bool)
        if left_out:
            found = pc.is_in(snapshot.texts("event"), value_set=pa.array(left_out, pa.large_string()))
            alive = ~found.to_numpy(zero_copy_only=False)
        company, department = (columns["company"], columns["department"]) if placed else (nothing, nothing)
        made = visits(starts, at, columns["event"], alive, company, department, days.edges, day_number(first))
        return made[0], actor, *made[1:]

    found = snapshot.remembered(bucket, ("visits", zone, left_out, placed), make)
    return found if len(found[0]) else None


def _all_kept(many: int) -> Array:
    """Codes of rows that all count."""
    global _zeros
    if len(_zeros) < many:
        _zeros = np.zeros(2 * many, np.int8)
    return _zeros[:many]


_zeros = np.zeros(1024, np.int8)


def slots_of(days: Array, number: Array) -> Array:
    """By day from the first on the number of the interval it lies in; -1: in none. The last stands for all beyond."""
    slot = np.full(int(days[-1] - days[0]) + 1, -1, np.int64)
    for place, row in enumerate(number.tolist()):
        slot[days[place] - days[0] : days[place + 1] - days[0]] = row
    slot[-1] = -1
    return slot


def ranked_places(
    asked: Asked, low: int, high: int, selectors: tuple[Selector, ...] = ()
) -> dict[str, tuple[int, int]] | None:
    """By value of the question's breakdown people and events in [low, high); None: the rows themselves are needed.

    `selectors`: what the events have to match beside the question's own."""

    Ranks = tuple[tuple[str, ...], Array]

    def fold(history: Histories, days: Array, so_far: Ranks | None) -> Ranks:
        labels, found = so_far or ((), np.zeros((1, 2, 2), np.int64))
        values = len(history.labels)
        if len(found) <= values:
            labels = history.labels
            found = np.concatenate([found[:-1], np.zeros((values + 2 - len(found), 2, 2), np.int64)])
        own, rest = history.shared_out(_each_alone(values, len(found) - 1))
        add_ranks(
            history.starts, history.ends, history.actor, history.at, history.many, history.codes, own,
            np.int16(days[0]), np.int16(days[1]), found,
        )  # fmt: skip
        if rest is not None:
            slot = slots_of(days, np.zeros(1, np.int64))
            _add_mixed(rest, np.arange(values), slot, int(days[0]), found)
        return labels, found

    edges = np.array([low, high], np.int64)
    sums = sum_visits(asked, (asked.question.selector, *selectors), edges, fold, asked.question.by)
    if sums is None:
        return None
    longest = max((labels for labels, _ in sums), key=len, default=())
    total = np.zeros((len(longest), 2), np.int64)
    for labels, counts in sums:
        total[: len(labels)] += counts[: len(labels), 1]
    return {longest[row]: (int(total[row, 1]), int(total[row, 0])) for row in np.flatnonzero(total[:, 0]).tolist()}


@lru_cache(maxsize=64)
def _each_alone(values: int, rest: int) -> Array:
    """Shares by which every value is by itself, and those without one in the last place."""
    return np.append(np.arange(values), rest)


def series(
    asked: Asked, buckets: Buckets, low: int, high: int, shown: Groups | None
) -> tuple[Array, Array] | None:  # fmt: skip
    """(groups + 1, buckets, 2) events and people, and (groups + 1, 2) in the whole of [low, high), the last row those
    of everybody; None: see `each_visit`. `shown`: the values of the question's breakdown; None: without one."""
    groups = 0 if shown is None else len(shown.labels)
    count = len(buckets.labels)
    slots: list[Array] = []

    def fold(history: Histories, days: Array, so_far: tuple[Array, Array] | None) -> tuple[Array, Array]:
        if not slots:
            slots.append(slots_of(days, buckets.number))
        settled, mixed = so_far or (
            np.zeros((groups + 1, count + 1, 2), np.int64),
            np.zeros((groups, count + 1, 2), np.int64),
        )
        own, rest = history.shared_out(shares_of(history.labels, shown))
        add_visits(
            history.starts, history.ends, history.actor, history.at, history.many, history.codes, own,
            slots[0], int(days[0]), settled,
        )  # fmt: skip
        if rest is not None and shown is not None:
            _add_mixed(rest, ranks_of(history.labels, shown), slots[0], int(days[0]), mixed)
        return settled, mixed

    by = None if shown is None else asked.question.by
    sums = sum_visits(asked, (asked.question.selector,), buckets.edges.clip(low, high), fold, by)
    if sums is None:
        return None
    settled, mixed = (np.sum([one[place] for one in sums], axis=0) for place in (0, 1))
    total = np.concatenate([settled[:groups] + mixed, settled.sum(axis=0)[None]])
    total[:, count, 0] = total[:, :count, 0].sum(axis=1)
    return total[:, :count], total[:, count]


def _add_mixed(history: Histories, rank: Array, slot: Array, base: int, counts: Array) -> None:
    """Adds the visits of people with several values to (groups or more, intervals + 1, 2)."""
    add_mixed_visits(
        history.starts, history.ends, history.actor, history.at, history.many, history.codes, history.group, rank,
        slot, base, counts,
    )  # fmt: skip


@compiled
def visits(
    starts: Array, at: Array, codes: Array, alive: Array, company: Array, department: Array, edges: Array, day: int
) -> tuple[Array, Array, Array, Array, Array]:
    """The visits of sorted rows: alive (by code; of length 0: all) says which count; edges: beginnings of days, the
    first of them `day`."""
    room = len(at)
    first = np.zeros(len(starts), np.int64)
    days = np.empty(room, np.int16)
    many = np.empty(room, np.int32)
    placed = len(company) > 0
    companies = np.empty(room if placed else 0, np.int32)
    departments = np.empty(room if placed else 0, np.int32)
    some = len(alive) > 0
    count = np.uint64(0)
    one = np.uint64(1)
    for a in range(len(starts) - 1):
        first[a] = np.int64(count)
        place = -1
        limit = edges[0]
        for row in range(np.uint64(starts[a]), np.uint64(starts[a + 1])):
            if some and not alive[codes[row]]:
                continue
            t = at[row]
            if t >= limit or place < 0:
                place += 1
                if t >= edges[place + 1]:
                    high = len(edges) - 2
                    while place < high:
                        middle = (place + high + 1) // 2
                        if edges[middle] <= t:
                            place = middle
                        else:
                            high = middle - 1
                limit = edges[place + 1]
            elif not placed or (company[row] == companies[count - one] and department[row] == departments[count - one]):
                many[count - one] += 1
                continue
            days[count] = day + place
            many[count] = 1
            if placed:
                companies[count] = company[row]
                departments[count] = department[row]
            count += one
    end = np.int64(count)
    first[len(starts) - 1] = end
    return (
        first, days[:end].copy(), many[:end].copy(), companies[: end if placed else 0].copy(),
        departments[: end if placed else 0].copy(),
    )  # fmt: skip


@compiled
def add_ranks(
    starts: Array, ends: Array, actor: Array, at: Array, many: Array, dead: Array, own: Array,
    first: Any, over: Any, counts: Array,
) -> None:  # fmt: skip
    """Adds to [own, 1] of counts the rows of visits on days in [first, over) and their people; the last own is none."""
    rest = len(counts) - 1
    for a in range(len(starts)):
        if own[a] == rest:
            continue
        events = np.int64(0)
        there = False
        for row in range(np.uint64(starts[a]), np.uint64(ends[a])):
            inside = (at[row] >= first) & (at[row] < over) & (dead[row] == 0)
            events += many[row] if inside else 0
            there |= inside
        counts[own[a], 1, 0] += events
        counts[own[a], 1, 1] += there and actor[a] > 0


@compiled
def add_visits(
    starts: Array, ends: Array, actor: Array, at: Array, many: Array, dead: Array, own: Array,
    slot: Array, base: int, counts: Array,
) -> None:  # fmt: skip
    """Adds actors' visits to (groups, intervals + 1, 2): rows and people in each interval, people in all of them."""
    last = len(slot) - 1
    whole = np.uint64(counts.shape[1] - 1)
    events, people = np.uint64(0), np.uint64(1)
    for a in range(len(starts)):
        g = np.uint64(own[a])
        known = np.int64(actor[a] > 0)
        before = -1
        there = np.int64(0)
        for row in range(np.uint64(starts[a]), np.uint64(ends[a])):
            day = at[row] - base
            b = slot[np.uint64(day if 0 <= day < last else last)]
            if b < 0 or dead[row]:
                continue
            counts[g, np.uint64(b), events] += many[row]
            counts[g, np.uint64(b), people] += known if b != before else 0
            before = b
            there = known
        counts[g, whole, people] += there


@compiled
def add_mixed_visits(
    starts: Array, ends: Array, actor: Array, at: Array, many: Array, dead: Array,
    group: Array, rank: Array, slot: Array, base: int, counts: Array,
) -> None:  # fmt: skip
    """As `add_visits`, of the visits of each value by themselves (their rank; -1: none), and all rows in the last
    interval."""
    intervals = counts.shape[1] - 1
    seen = np.full((len(counts), intervals + 1), -1, np.int32)
    last = len(slot) - 1
    for a in range(len(starts)):
        known = actor[a] > 0
        for row in range(starts[a], ends[a]):
            day = at[row] - base
            b = slot[day if 0 <= day < last else last]
            if b < 0 or dead[row]:
                continue
            g = rank[group[row]]
            if g < 0:
                continue
            for place in (b, intervals):
                counts[g, place, 0] += many[row]
                if known and seen[g, place] != a:
                    seen[g, place] = a
                    counts[g, place, 1] += 1


@compiled
def first_visits(starts: Array, ends: Array, at: Array, dead: Array, slot: Array, base: int, intervals: int) -> Array:
    """(actors, intervals) int32: the first visit of each actor in each interval; -1: none."""
    found = np.full((len(starts), intervals + 1), -1, np.int32)
    last = len(slot) - 1
    for a in range(len(starts)):
        for back in range(ends[a] - starts[a]):  # from the last to the first, which stays
            row = np.uint64(ends[a] - 1 - back)
            day = at[row] - base
            b = slot[np.uint64(day if 0 <= day < last else last)]
            if b >= 0 and not dead[row]:
                found[a, np.uint64(b)] = row
    return found[:, :intervals]
