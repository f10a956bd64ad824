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


def days_of_places(log: ActivityLog, above: Mapping[int, int]) -> dict[tuple[int, date], tuple[int, int]]:
    """(place, date) → (events, distinct people), as `daily` counts them, for each company and for what lies above it.

    `above`: every company that counts → the place above it in which its people are counted too, such as its park; 0:
    none. A person of two companies is one person there. Dates without an event are left out."""
    return log.reading(lambda snapshot: _counted(snapshot, above))


def _counted(snapshot: Snapshot, above: Mapping[int, int]) -> dict[tuple[int, date], tuple[int, int]]:
    places = sorted({*above, *above.values()} - {0})
    number = {place: index for index, place in enumerate(places)}
    own, upper = (np.full(max([0, *above]) + 2, -1, np.int64) for _ in range(2))
    for company, place in above.items():
        own[company], upper[company] = number[company], number.get(place, -1)
    sieve = Sieve(snapshot, selector=Selector(None))
    first, days = _span(snapshot)
    cells = len(places) * days

    def of(bucket: int) -> Array:
        columns = snapshot.columns(bucket, ["person", "company", "business_day"])
        kept = np.flatnonzero(sieve.mask(bucket))
        person = columns["person"][kept].astype(np.int64)
        company = np.clip(columns["company"][kept], 0, len(own) - 1)
        day = columns["business_day"][kept] - first
        counts = np.zeros((2, cells), np.int64)
        for table in (own, upper):
            place = table[company]
            there = np.flatnonzero(place >= 0)
            cell, who = place[there] * days + day[there], person[there]
            counts[0] += np.bincount(cell, minlength=cells)
            # a person's rows lie together in the order of time: most repetitions follow each other
            new = np.ones(len(cell), bool)
            new[1:] = (cell[1:] != cell[:-1]) | (who[1:] != who[:-1])
            new &= who > 0
            once = np.unique(who[new] * cells + cell[new])
            counts[1] += np.bincount(once % cells, minlength=cells)
        return counts

    counts = np.zeros((2, cells), np.int64)
    if cells:
        for part in each_bucket(snapshot, of):
            counts += part
    found = np.flatnonzero(counts[0])
    dates = [day_of(first + index) for index in range(days)]
    return {
        (places[cell // days], dates[cell % days]): (events, people)
        for cell, events, people in zip(
            found.tolist(), counts[0][found].tolist(), counts[1][found].tolist(), strict=True
        )
    }


def _span(snapshot: Snapshot) -> tuple[int, int]:
    """The first day of the log and the number of days."""

    def of(bucket: int) -> tuple[int, int] | None:
        days = snapshot.columns(bucket, ["business_day"])["business_day"]
        return (int(days.min()), int(days.max())) if len(days) else None

    spans = [one for one in each_bucket(snapshot, of) if one is not None]
    if not spans:
        return 0, 0
    first = min(one for one, _ in spans)
    return first, max(one for _, one in spans) - first + 1
