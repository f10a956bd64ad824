"""Companies, or the departments of a company, over several periods, in one pass over the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from uptake.activity.columns import Array
from uptake.activity.compile import compiled
from uptake.activity.conditions import Numbers, distinct
from uptake.activity.log import ActivityLog, Snapshot, asked, each_bucket
from uptake.activity.periods import day_number, first_of, next_first
from uptake.activity.summaries.runs import SieveOfRuns

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """What one company or department did in the period."""

    id: int
    """Number of the organization; 0: the events without one."""
    events: int
    people: int
    """Distinct people with an event here; a person may sit in two places."""
    active_days: int
    """Dates with at least one active person."""
    daily_people: tuple[int, ...]
    """Distinct people per date of the period."""
    weekly_people: tuple[int, ...]
    """Distinct people per week that touches the period (days outside it are not counted)."""

    @property
    def person_days(self) -> int:
        """The sum of the daily people: how many person-dates were active."""
        return sum(self.daily_people)


@dataclass(frozen=True)
class Places:
    """The places with anything in any of the periods, by number, and all of them together as if one."""

    days: tuple[date, ...]
    weeks: tuple[date, ...]
    """First dates of the weeks."""
    rows: tuple[Place, ...]
    total: Place
    """People of the total are distinct over the places, not their sum. Its id is 0."""

    def per_working_day(self, place: Place, working: Collection[date]) -> float | None:
        """The mean of the daily people over the working dates of the period; None if it has none."""
        return self.per_working_day_of([place], working)[0]

    def per_working_day_of(self, listed: Iterable[Place], working: Collection[date]) -> list[float | None]:
        """The means of several places."""
        kept = [index for index, day in enumerate(self.days) if day in working]
        if not kept:
            return [None for _ in listed]
        return [sum([place.daily_people[index] for index in kept]) / len(kept) for place in listed]

    def to_arrow(self) -> pa.Table:
        """One row per place; daily_people and weekly_people are lists."""
        names = list(Place.__dataclass_fields__)
        return pa.table({name: [getattr(row, name) for row in self.rows] for name in names})


def places(
    log: ActivityLog,
    *,
    spans: Sequence[tuple[date, date]],
    companies: Collection[int] | None = None,
    within: int | None = None,
    week_start: str | None = "monday",
) -> tuple[Places, ...]:
    """Companies (None: all), or with `within` the departments of that company, by business date, in each period (first
    and last date). Without a `week_start` weeks are not counted."""
    reach = min(first for first, _ in spans), max(last for _, last in spans)
    days = [reach[0] + timedelta(days=number) for number in range((reach[1] - reach[0]).days + 1)]
    weeks = [_weeks(first, last, week_start) if week_start else [] for first, last in spans]
    parts = [(day, day) for day in days]
    for (first, last), listed in zip(spans, weeks, strict=True):
        parts += [
            (first, last),
            *((max(first, week), min(last, next_first(week, "week") - ONE_DAY)) for week in listed),
        ]
    begins, ends = (np.array([(part[end] - reach[0]).days for part in parts], np.int64) for end in range(2))
    of_day = [np.flatnonzero((begins <= number) & (ends >= number)) for number in range(len(days))]
    offsets = np.cumsum([0, *map(len, of_day)])

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        sieve = SieveOfRuns(snapshot, companies=companies if within is None else [within])
        ids = Numbers(
            _ids(snapshot, within is not None, sieve) if within is not None or companies is None else companies
        )

        def of(bucket: int) -> tuple[Array, Array]:
            runs = sieve.of(bucket, (day_number(reach[0]), day_number(reach[1])))
            place = ids.places(runs.company if within is None else runs.department)
            number, many = runs.day - day_number(reach[0]), sieve.many(bucket, runs)
            return count(
                runs.person, number, place, many, offsets, np.concatenate(of_day), len(parts), len(days), len(ids)
            )

        found = each_bucket(snapshot, of)
        return ids.sorted, *(np.sum([part[index] for part in found], axis=0) for index in range(2))

    def tell(snapshot: Snapshot, found: tuple[Array, ...]) -> tuple[Places, ...]:
        ids, events, people = found
        told, column = [], len(days)
        for (first, last), listed in zip(spans, weeks, strict=True):
            begin, until = (first - reach[0]).days, (last - reach[0]).days + 1
            by_day, by_week = people[:, begin:until], people[:, column + 1 : column + 1 + len(listed)]
            figures = zip(
                [*ids.tolist(), 0],
                events[:, begin:until].sum(axis=1).tolist(),
                people[:, column].tolist(),
                (by_day > 0).sum(axis=1).tolist(),
                map(tuple, by_day.tolist()),
                map(tuple, by_week.tolist()),
                strict=True,
            )
            told.append([Place(*row) for row in figures])
            column += 1 + len(listed)
        there = [any(row.events for row in rows) for rows in zip(*told, strict=True)]
        return tuple(
            Places(
                tuple(days[(first - reach[0]).days : (last - reach[0]).days + 1]),
                tuple(listed),
                tuple(row for row, known in zip(rows[:-1], there[:-1], strict=True) if known),
                rows[-1],
            )
            for (first, last), listed, rows in zip(spans, weeks, told, strict=True)
        )

    return log.summing(fold, tell, asked("places", spans, companies, within, week_start), _moved)


def _moved(found: tuple[Array, ...], before: tuple[Array, ...], now: tuple[Array, ...]) -> tuple[Array, ...] | None:
    """The sums with a part of them taken out and put in again; None where there is a new place."""
    ids = found[0]
    if not np.isin(now[0], ids).all() or not np.isin(before[0], ids).all():
        return None
    sums = [array.copy() for array in found[1:]]
    for part, sign in ((before, -1), (now, 1)):
        rows = np.append(np.searchsorted(ids, part[0]), len(ids))
        for total, own in zip(sums, part[1:], strict=True):
            total[rows] += sign * own
    return ids, *sums


def _weeks(first: date, last: date, week_start: str) -> list[date]:
    weeks = [first_of(first, "week", week_start)]
    while next_first(weeks[-1], "week") <= last:
        weeks.append(next_first(weeks[-1], "week"))
    return weeks


def _ids(snapshot: Snapshot, departments: bool, sieve: SieveOfRuns) -> list[int]:
    def of(bucket: int) -> set[int]:
        runs = sieve.of(bucket)
        there = sieve.many(bucket, runs) > 0
        return set(distinct((runs.department if departments else runs.company)[there])[0].tolist())

    return sorted(set().union(*each_bucket(snapshot, of)))


@compiled
def count(
    person: Array, day: Array, place: Array, many: Array, offsets: Array, columns: Array, parts: int, days: int,
    places: int,
) -> tuple[Array, Array]:  # fmt: skip
    """(places + 1, days) events, and (…, parts) distinct people of each part of the time. A day belongs to the parts
    columns[offsets[day] : offsets[day + 1]]. The last row is all places together; many: rows of each run that count."""
    events = np.zeros((places + 2, days), np.int64)
    people = np.zeros((places + 2, parts), np.int64)
    seen = np.full((places + 1, parts), -1, np.int32)
    twice = places + 1  # what those with several places did at each of them
    start = 0
    while start < len(person):
        end, several = start + 1, False
        while end < len(person) and person[end] == person[start]:
            several |= place[end] != place[start]
            end += 1
        known = person[start] > 0
        for i in range(start, end):
            if many[i] == 0:
                continue
            d = day[i]
            for both in range(2 if several else 1):
                p = place[i] if both == 0 else places
                again = several and both == 0
                events[p, d] += many[i]
                if again:
                    events[twice, d] += many[i]
                if not known:
                    continue
                for j in range(np.uint64(offsets[d]), np.uint64(offsets[d + 1])):
                    column = columns[j]
                    if seen[p, column] != start:
                        seen[p, column] = start
                        people[p, column] += 1
                        people[twice, column] += again
        start = end
    events[places] += events[:places].sum(axis=0) - events[twice]
    people[places] += people[:places].sum(axis=0) - people[twice]
    return events[:twice], people[:twice]
