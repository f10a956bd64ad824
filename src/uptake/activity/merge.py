"""Merges rows that came later into rows that are sorted already, without sorting again."""

from __future__ import annotations

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.compile import compiled


@compiled
def places_among(
    person: Array, happened_at: Array, event_id: Array, new_person: Array, new_happened_at: Array, new_event_id: Array
) -> Array:
    """For every new row how many of the old ones stand before it; both sorted by (person, instant, event)."""
    places = np.empty(len(new_person), np.int64)
    low = 0
    for row in range(len(new_person)):
        high = len(person)
        while low < high:
            middle = (low + high) // 2
            if person[middle] != new_person[row]:
                before = person[middle] < new_person[row]
            elif happened_at[middle] != new_happened_at[row]:
                before = happened_at[middle] < new_happened_at[row]
            else:
                before = event_id[middle] <= new_event_id[row]
            if before:
                low = middle + 1
            else:
                high = middle
        places[row] = low
    return places


@compiled
def inserted(old: Array, new: Array, places: Array) -> Array:
    """The old rows with each new one put after so many of them; `places` ascend."""
    found = np.empty(len(old) + len(new), old.dtype)
    done = 0
    for row in range(len(new)):
        found[done + row : places[row] + row] = old[done : places[row]]
        done = places[row]
        found[done + row] = new[row]
    found[done + len(new) :] = old[done:]
    return found


def merge_places(old: dict[str, Array], new: dict[str, Array]) -> Array:
    """`places_among` of two sets of columns."""
    return places_among(
        old["person"], old["happened_at"], old["event_id"], new["person"], new["happened_at"], new["event_id"]
    )
