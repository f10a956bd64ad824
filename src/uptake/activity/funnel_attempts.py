"""The kernel of all kinds of funnels: every attempt of every actor is followed, see funnel_runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.funnel_runs import (
    ALL_ROWS,
    ENTRY_OF_VALUE,
    NEVER,
    OF_VALUE,
    ORDERED,
    STEP_OF_VALUE,
    STRICT,
    UNORDERED,
    augmented,
    in_history,
)


@compiled
def filled(
    masks: Array, first: int, last: int, level: int, upto: int, optional: int,
    owner: Array, held: Array, via: Array, queue: Array,
) -> int:  # fmt: skip
    """The steps of [level, upto) that the events of one instant serve, as bits.

    The needed ones in their order as far as they come, then the optional ones before the first that is not served."""
    for e in range(last - first):
        owner[e] = -1
    for j in range(len(held)):
        held[j] = -1
    found = 0
    limit = upto
    for m in range(level, upto):
        if (optional >> m) & 1:
            continue
        if not augmented(masks, first, last, owner, held, via, queue, m):
            limit = m
            break
        found |= 1 << m
    for m in range(level, limit):
        if (optional >> m) & 1 and augmented(masks, first, last, owner, held, via, queue, m):
            found |= 1 << m
    return found


@compiled
def highest(found: int) -> int:
    """The number of the highest bit, from 1; 0: none."""
    level = 0
    while found:
        found >>= 1
        level += 1
    return level


@compiled
def most_runs(
    starts: Array, ends: Array, codes: Array, bits: Array, group: Array, values: int,
    serving: int, entering: int, narrowed: int, buckets: int,
) -> int:  # fmt: skip
    """No fewer runs than `attempts` can give: per actor the events that enter (at most one a bucket) times the values.

    serving, entering: the bits of the events that give values, and of those an attempt can begin with."""
    total = 0
    seen = np.full(max(1, values), -1, np.int64)
    for a in range(len(starts)):
        entries = 0
        several = 0 if narrowed else 1
        for r in range(starts[a], ends[a]):
            b = bits[codes[r]]
            if b & entering:
                entries += 1
            if narrowed and b & serving and seen[group[r]] != a:
                seen[group[r]] = a
                several += 1
        total += min(entries, buckets) * several
    return total


@compiled
def attempts(
    starts: Array, ends: Array, at: Array, codes: Array, bits: Array, group: Array, values: int,
    steps: int, order: int, window: int, optional: int, scopes: Array,
    exclusions: Array, ignored: int, narrowed: int, narrowed_step: int,
    low: int, high: int, edges: Array, number: Array, room: int,
) -> tuple[Array, Array, Array, Array, Array, Array]:  # fmt: skip
    """All kinds of funnels: every attempt of every actor is followed; one run per actor, value and bucket of the entry.

    bits: by code, bit k for step k, bits steps… for the exclusions, `ignored` for events strict funnels pass over, bit
    31 for rows that count. exclusions: rows (after, before). Gives actor (place in `starts`), bucket, value (-1 without
    a breakdown), depth, steps done as bits, instants (rows, steps). room: how many runs there can be at most."""
    count = 0
    out_actor = np.empty(room, np.int64)
    out_bucket = np.empty(room, np.int64)
    out_value = np.empty(room, np.int64)
    out_depth = np.empty(room, np.int64)
    out_done = np.empty(room, np.int64)
    out_when = np.empty((room, steps), np.int64)

    longest = 1
    for a in range(len(starts)):
        longest = max(longest, ends[a] - starts[a])
    # an actor's rows that matter, then those of one value, then the instants they fall into
    row_at = np.empty(longest, np.int64)
    row_bits = np.empty(longest, np.int64)
    row_value = np.empty(longest, np.int64)
    masks = np.empty(longest, np.uint32)
    instant = np.empty(longest, np.int64)
    begins = np.empty(longest + 1, np.int64)
    serves = np.empty(longest, np.int64)
    excludes = np.empty(longest, np.int64)
    stands = np.empty(longest, np.bool_)
    enters = np.empty(longest, np.bool_)
    next_step = np.empty((steps, longest + 1), np.int64)
    next_x = np.empty((max(1, len(exclusions)), longest + 1), np.int64)
    levels = np.empty(longest + 1, np.int64)
    nodes = np.empty(longest + 1, np.int64)
    owner = np.empty(longest, np.int64)
    via = np.empty(longest, np.int64)
    queue = np.empty(steps + 1, np.int64)
    held = np.empty(steps, np.int64)
    held_mask = np.empty(steps, np.int64)
    came = np.empty(steps, np.int64)
    first = np.empty(steps, np.int64)
    when = np.empty(steps, np.int64)
    place = np.empty(steps, np.int64)
    best_when = np.empty(steps, np.int64)
    seen = np.full(max(1, values), -1, np.int64)
    asked = np.empty(max(1, values), np.int64)
    step_mask = (1 << steps) - 1
    x_mask = ((1 << len(exclusions)) - 1) << steps

    for a in range(len(starts)):
        rows = 0
        several = 0
        for k in range(steps):
            first[k] = NEVER
        for r in range(starts[a], ends[a]):
            b: Any = np.int64(bits[codes[r]])
            if not b >> 31:
                continue
            t = at[r]
            if t >= high:
                break
            b = in_history(b, t, scopes, first)
            if t < low:
                continue
            if not b & (step_mask | x_mask) and (order != STRICT or b & ignored):
                continue
            row_at[rows] = t
            row_bits[rows] = b
            if narrowed != ALL_ROWS:
                v = group[r]
                row_value[rows] = v
                wanted = b & (1 << narrowed_step) if narrowed == STEP_OF_VALUE else b & step_mask
                if wanted and seen[v] != a:
                    seen[v] = a
                    asked[several] = v
                    several += 1
            rows += 1
        if narrowed == ALL_ROWS:
            asked[0] = -1
            several = 1
        for which in range(several):
            value = asked[which]
            # the instants
            kept = 0
            instants = 0
            for i in range(rows):
                b = row_bits[i]
                of_value = narrowed == ALL_ROWS or row_value[i] == value
                if narrowed == OF_VALUE and not of_value:
                    continue
                if narrowed == STEP_OF_VALUE and not of_value:
                    b &= ~(1 << narrowed_step)
                    if not b & (step_mask | x_mask) and order != STRICT:
                        continue
                if instants == 0 or instant[instants - 1] != row_at[i]:
                    instant[instants] = row_at[i]
                    begins[instants] = kept
                    serves[instants] = 0
                    excludes[instants] = 0
                    stands[instants] = False
                    enters[instants] = False
                    instants += 1
                g = instants - 1
                serves[g] |= b & step_mask
                excludes[g] |= (b & x_mask) >> steps
                if not b & ignored:
                    stands[g] = True
                if of_value and b & step_mask:
                    enters[g] = True
                if b & step_mask:
                    alike = 0
                    for e in range(begins[g], kept):
                        if masks[e] == np.uint32(b & step_mask):
                            alike += 1
                    if alike < steps:
                        masks[kept] = np.uint32(b & step_mask)
                        kept += 1
            begins[instants] = kept
            for k in range(steps):
                next_step[k, instants] = instants
                for g in range(instants - 1, -1, -1):
                    next_step[k, g] = g if (serves[g] >> k) & 1 else next_step[k, g + 1]
            for x in range(len(exclusions)):
                next_x[x, instants] = instants
                for g in range(instants - 1, -1, -1):
                    next_x[x, g] = g if (excludes[g] >> x) & 1 else next_x[x, g + 1]

            before = count
            actor_depth = 0
            actor_clean = False
            bucket = -1
            cut = 0
            depth, arrival, done = 0, NEVER, 0
            clean = False
            for entry in range(instants + 1):
                now = -1
                if entry < instants:
                    if order == UNORDERED:
                        if not serves[entry] or (narrowed == ENTRY_OF_VALUE and not enters[entry]):
                            continue
                    elif not serves[entry] & 1:
                        continue
                    if len(number) == 1:
                        if clean and depth == steps and instant[entry] > arrival:
                            continue
                        now = number[0]
                    else:
                        while instant[entry] >= edges[cut + 1]:
                            cut += 1
                        now = number[cut]
                if now != bucket:
                    if bucket >= 0 and clean and depth > 0:
                        out_actor[count] = a
                        out_bucket[count] = bucket
                        out_value[count] = value
                        out_depth[count] = depth
                        out_done[count] = done
                        for k in range(steps):
                            out_when[count, k] = best_when[k]
                        count += 1
                    bucket = now
                    depth, arrival, done = 0, NEVER, 0
                    clean = False
                if entry == instants:
                    break

                # follow the attempt
                start = instant[entry]
                for k in range(steps):
                    when[k] = NEVER
                found = 0
                reached = 0
                tainted = False
                if order == UNORDERED:
                    for k in range(steps):
                        held_mask[k] = 0
                    full = 0
                    g = entry
                    while reached < steps and g < instants and instant[g] - start <= window:
                        for e in range(begins[g], begins[g + 1]):
                            b = np.int64(masks[e])
                            if not b & ~full:
                                continue
                            # a way from this event to a free step, over steps that may change their event
                            visited = b
                            head, tail = 0, 0
                            for k in range(steps):
                                if (b >> k) & 1:
                                    came[k] = -1
                                    queue[tail] = k
                                    tail += 1
                            free = -1
                            while head < tail:
                                k = queue[head]
                                head += 1
                                if not held_mask[k]:
                                    free = k
                                    break
                                for other in range(steps):
                                    if (held_mask[k] >> other) & 1 and not (visited >> other) & 1:
                                        visited |= 1 << other
                                        came[other] = k
                                        queue[tail] = other
                                        tail += 1
                            if free < 0:
                                full |= visited
                                continue
                            while came[free] >= 0:
                                held_mask[free] = held_mask[came[free]]
                                free = came[free]
                            held_mask[free] = b
                            when[reached] = instant[g]
                            place[reached] = g
                            reached += 1
                        following = instants
                        for k in range(steps):
                            if not (full >> k) & 1:
                                following = min(following, next_step[k, g + 1])
                        g = following
                    found = (1 << reached) - 1
                    for x in range(len(exclusions)):
                        h = next_x[x, entry + 1]
                        if h < instants:
                            if reached == steps:
                                tainted = tainted or instant[h] < when[steps - 1]
                            else:
                                tainted = tainted or instant[h] - start <= window
                    if tainted:
                        tainted = False
                        reached = 1
                        found = 1
                        for k in range(1, steps):
                            when[k] = NEVER
                elif order == ORDERED:
                    g = entry
                    while True:
                        if begins[g + 1] - begins[g] == 1 and not optional:
                            now_found = 1 << reached
                        else:
                            now_found = filled(
                                masks, begins[g], begins[g + 1], reached, steps, optional, owner, held, via, queue
                            )
                        for k in range(reached, steps):
                            if (now_found >> k) & 1:
                                when[k] = instant[g]
                                place[k] = g
                        found |= now_found
                        reached = highest(found)
                        if reached == steps:
                            break
                        following = instants
                        for k in range(reached, steps):
                            following = min(following, next_step[k, g + 1])
                            if not (optional >> k) & 1:
                                break
                        if following == instants or instant[following] - start > window:
                            break
                        g = following
                else:
                    # the levels that may have been reached at each instant, as bits, until nothing goes on
                    length = 0
                    g = entry
                    alive = 1
                    ends_at = 0
                    while g < instants and instant[g] - start <= window:
                        grown = 0
                        for j in range(steps):
                            if not (alive >> j) & 1:
                                continue
                            if begins[g + 1] - begins[g] == 1:
                                for k in range(j, steps):
                                    if (serves[g] >> k) & 1:
                                        grown |= 1 << (k + 1)
                                    if not (optional >> k) & 1:
                                        break
                            elif begins[g + 1] > begins[g]:
                                for upto in range(j + 1, steps + 1):
                                    served = filled(
                                        masks, begins[g], begins[g + 1], j, upto, optional, owner, held, via, queue
                                    )
                                    if highest(served) == upto:
                                        grown |= 1 << upto
                        level = highest(grown) - 1
                        if level > reached:
                            reached = level
                            ends_at = length
                        if not stands[g]:
                            grown |= alive & ~1
                        levels[length] = grown
                        nodes[length] = g
                        length += 1
                        alive = grown
                        if not grown or reached == steps:
                            break
                        g += 1
                    # back over the levels that lead to the deepest, then forth as early as it can be
                    for i in range(ends_at + 1):
                        came_from = ends_at - i
                        if i == 0:
                            levels[came_from] &= 1 << reached
                            continue
                        useful = 0
                        h = nodes[came_from + 1]
                        for j in range(1, steps + 1):
                            if not (levels[came_from] >> j) & 1:
                                continue
                            if (levels[came_from + 1] >> j) & 1 and not stands[h]:
                                useful |= 1 << j
                            for upto in range(j + 1, steps + 1):
                                if (levels[came_from + 1] >> upto) & 1:
                                    served = filled(
                                        masks, begins[h], begins[h + 1], j, upto, optional, owner, held, via, queue
                                    )
                                    if highest(served) == upto:
                                        useful |= 1 << j
                        levels[came_from] = useful
                    level = 0
                    for i in range(ends_at + 1):
                        g = nodes[i]
                        for upto in range(steps, level, -1):
                            if not (levels[i] >> upto) & 1:
                                continue
                            served = filled(
                                masks, begins[g], begins[g + 1], level, upto, optional, owner, held, via, queue
                            )
                            if highest(served) == upto:
                                for k in range(level, upto):
                                    if (served >> k) & 1:
                                        when[k] = instant[g]
                                        place[k] = g
                                found |= served
                                level = upto
                                break
                if order != UNORDERED:
                    for x in range(len(exclusions)):
                        after, until = exclusions[x, 0], exclusions[x, 1]
                        if not (found >> after) & 1:
                            continue
                        h = next_x[x, place[after] + 1]
                        if h < instants:
                            if (found >> until) & 1:
                                tainted = tainted or instant[h] < when[until]
                            else:
                                tainted = tainted or instant[h] - start <= window

                arrives = when[reached - 1]
                if reached > actor_depth:
                    actor_depth = reached
                    actor_clean = not tainted
                elif reached == actor_depth and not tainted:
                    actor_clean = True
                better = False
                if reached > depth:
                    depth = reached
                    clean = not tainted
                    better = clean
                elif reached == depth and not tainted:
                    better = not clean or arrives < arrival or (arrives == arrival and order != UNORDERED)
                    clean = True
                if better:
                    arrival = arrives
                    done = found
                    for k in range(steps):
                        best_when[k] = when[k]
            if not actor_clean:
                count = before
    return (
        out_actor[:count].copy(), out_bucket[:count].copy(), out_value[:count].copy(),
        out_depth[:count].copy(), out_done[:count].copy(), out_when[:count].copy(),
    )  # fmt: skip
