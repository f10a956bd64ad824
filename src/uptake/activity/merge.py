"""Merges rows that came later into rows that are sorted already, without sorting again."""

from __future__ import annotations

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled


@compiled
def merged_order(
    person: Array, happened_at: Array, event_id: Array, new_person: Array, new_happened_at: Array, new_event_id: Array
) -> Array:
    """The order of old rows followed by new rows, both sorted by (person, instant, event): row numbers, int64."""
    old, new = len(person), len(new_person)
    order = np.empty(old + new, np.int64)
    i = j = 0
    for place in range(old + new):
        if j == new:
            first = True
        elif i == old:
            first = False
        elif person[i] != new_person[j]:
            first = person[i] < new_person[j]
        elif happened_at[i] != new_happened_at[j]:
            first = happened_at[i] < new_happened_at[j]
        else:
            first = event_id[i] <= new_event_id[j]
        if first:
            order[place] = i
            i += 1
        else:
            order[place] = old + j
            j += 1
    return order


def merge_order(old: dict[str, Array], new: dict[str, Array]) -> Array:
    """`merged_order` of two sets of columns."""
    return merged_order(
        old["person"], old["happened_at"], old["event_id"], new["person"], new["happened_at"], new["event_id"]
    )
