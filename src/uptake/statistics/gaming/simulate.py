"""People whose honesty is known: clerks at their shifts, and some that game in five ways.

The planted ways are clear-cut; what is measured on them is no promise for those who adapt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uptake.statistics.distributions import Ints
from uptake.statistics.gaming.deeds import DAY_SECONDS, Deeds, What

KINDS = ("A", "B", "C", "D", "F")


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
            if way == "A":
                for moment in midnight + begin + rng.uniform(0, 8 * 3600, 4):
                    columns.append((person, float(moment), What.CREATE, next_object, int(rng.integers(0, 10_000))))
                    columns.append((person, float(moment + rng.uniform(30, 900)), What.CANCEL, next_object, -1))
                    next_object += 1
    table = np.array(columns, dtype=np.float64)
    role = tuple(("clerk", "sales", "warehouse")[person % 3] for person in range(people))
    whole: list[Ints] = [table[:, index].astype(np.int64) for index in (0, 2, 3, 4)]
    return Planted(Deeds(whole[0], table[:, 1], whole[1], whole[2], whole[3], role, shift), kind, top, night)


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
