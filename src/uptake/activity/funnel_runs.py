"""The kernels of funnels: which run of each actor is reported, and when it was at each step.

An *attempt* starts at an instant with an event of the first step (an unordered one: of any step) and is the earliest
possible chain of different events from there. Of an actor's attempts the deepest counts; of equally deep ones the one
that arrives first; of those the latest entry (unordered: the earliest). Events of one instant count in whichever order
helps: an instant is a set of events that are matched with steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled

NEVER = -(2**62)
STRETCH = 256
"""So many rows are looked through at once for those that serve a step."""
ORDERED, STRICT, UNORDERED = 0, 1, 2
ALL_ROWS, OF_VALUE, STEP_OF_VALUE, ENTRY_OF_VALUE = 0, 1, 2, 3
"""What a value of the breakdown narrows: nothing, every event, the events of one step, the entry."""


@compiled
def augmented(
    masks: Array, first: int, last: int, owner: Array, held: Array, via: Array, queue: Array, step: int
) -> bool:
    """Gives `step` an event of its own among masks[first:last], moving other steps to other events where it has to.

    owner: by event the step it serves or -1; held: by step its event (from `first`) or -1. via, queue: scratch."""
    count = last - first
    for e in range(count):
        via[e] = -1
    queue[0] = step
    head, tail = 0, 1
    while head < tail:
        s = queue[head]
        head += 1
        for e in range(count):
            if via[e] >= 0 or not (masks[first + e] >> np.uint32(s)) & np.uint32(1):
                continue
            via[e] = s
            if owner[e] < 0:
                while True:
                    s = via[e]
                    before = held[s]
                    owner[e] = s
                    held[s] = e
                    if s == step:
                        return True
                    e = before
            queue[tail] = owner[e]
            tail += 1
    return False


@compiled
def quick_entries(
    starts: Array, ends: Array, at: Array, codes: Array, masks: Array, steps: int, window: int, low: int, high: int
) -> tuple[Array, Array, int]:
    """As `latest_entries`, of the actors no two of whose events that serve a step are of one instant; the others are
    left with depth -1, and counted last.

    Which rows serve a step, and which level of a funnel they raise, cannot be foretold: both are found without a
    branch. The instants of the steps are looked up once a level is reached for the first time."""
    people = len(starts)
    depth = np.zeros(people, np.int32)
    when = np.full((people, steps), NEVER, np.int64)
    entry = np.full(steps + 2, NEVER, np.int64)
    several = 0
    longest = 0
    for a in range(people):
        longest = max(longest, ends[a] - starts[a])
    picked = np.empty(longest + 1, np.int32)
    hit = np.zeros(len(masks), np.uint8)
    for code in range(len(masks)):
        hit[code] = masks[code] != 0
    for a in range(people):
        many = np.uint64(0)
        reached, end = np.uint64(starts[a]), np.uint64(ends[a])
        for k in range(steps + 2):
            entry[k] = NEVER
        best = 0
        before = NEVER
        i = np.uint64(0)
        while True:
            if i == many:  # the rest is looked through only as far as it has to be
                if reached == end:
                    break
                stop = min(end, reached + np.uint64(STRETCH))
                for near in range(reached, stop):
                    picked[many] = near
                    many += np.uint64(hit[np.uint64(codes[near])])
                reached = stop
                continue
            row = np.uint64(picked[i])
            t = at[row]
            i += np.uint64(1)
            if t < low:
                continue
            if t >= high:
                break
            if t == before:
                best = -1
                several += 1
                break
            before = t
            b = masks[np.uint64(codes[row])]
            for k in range(steps - 1, 0, -1):
                level = np.uint64(k)
                came, there = entry[level], entry[level + np.uint64(1)]
                higher = ((b >> np.uint32(k)) & np.uint32(1) != 0) & (came > there) & (t - window <= came)
                entry[level + np.uint64(1)] = came if higher else there
            entry[1] = t if b & np.uint32(1) else entry[1]
            if entry[best + 1] != NEVER:
                best += 1
                start = entry[best]
                j = i - np.uint64(1)
                while at[picked[j]] != start:
                    j -= np.uint64(1)
                step = 0
                while step < best:
                    earlier = picked[j]
                    if (masks[codes[earlier]] >> np.uint32(step)) & np.uint32(1):
                        when[a, step] = at[earlier]
                        step += 1
                    j += np.uint64(1)
                if best == steps:
                    row += np.uint64(1)
                    while row < end and at[row] == t:
                        if hit[codes[row]]:
                            best = -1
                            several += 1
                            break
                        row += np.uint64(1)
                    break
        depth[a] = best
    return depth, when, several


@compiled
def latest_entries(
    starts: Array, ends: Array, at: Array, codes: Array, masks: Array, kinds: int,
    steps: int, window: int, low: int, high: int,
) -> tuple[Array, Array]:  # fmt: skip
    """Ordered funnels without more ado: by actor the depth reached and the instants of its steps, one pass over rows.

    masks: uint32 by code, bit k for step k; kinds: how many different ones there are. For every level the latest entry
    that has reached it is kept: it has the most window left, so no earlier one can do better."""
    people = len(starts)
    depth = np.zeros(people, np.int32)
    when = np.full((people, steps), NEVER, np.int64)
    entry = np.empty(steps + 1, np.int64)
    times = np.empty((steps + 1, steps), np.int64)
    entry_now = np.empty(steps + 1, np.int64)
    times_now = np.empty((steps + 1, steps), np.int64)
    room = kinds * steps + 1  # nobody needs more events of a kind at one instant than there are steps
    group = np.empty(room, np.uint32)
    owner = np.empty(room, np.int64)
    via = np.empty(room, np.int64)
    queue = np.empty(steps + 1, np.int64)
    held = np.empty(steps, np.int64)
    picked = np.empty(len(codes) + 1, np.int32)
    many = 0
    for a in range(people):
        for row in range(starts[a], ends[a]):
            picked[many] = row
            many += masks[codes[row]] != 0
    i = 0
    for a in range(people):
        for k in range(steps + 1):
            entry[k] = NEVER
        best = 0
        while i < many and picked[i] < starts[a]:
            i += 1
        while i < many and picked[i] < ends[a]:
            r = picked[i]
            i += 1
            t = at[r]
            if t >= high:
                break
            if t < low:
                continue
            b = masks[codes[r]]
            several = 1
            if i < many and picked[i] < ends[a] and at[picked[i]] == t:
                group[0] = b
                while i < many and picked[i] < ends[a] and at[picked[i]] == t:
                    more = masks[codes[picked[i]]]
                    i += 1
                    alike = 0
                    for e in range(several):
                        if group[e] == more:
                            alike += 1
                    if alike >= steps:
                        continue
                    group[several] = more
                    several += 1
            if several == 1:
                for k in range(min(best, steps - 1), 0, -1):
                    if (b >> np.uint32(k)) & np.uint32(1) and entry[k] > entry[k + 1] and t - entry[k] <= window:
                        entry[k + 1] = entry[k]
                        for j in range(k):
                            times[k + 1, j] = times[k, j]
                        times[k + 1, k] = t
                        if k + 1 > best:
                            best = k + 1
                            for j in range(best):
                                when[a, j] = times[best, j]
                if b & np.uint32(1):
                    entry[1] = t
                    times[1, 0] = t
                    if best == 0:
                        best = 1
                        when[a, 0] = t
            else:
                for k in range(steps + 1):
                    entry_now[k] = entry[k]
                    for j in range(k):
                        times_now[k, j] = times[k, j]
                for k in range(min(best, steps - 1), -1, -1):
                    if k > 0 and (entry[k] == NEVER or t - entry[k] > window):
                        continue
                    start = t if k == 0 else entry[k]
                    for e in range(several):
                        owner[e] = -1
                    for j in range(steps):
                        held[j] = -1
                    level = k
                    while level < steps and augmented(group, 0, several, owner, held, via, queue, level):
                        level += 1
                        if start > entry_now[level]:
                            entry_now[level] = start
                            for j in range(k):
                                times_now[level, j] = times[k, j]
                            for j in range(k, level):
                                times_now[level, j] = t
                for k in range(steps, 0, -1):
                    if entry_now[k] != NEVER:
                        if k > best:
                            best = k
                            for j in range(best):
                                when[a, j] = times_now[best, j]
                        break
                for k in range(steps + 1):
                    entry[k] = entry_now[k]
                    for j in range(k):
                        times[k, j] = times_now[k, j]
            if best == steps:
                break
        depth[a] = best
    return depth, when


@compiled
def in_history(b: Any, t: int, scopes: Array, first: Array) -> Any:
    """The bits of a row, without the steps it cannot be the first event of. `first` is brought up to date.

    scopes: by step 0, or the bit of the events of which only the actor's first may serve."""
    for k in range(len(scopes)):
        if scopes[k]:
            if b & scopes[k] and first[k] == NEVER:
                first[k] = t
            if first[k] != t:
                b &= ~(1 << k)
    return b


@compiled
def touched(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, group: Array, nothing: int,
    steps: int, scopes: Array, low: int, high: int, last: bool,
) -> Array:  # fmt: skip
    """By actor the first (or last) value that is there on an event of any step; `nothing` where there is none."""
    own = np.full(len(starts), nothing, np.int64)
    mask = (1 << steps) - 1
    first = np.empty(steps, np.int64)
    for a in range(len(starts)):
        for k in range(steps):
            first[k] = NEVER
        for r in range(starts[a], ends[a]):
            b = in_history(np.int64(bits[codes[r]]), at[r], scopes, first)
            if not b & mask or at[r] < low:
                continue
            if at[r] >= high:
                break
            if group[r] != nothing:
                own[a] = group[r]
                if not last:
                    break
    return own
