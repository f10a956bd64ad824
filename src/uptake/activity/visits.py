"""Days on which people were there: a bucket in far fewer rows, a visit for each person, local day and place.

A question that counts any activity by whole local days needs no more of the rows than this. Visits are worked out at
the first such question, remembered with the columns under the same budget, and look to a fold like histories whose
instants are days: so every kernel of intervals reads them as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from uptake.activity.asking import Asked, by_number
from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Numbers
from uptake.activity.histories import KEPT, Histories, actors_of, narrowed_codes, table_of, wanted_actors
from uptake.activity.log import Snapshot, each_bucket
from uptake.activity.periods import Buckets, buckets_between, day_number, local_date
from uptake.activity.question import By, Selector

DAY = 86_400_000_000
LAST_DAY = 32_000
"""Days of visits are int16 from 1970: until 2057."""
PLACES = ("company", "department")
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
    seen = None if asked.visible is None else Numbers(asked.visible)
    within = None if question.scope is None else Numbers(question.scope)
    placed = seen is not None or within is not None or breakdown is not None
    never = snapshot.person_codes(question.not_persons)
    companies, places = table_of(seen), table_of(within)
    if companies is None or places is None:
        return None
    bits = np.array([int(KEPT) | ((1 << len(selectors)) - 1), 0], np.uint32)

    def of(bucket: int) -> tuple[bool, Part | None]:
        found = visits_of(snapshot, bucket, zone, placed)
        if found is None:
            return False, None
        first, actor, day, many, company, department = found
        starts, ends, actor = wanted_actors(asked, never, first, actor)
        codes = _all_kept(len(day))
        if seen is not None or within is not None:
            codes = narrowed_codes(codes, 1, company, department, companies, places)
        labels: tuple[str, ...] = ()
        group = np.zeros(0, np.int32)
        if breakdown is not None:
            group = company if breakdown.place == "company" else department
            if not group.any() and len(group):  # a table without numbers for it may have it as a property
                return False, None
            numbered = by_number(group)
            if numbered is None:
                return False, None
            labels = tuple(numbered)
        return True, fold(Histories(starts, ends, actor, day, codes, bits, labels, group, many=many), days)

    parts = each_bucket(snapshot, of)
    if not all(there for there, _ in parts):
        return None
    return [part for _, part in parts]  # type: ignore[misc]


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


def events_and_people(history: Histories, slot: Array, base: int, intervals: int, rank: Array, groups: int) -> Array:
    """(groups, intervals + 1, 2): visits' rows and distinct people above 0 in each interval, and in all of them.

    slot: by day from `base` the interval; rank: by label the group (-1: none); of length 0: all are one group."""
    if len(rank) or (len(history.bits) > 1 and history.codes.any()):
        rank = rank if len(rank) else np.zeros(1, np.int64)
        group = history.group if len(history.group) else _all_kept(len(history.at))
        return count_visits(
            history.starts, history.ends, history.actor, history.at, history.many, history.codes, group, rank, slot,
            base, groups, intervals,
        )  # fmt: skip
    return count_all_visits(
        history.starts, history.ends, history.actor, history.at, history.many, slot, base, intervals
    )


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
    edges = np.array([low, high], np.int64)

    def fold(history: Histories, days: Array) -> tuple[tuple[str, ...], Array]:
        rank = np.arange(len(history.labels))
        slot = slots_of(days, np.zeros(1, np.int64))
        return history.labels, events_and_people(history, slot, int(days[0]), 1, rank, len(rank))[:, 1]

    parts = each_visit(asked, (asked.question.selector, *selectors), edges, fold, asked.question.by)
    if parts is None:
        return None
    longest = max((labels for labels, _ in parts), key=len)
    total = np.zeros((len(longest), 2), np.int64)
    for labels, counts in parts:
        total[: len(labels)] += counts
    return {longest[row]: (int(total[row, 1]), int(total[row, 0])) for row in np.flatnonzero(total[:, 0]).tolist()}


def series(
    asked: Asked, buckets: Buckets, low: int, high: int, ranks: Callable[[tuple[str, ...]], Array] | None, groups: int
) -> tuple[Array, Array] | None:
    """(groups, buckets, 2) events and people, and (groups, 2) in the whole of [low, high); None: see `each_visit`.

    `ranks`: the group of each label (-1: none)."""
    edges = buckets.edges.clip(low, high)
    count = len(buckets.labels)
    slots: list[Array] = []

    def fold(history: Histories, days: Array) -> Array:
        if not slots:
            slots.append(slots_of(days, buckets.number))
        rank = np.zeros(0, np.int64) if ranks is None else ranks(history.labels)
        return events_and_people(history, slots[0], int(days[0]), count, rank, groups)

    by = None if ranks is None else asked.question.by
    parts = each_visit(asked, (asked.question.selector,), edges, fold, by)
    if parts is None:
        return None
    total = np.sum(parts, axis=0)
    return total[:, :-1], total[:, -1]


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
def count_all_visits(
    starts: Array, ends: Array, actor: Array, at: Array, many: Array, slot: Array, base: int, intervals: int
) -> Array:
    """(1, intervals + 1, 2) of visits that all count."""
    events = np.zeros(intervals + 1, np.int64)
    people = np.zeros(intervals + 1, np.int64)
    last = len(slot) - 1
    for a in range(len(starts)):
        known = np.int64(actor[a] > 0)
        before = -1
        there = np.int64(0)
        for row in range(np.uint64(starts[a]), np.uint64(ends[a])):
            day = at[row] - base
            b = slot[np.uint64(day if 0 <= day < last else last)]
            if b < 0:
                continue
            events[np.uint64(b)] += many[row]
            people[np.uint64(b)] += known if b != before else 0
            before = b
            there = known
        people[intervals] += there
    counts = np.empty((1, intervals + 1, 2), np.int64)
    for b in range(intervals):
        events[intervals] += events[b]
    counts[0, :, 0] = events
    counts[0, :, 1] = people
    return counts


@compiled
def count_visits(
    starts: Array, ends: Array, actor: Array, at: Array, many: Array, dead: Array,
    group: Array, rank: Array, slot: Array, base: int, groups: int, intervals: int,
) -> Array:  # fmt: skip
    """(groups, intervals + 1, 2) of the visits that are not dead, by the rank of their group (-1: none)."""
    counts = np.zeros((groups, intervals + 1, 2), np.int64)
    seen = np.full((groups, intervals + 1), -1, np.int32)
    last = len(slot) - 1
    whole = np.uint64(intervals)
    events, people = np.uint64(0), np.uint64(1)
    for a in range(len(starts)):
        known = actor[a] > 0
        for row in range(np.uint64(starts[a]), np.uint64(ends[a])):
            day = at[row] - base
            b = slot[np.uint64(day if 0 <= day < last else last)]
            if b < 0 or dead[row]:
                continue
            place = rank[np.uint64(group[row])]
            if place < 0:
                continue
            g, at_b = np.uint64(place), np.uint64(b)
            counts[g, at_b, events] += many[row]
            if known:
                if seen[g, at_b] != a:
                    seen[g, at_b] = a
                    counts[g, at_b, people] += 1
                if seen[g, whole] != a:
                    seen[g, whole] = a
                    counts[g, whole, people] += 1
    for one in range(groups):
        for b in range(intervals):
            counts[one, intervals, 0] += counts[one, b, 0]
    return counts


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
