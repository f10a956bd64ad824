"""People whose honesty is known: clerks at their shifts, and some that game, each in one of the detectors' ways.

The planted ways are clear-cut; what is measured on them is no promise for those who adapt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from uptake.statistics.distributions import Floats, Ints
from uptake.statistics.gaming.deeds import DAY_SECONDS, Deeds, What, usual_hours

KINDS = ("A", "A2", "B", "C", "D", "F")


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """gamers: person → kind; top: honest people of three times the volume; night: honest people at night."""

    deeds: Deeds
    gamers: dict[int, str]
    top: frozenset[int]
    night: frozenset[int]


def simulated_people(seed: int, *, people: int = 240, days: int = 60, gamers: int = 30) -> Planted:
    rng = np.random.default_rng(seed)
    order = rng.permutation(people)
    kind = {int(one): KINDS[index % len(KINDS)] for index, one in enumerate(order[:gamers])}
    top = frozenset(int(one) for one in order[gamers : gamers + 6])
    night = frozenset(int(one) for one in order[gamers + 6 : gamers + 12])
    columns: list[tuple[int, float, int, int, int]] = []
    next_object = 0
    shift = np.tile([8.0, 17.5], (people, 1))
    for person in range(people):
        if person in night:
            shift[person] = (21.0, 6.5)
        volume = float(np.exp(rng.normal(np.log(9), 0.35))) * (3 if person in top else 1)
        begin = shift[person, 0] * 3600
        way = kind.get(person, "")
        cancels = float(rng.beta(2, 40))
        for day in range(days):
            if day % 7 >= 5 and rng.random() > 0.1:
                continue
            midnight = day * DAY_SECONDS
            logins = 1 + int(rng.random() < 0.4) + (int(rng.poisson(9)) if way == "D" else 0)
            count = int(rng.poisson(volume * (0.25 if way == "D" else 1)))
            if way == "B":
                period = 240.0 + person % 60
                at = midnight + begin + 600 + np.arange(40) * period * (1 + rng.normal(0, 0.0008, 40))
                at = at[: max(count, 25)]
            else:
                at = np.sort(midnight + begin + rng.uniform(300, 9 * 3600, count))
            if way == "C" and rng.random() < 0.6:
                at = np.concatenate([at, midnight + rng.uniform(22.5, 23.9, 5) * 3600])
            if way == "F":
                at = np.sort(np.concatenate([at, *(one + np.cumsum(rng.uniform(10, 60, 3)) for one in at)]))
            came = rng.uniform(0, 8 * 3600, logins) + begin + midnight
            columns += [(person, float(moment), What.LOGIN, -1, -1) for moment in came]
            for moment in at:
                columns.append((person, float(moment), What.CREATE, next_object, int(rng.integers(0, 10_000))))
                if rng.random() < cancels:
                    columns.append(
                        (person, float(moment + rng.uniform(1200, 2 * DAY_SECONDS)), What.CANCEL, next_object, -1)
                    )
                next_object += 1
            if way == "A2":
                again = int(rng.integers(0, 10_000))
                for moment in midnight + begin + rng.uniform(0, 8 * 3600, 2 + int(rng.integers(0, 2))):
                    columns.append((person, float(moment), What.CREATE, next_object, again))
                    next_object += 1
            if way == "A":
                for moment in midnight + begin + rng.uniform(0, 8 * 3600, 4):
                    columns.append((person, float(moment), What.CREATE, next_object, int(rng.integers(0, 10_000))))
                    columns.append((person, float(moment + rng.uniform(30, 900)), What.CANCEL, next_object, -1))
                    next_object += 1
    table = np.array(columns, dtype=np.float64)
    role = tuple(("clerk", "sales", "warehouse")[person % 3] for person in range(people))
    whole: list[Ints] = [table[:, index].astype(np.int64) for index in (0, 2, 3, 4)]
    blank = np.ones((people, 24), dtype=np.bool_)
    deeds = Deeds(whole[0], table[:, 1], whole[1], whole[2], whole[3], role, blank)
    return Planted(replace(deeds, usual=usual_hours(deeds)), kind, top, night)


@dataclass(frozen=True, slots=True, eq=False)
class PlantedAmounts:
    """values: person → amounts of their deeds; a rule pays from `threshold` on; padders: who lifts what is just below
    it over it; boxes: a role whose goods come in fives, so that everybody's amounts bunch there honestly."""

    values: dict[int, Floats]
    role: dict[int, str]
    threshold: float
    padders: frozenset[int]
    boxes: frozenset[int]


