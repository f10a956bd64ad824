"""Companies, or the departments of a company, over a period and the one before, in one pass over the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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


@dataclass(frozen=True)
class Place:
    """What one company or department did in the period (and the one before)."""

    id: int
    """Number of the organization; 0: the events without one."""
    events: int
    people: int
    """Distinct people with an event here; a person may sit in two places."""
    events_before: int
    people_before: int
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
    """The places with anything in either period, by number, and all of them together as if one."""

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
    first: date,
    last: date,
    before: tuple[date, date] | None = None,
    companies: Collection[int] | None = None,
    within: int | None = None,
    week_start: str = "monday",
) -> Places:
    """Companies (None: all), or with `within` the departments of that company, by business date.

    `before`: the period to compare with; None: as many days just before `first`."""
    was = before or (first - timedelta(days=(last - first).days + 1), first - timedelta(days=1))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    weeks = _weeks(first, last, week_start)
    week_of = np.array([weeks.index(first_of(day, "week", week_start)) for day in days], dtype=np.int64)

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        sieve = SieveOfRuns(snapshot, companies=companies if within is None else [within])
        ids = Numbers(
            _ids(snapshot, within is not None, sieve) if within is not None or companies is None else companies
        )

        def of(bucket: int) -> tuple[Array, Array, Array]:
            runs = sieve.of(bucket, (day_number(first), day_number(last)), (day_number(was[0]), day_number(was[1])))
            place = ids.places(runs.company if within is None else runs.department)
            return count(
                runs.person, runs.day, place, sieve.many(bucket, runs),
                day_number(first), len(days), day_number(was[0]), day_number(was[1]),
                week_of, len(weeks), len(ids),
            )  # fmt: skip

        parts = each_bucket(snapshot, of)
        return ids.sorted, *(np.sum([part[index] for part in parts], axis=0) for index in range(3))

    def tell(snapshot: Snapshot, found: tuple[Array, ...]) -> Places:
        ids, sums, daily, weekly = found
        active = (daily > 0).sum(axis=1).tolist()
        rows = [
            Place(number, *figures, active_days, tuple(by_day), tuple(by_week))
            for number, figures, active_days, by_day, by_week in zip(
                [*ids.tolist(), 0],
                map(_figures, sums.tolist()),
                active,
                daily.tolist(),
                weekly.tolist(),
                strict=True,
            )
        ]
        told = tuple(row for row in rows[:-1] if row.events or row.events_before)
        return Places(tuple(days), tuple(weeks), told, rows[-1])

    return log.summing(fold, tell, asked("places", first, last, was, companies, within, week_start), _moved)


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


def _figures(sums: list[int]) -> tuple[int, int, int, int]:
    events, people, events_before, people_before = sums
    return events, people, events_before, people_before


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
    person: Array, day: Array, place: Array, many: Array, first: int, days: int, was_first: int, was_last: int,
    week_of: Array, weeks: int, places: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """(places + 1, 4) events, people, events before, people before; (…, days) and (…, weeks) distinct people.

    The last row is all places together; many: rows of each run that count."""
    sums = np.zeros((places + 1, 4), np.int64)
    daily = np.zeros((places + 1, days), np.int64)
    weekly = np.zeros((places + 1, weeks), np.int64)
    seen = np.full((places + 1, 2), -1, np.int32)
    seen_day = np.full((places + 1, days), -1, np.int32)
    seen_week = np.full((places + 1, weeks), -1, np.int32)
    run = -1
    for i in range(len(person)):
        if i == 0 or person[i] != person[i - 1]:
            run += 1
        if many[i] == 0:
            continue
        d = day[i] - first
        now = 0 <= d < days
        then = was_first <= day[i] <= was_last
        if not now and not then:
            continue
        for both in range(2):
            p = place[i] if both == 0 else places
            if then:
                sums[p, 2] += many[i]
                if person[i] > 0 and seen[p, 1] != run:
                    seen[p, 1] = run
                    sums[p, 3] += 1
            if now:
                sums[p, 0] += many[i]
                if person[i] > 0:
                    if seen[p, 0] != run:
                        seen[p, 0] = run
                        sums[p, 1] += 1
                    if seen_day[p, d] != run:
                        seen_day[p, d] = run
                        daily[p, d] += 1
                    w = week_of[d]
                    if seen_week[p, w] != run:
                        seen_week[p, w] = run
                        weekly[p, w] += 1
    return sums, daily, weekly
