"""What is counted a business date for many questions at once, by company, department or group of people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from uptake.activity.columns import Array
from uptake.activity.conditions import Numbers, Sieve, passing, values_of
from uptake.activity.log import ActivityLog, Snapshot, asked, each_bucket
from uptake.activity.periods import day_number
from uptake.activity.question import Condition, Selector

WEEK = 7
AGAIN = (28, 34)
"""So many days before a day lies the week whose active people are looked for in the week up to that day."""
MICRO_AN_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Counted:
    """One question: rows of these names (None: of any that counts as activity).

    `people`: people instead of rows; `fact`: only rows that tell it; `true`: only those of which it is so;
    `total`: the sum of its numbers instead of their number.
    """

    events: tuple[str, ...] | None = None
    people: bool = False
    fact: str = ""
    true: bool | None = None
    total: bool = False


@dataclass(frozen=True)
class Lasting:
    """Hours of an object from the first event `began` to the last `ended` after it, where and when that was."""

    began: str
    ended: str


@dataclass(frozen=True)
class Groups:
    """What rows are told apart by: the numbers of companies or departments, or people (each group a set of numbers)."""

    by: Literal["company", "department", "people"]
    numbers: tuple[int, ...] = ()
    people: tuple[tuple[int, ...], ...] = ()

    @property
    def many(self) -> int:
        return len(self.people) if self.by == "people" else len(self.numbers)


@dataclass(frozen=True)
class Counts:
    """Arrays (questions, groups, days); returned (2, groups, days): who was active in the week four weeks before, and
    who of them was active again in the week up to the day."""

    counted: Array
    returned: Array


def counted(
    log: ActivityLog,
    questions: Sequence[Counted],
    groups: Groups,
    *,
    first: date,
    last: date,
    companies: Collection[int] | None = None,
    departments: Collection[int] | None = None,
) -> Counts:
    """One pass over the rows of known people from `first` to `last`, in these companies and departments (None: all)."""
    days = (last - first).days + 1
    begin = day_number(first)

    def fold(snapshot: Snapshot) -> tuple[Array, ...]:
        inside = Sieve(snapshot, companies=companies, departments=departments)
        inside.events = None  # what is bookkeeping is asked for by name
        active = Sieve(snapshot)
        sieves = [Sieve(snapshot, selector=Selector(one.events)) for one in questions]
        grouped = _Grouped(snapshot, groups)

        def of(bucket: int) -> tuple[Array, Array]:
            columns = snapshot.columns(bucket, ["person", "business_day", "event"])
            person, day, event = (columns[name] for name in ("person", "business_day", "event"))
            near = (day >= begin - AGAIN[1]) & (day < begin + days) & (person > 0)
            group = grouped.of(bucket)
            rows = np.flatnonzero(inside.mask(bucket) & near & (group >= 0))
            who, what, where = person[rows], event[rows], group[rows].astype(np.int64)
            since = day[rows].astype(np.int64) - begin
            found = np.zeros((len(questions), groups.many, days))
            for number, one in enumerate(questions):
                alive = sieves[number].events
                left = np.flatnonzero((since >= 0) & (True if alive is None else alive[what]))
                weights = None
                if one.fact and len(left):
                    among = np.zeros(len(person), dtype=bool)
                    among[rows[left]] = True
                    told = Condition(one.fact, "is_set") if one.true is None else Condition(one.fact, "eq", one.true)
                    left = left[passing(snapshot, bucket, told, among)[rows[left]]]
                    if one.total:
                        among[:] = False
                        among[rows[left]] = True
                        weights = np.array([_number(value) for value in values_of(snapshot, bucket, one.fact, among)])
                cell = where[left] * days + since[left]
                if one.people and len(left):
                    width = groups.many * days
                    cell = np.unique(who[left].astype(np.int64) * width + cell) % width
                found[number] += np.bincount(cell, weights, minlength=groups.many * days).reshape(groups.many, days)
            use = np.arange(len(rows)) if active.events is None else np.flatnonzero(active.events[what])
            return found, _again(who[use], where[use], since[use], groups.many, days)

        parts = each_bucket(snapshot, of)
        return np.sum([part[0] for part in parts], axis=0), np.sum([part[1] for part in parts], axis=0)

    def tell(_snapshot: Snapshot, sums: tuple[Array, ...]) -> Counts:
        return Counts(sums[0], sums[1])

    key = asked("measured", first, last, companies, departments, questions, (groups,))
    return log.summing(fold, tell, key)


def lasting(
    log: ActivityLog,
    spans: Sequence[Lasting],
    groups: Groups,
    *,
    first: date,
    last: date,
    companies: Collection[int] | None = None,
    departments: Collection[int] | None = None,
) -> tuple[Array, Array]:
    """Arrays (spans, groups, days): hours of the objects that ended there that day, and how many did."""
    days = (last - first).days + 1

    def read(snapshot: Snapshot) -> tuple[Array, Array]:
        grouped = _Grouped(snapshot, groups)
        texts = snapshot.texts("object")
        blank = {at for at, text in enumerate(texts[:8].to_pylist()) if text == ""}
        hours, ends = np.zeros((len(spans), groups.many, days)), np.zeros((len(spans), groups.many, days))
        for number, span in enumerate(spans):
            sieves = [
                Sieve(snapshot, selector=Selector((name,)), companies=companies, departments=departments)
                for name in (span.began, span.ended)
            ]

            def of(bucket: int, sieves: list[Sieve] = sieves) -> tuple[Array, ...]:
                columns = snapshot.columns(bucket, ["person", "object", "company", "happened_at", "business_day"])
                masks = [sieve.mask(bucket) & (columns["person"] > 0) for sieve in sieves]
                group = grouped.of(bucket)
                several = []
                for is_end, mask in enumerate(masks):
                    rows = np.flatnonzero(mask)
                    several.append(
                        np.stack(
                            [
                                columns["object"][rows], columns["company"][rows], columns["happened_at"][rows],
                                np.full(len(rows), is_end), columns["business_day"][rows], group[rows],
                            ]
                        ).astype(np.int64)
                    )  # fmt: skip
                return (np.concatenate(several, axis=1),)

            rows = np.concatenate([part[0] for part in each_bucket(snapshot, of)], axis=1)
            _add(rows[:, ~np.isin(rows[0], list(blank))], day_number(first), hours[number], ends[number])
        return hours, ends

    return log.reading(read)


class _Grouped:
    """The number of the group of every row of a bucket; -1: of none."""

    def __init__(self, snapshot: Snapshot, groups: Groups) -> None:
        self.snapshot, self.groups = snapshot, groups
        self.order = np.argsort(np.array(groups.numbers, dtype=np.int64)) if groups.numbers else np.zeros(0, np.int64)
        self.numbers = Numbers(groups.numbers)
        codes = [snapshot.person_codes(people) for people in groups.people]
        whose = [np.full(len(part), number) for number, part in enumerate(codes)]
        self.codes = np.concatenate([*codes, np.zeros(0, np.int64)]).astype(np.int64)
        in_order = np.argsort(self.codes, kind="stable")
        self.codes, self.whose = self.codes[in_order], np.concatenate([*whose, np.zeros(0, np.int64)])[in_order]

    def of(self, bucket: int) -> Array:
        if self.groups.by == "people":
            person = self.snapshot.columns(bucket, ["person"])["person"]
            if not len(self.codes):
                return np.full(len(person), -1)
            at = np.searchsorted(self.codes, person).clip(0, len(self.codes) - 1)
            return np.where(self.codes[at] == person, self.whose[at], -1).astype(np.int64)
        places = self.numbers.places(self.snapshot.columns(bucket, [self.groups.by])[self.groups.by])
        if not len(self.order):
            return places
        found: Array = np.where(places >= 0, self.order[places.clip(0)], -1)
        return found


def _again(who: Array, where: Array, since: Array, groups: int, days: int) -> Array:
    found = np.zeros((2, groups, days))
    if not len(who):
        return found
    pairs, row = np.unique(who.astype(np.int64) * groups + where, return_inverse=True)
    wide = days + AGAIN[1]
    active = np.zeros((len(pairs), wide + 1), dtype=np.int32)
    active[row, since + AGAIN[1] + 1] = 1
    sums = np.cumsum(active, axis=1)  # sums[:, d]: active days before the d-th
    at = np.arange(days) + AGAIN[1] + 1  # past the day itself
    before = sums[:, at - AGAIN[0]] - sums[:, at - AGAIN[1] - 1] > 0
    now = sums[:, at] - sums[:, at - WEEK] > 0
    group = pairs % groups
    np.add.at(found[0], group, before)
    np.add.at(found[1], group, before & now)
    return found


def _add(rows: Array, begin: int, hours: Array, ends: Array) -> None:
    """Adds the spans of objects; `rows`: object, company, instant, whether it ends, day, group."""
    order = np.lexsort((rows[3], rows[2], rows[1], rows[0]))
    thing, company, at, is_end, day, group = rows[:, order]
    if not len(thing):
        return
    new = np.append(True, (thing[1:] != thing[:-1]) | (company[1:] != company[:-1]))
    number = np.cumsum(new) - 1
    begun = np.full(int(number[-1]) + 1, np.iinfo(np.int64).max)
    np.minimum.at(begun, number[is_end == 0], at[is_end == 0])
    fits = np.flatnonzero((is_end == 1) & (at >= begun[number]))
    final = np.full(len(begun), -1)
    final[number[fits]] = fits  # in order of time: the last stays
    end = final[final >= 0]
    inside = end[(day[end] >= begin) & (day[end] < begin + hours.shape[1]) & (group[end] >= 0)]
    cell = (group[inside], day[inside] - begin)
    np.add.at(hours, cell, (at[inside] - begun[number[inside]]) / MICRO_AN_HOUR)
    np.add.at(ends, cell, 1)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def sources_of(log: ActivityLog, *, companies: Collection[int] | None = None) -> dict[str, tuple[str, ...]]:
    """Which sources told each name of event in these companies (None: anywhere)."""

    def read(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
        events, sources = (snapshot.texts(name).to_pylist() for name in ("event", "source"))
        sieve = Sieve(snapshot, companies=companies)
        sieve.events = None
        width = len(sources) + 1

        def of(bucket: int) -> Array:
            columns = snapshot.columns(bucket, ["event", "source"])
            kept = np.flatnonzero(sieve.mask(bucket))
            return np.unique(columns["event"][kept].astype(np.int64) * width + columns["source"][kept])

        found: dict[str, list[str]] = {}
        for pair in np.unique(np.concatenate([*each_bucket(snapshot, of), np.zeros(0, np.int64)])).tolist():
            found.setdefault(str(events[pair // width]), []).append(str(sources[pair % width]))
        return {name: tuple(sorted(told)) for name, told in found.items()}

    return log.reading(read)