def simulated_amounts(seed: int, *, people: int = 240, padders: int = 10, threshold: float = 10.0) -> PlantedAmounts:
    """28 days of order lines: a skewed mixture of each person's own; a padder lifts 85 % of the two below."""
    rng = np.random.default_rng(seed)
    role = {one: ("clerk", "sales", "packing")[one % 3] for one in range(people)}
    order = [int(one) for one in rng.permutation(people) if role[int(one)] != "packing"]
    padding = frozenset(order[:padders])
    values: dict[int, Floats] = {}
    for one in range(people):
        typical = float(rng.uniform(6, 11))
        drawn = np.maximum(1, rng.negative_binomial(4, 4 / (4 + typical), int(rng.poisson(220)))).astype(np.float64)
        if role[one] == "packing":
            drawn = np.maximum(5, 5 * np.round(drawn / 5))
        if one in padding:
            near = (drawn < threshold) & (drawn >= threshold - 2)
            drawn[near & (rng.random(len(drawn)) < 0.85)] = threshold
        values[one] = drawn
    return PlantedAmounts(values, role, threshold, padding, frozenset(one for one in role if role[one] == "packing"))


@dataclass(frozen=True, slots=True, eq=False)
class PlantedWindows:
    """points, work: (p,) of the window before and of this one; hollow: whose points rose without work behind them;
    risers: honest people whose points and work both rose."""

    points: tuple[Floats, Floats]
    work: tuple[Floats, Floats]
    role: tuple[str, ...]
    hollow: frozenset[int]
    risers: frozenset[int]


def simulated_windows(seed: int, *, people: int = 240, hollow: int = 10, risers: int = 10) -> PlantedWindows:
    """Points follow work with noise; roles have busy and slack months; a hollow rise doubles points or more."""
    rng = np.random.default_rng(seed)
    order = [int(one) for one in rng.permutation(people)]
    bad, busy = frozenset(order[:hollow]), frozenset(order[hollow : hollow + risers])
    role = tuple(("clerk", "sales", "warehouse")[one % 3] for one in range(people))
    season = {name: float(np.exp(rng.normal(0, 0.1))) for name in ("clerk", "sales", "warehouse")}
    level = np.exp(rng.normal(np.log(120), 0.35, people))
    before = rng.poisson(level).astype(np.float64)
    lift = np.array([season[role[one]] * (rng.uniform(1.7, 2.5) if one in busy else 1.0) for one in range(people)])
    after = rng.poisson(level * lift).astype(np.float64)
    rate = np.exp(rng.normal(np.log(3), 0.2, people))
    earned = rate * before * np.exp(rng.normal(0, 0.08, people))
    now = rate * after * np.exp(rng.normal(0, 0.08, people))
    for one in bad:
        after[one] = np.floor(before[one] * rng.uniform(0.85, 1.0))
        now[one] = rate[one] * before[one] * rng.uniform(2.0, 3.0)
    return PlantedWindows((earned, now), (before, after), role, bad, busy)


def simulated_rings(
    seed: int, *, people: int = 200, weeks: int = 12, extra: float = 1.5, sizes: tuple[int, ...] = (2, 2, 3, 4)
) -> tuple[Ints, tuple[str, ...], tuple[frozenset[int], ...]]:
    """Recognitions (p, p) with a habit of one's own department (70 %), and rings that give `extra` a week each way."""
    rng = np.random.default_rng(seed)
    department = tuple(f"d{one % 10}" for one in range(people))
    names = np.asarray(department)
    given = np.zeros((people, people), dtype=np.int64)
    popular = rng.lognormal(0, 0.5, people)
    for giver in range(people):
        for _ in range(rng.poisson(0.6 * weeks)):
            inside = (names == names[giver]) if rng.random() < 0.7 else (names != names[giver])
            chance = popular * inside
            chance[giver] = 0
            given[giver, rng.choice(people, p=chance / chance.sum())] += 1
    order = rng.permutation(people)
    planted, start = [], 0
    for size in sizes:
        ring = order[start : start + size]
        start += size
        planted.append(frozenset(int(one) for one in ring))
        for one in ring:
            for other in ring:
                if one != other:
                    given[one, other] += rng.poisson(extra * weeks)
    return given, department, tuple(planted)
