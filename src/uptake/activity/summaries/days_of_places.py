"""Events and distinct people of every business date, for many places at once, in one pass over the rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.conditions import Sieve
from uptake.activity.log import ActivityLog, Snapshot, each_bucket
from uptake.activity.periods import day_of
from uptake.activity.question import Selector

PLACES = 1 << 24
"""Room for the number of an organization in a key; days come before it."""


def days_of_places(log: ActivityLog, above: Mapping[int, int]) -> dict[tuple[int, date], tuple[int, int]]:
    """(place, date) → (events, distinct people), as `daily` counts them, for each company and for what lies above it.

    `above`: company → the place above it in which its people are counted too, such as its park. A person of two
    companies is one person there. Dates without an event are left out."""
    return log.reading(lambda snapshot: _counted(snapshot, above))


def _counted(snapshot: Snapshot, above: Mapping[int, int]) -> dict[tuple[int, date], tuple[int, int]]:
    sieve = Sieve(snapshot, selector=Selector(None))
    upper = np.zeros(max([0, *above]) + 1, np.int64)
    for company, place in above.items():
        upper[company] = place

    def of(bucket: int) -> list[tuple[Array, Array, int]]:
        columns = snapshot.columns(bucket, ["person", "company", "business_day"])
        kept = np.flatnonzero(sieve.mask(bucket) & (columns["company"] > 0))
        person, company = columns["person"][kept], columns["company"][kept].astype(np.int64)
        day = columns["business_day"][kept].astype(np.int64) * PLACES
        parts = []
        for place in (company, np.where(company < len(upper), upper[np.minimum(company, len(upper) - 1)], 0)):
            there = np.flatnonzero(place > 0)
            keys, slot, events = np.unique(day[there] + place[there], return_inverse=True, return_counts=True)
            parts.append((keys, events, 0))
            human = np.flatnonzero(person[there] > 0)
            once = np.unique(person[there][human].astype(np.int64) * max(len(keys), 1) + slot[human])
            parts.append((keys, np.bincount(once % max(len(keys), 1), minlength=len(keys)), 1))
        return parts

    found: dict[int, list[int]] = {}
    for parts in each_bucket(snapshot, of):
        for keys, counts, which in parts:
            for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
                found.setdefault(key, [0, 0])[which] += count
    return {(key % PLACES, day_of(key // PLACES)): (events, people) for key, (events, people) in found.items()}
