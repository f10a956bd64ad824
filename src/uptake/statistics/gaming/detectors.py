"""The detectors of single people: statistic, chance among one's role, and a gate on the size of the effect.

A sign needs both: Benjamini-Hochberg at 5 % within the detector, and its gate. High volume alone is never a sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from uptake.statistics.distributions import Bools, Floats, Ints, binomial_at_least, normal_above
from uptake.statistics.gaming.deeds import (
    DAY_SECONDS,
    SMALL_ROLE,
    Deeds,
    What,
    per_person,
    robust_z,
    role_medians,
    sorted_deeds,
)
from uptake.statistics.multiplicity import benjamini_hochberg

FALSE_SHARE = 0.05
DAY = DAY_SECONDS
LOOP_SECONDS, SPLIT_SECONDS, DUPLICATE_SECONDS = 1_800.0, 120.0, DAY
OTHER_SHIFT = 0.60
PAID_TIMES = 10
FEW_NEAR = 5
SILENT_BELOW, JUDGED_FROM = 0.70, 10


@dataclass(frozen=True, slots=True)
class Sign:
    """One detector's sign at one person: the adjusted p, and the numbers its evidence line tells."""

    detector: str
    person: int
    p: float
    numbers: Mapping[str, float]


def signs(deeds: Deeds) -> tuple[Sign, ...]:
    """All signs of one window, by detector and person."""
    ordered = sorted_deeds(deeds)
    found: list[Sign] = []
    for detector in (loops, duplicates, regular_timing, off_hours, empty_logins, splitting):
        found += detector(ordered)
    return tuple(found)


def _kept(detector: str, p: Floats, tested: Bools, gate: Bools, numbers: Mapping[str, Floats | Ints]) -> list[Sign]:
    adjusted = np.ones(len(p))
    if tested.any():
        adjusted[tested] = benjamini_hochberg(p[tested])
    return [
        Sign(detector, int(one), float(adjusted[one]), {name: float(part[one]) for name, part in numbers.items()})
        for one in np.flatnonzero(gate & tested & (adjusted <= FALSE_SHARE))
    ]


def _share(part: Ints, whole: Ints) -> Floats:
    return part / np.maximum(whole, 1)


def loops(deeds: Deeds) -> list[Sign]:
    """A: created and cancelled again within 30 minutes. Latency tells a loop from an ordinary cancellation."""
    created = per_person(deeds, deeds.what == What.CREATE)
    cancelled = per_person(deeds, deeds.what == What.CANCEL)
    makes, undoes = np.flatnonzero(deeds.what == What.CREATE), np.flatnonzero(deeds.what == What.CANCEL)
    order = makes[np.argsort(deeds.object[makes], kind="stable")]
    place = np.searchsorted(deeds.object[order], deeds.object[undoes])
    inside = place < len(order)
    undoes, made = undoes[inside], order[place[inside]] if len(order) else np.zeros(0, dtype=np.int64)
    same = (deeds.object[made] == deeds.object[undoes]) & (deeds.person[made] == deeds.person[undoes])
    soon = same & (deeds.at[undoes] - deeds.at[made] < LOOP_SECONDS) & (deeds.at[undoes] >= deeds.at[made])
    quick = np.bincount(deeds.person[undoes[soon]], minlength=deeds.people).astype(np.int64)
    rate = np.maximum(role_medians(_share(quick, created), deeds.role, created > 0), 0.005)
    gate = (quick >= 10) & (quick >= 0.05 * created) & (quick >= 0.30 * cancelled)
    numbers = {"quick": quick, "created": created, "cancelled": cancelled}
    return _kept("A", binomial_at_least(quick, created, rate), created > 0, gate, numbers)


def duplicates(deeds: Deeds) -> list[Sign]:
    """A2: the same item, partner and quantity again within 24 hours."""
    makes = np.flatnonzero(deeds.what == What.CREATE)
    order = makes[np.lexsort((deeds.at[makes], deeds.like[makes], deeds.person[makes]))]
    first, second = order[:-1], order[1:]
    again = (deeds.person[first] == deeds.person[second]) & (deeds.like[first] == deeds.like[second])
    again &= deeds.at[second] - deeds.at[first] < DUPLICATE_SECONDS
    count = np.bincount(deeds.person[second[again]], minlength=deeds.people).astype(np.int64)
    created = per_person(deeds, deeds.what == What.CREATE)
    rate = np.maximum(role_medians(_share(count, created), deeds.role, created > 0), 0.005)
    return _kept(
        "A2", binomial_at_least(count, created, rate), created > 0, count >= 5, {"again": count, "created": created}
    )


def regular_timing(deeds: Deeds) -> list[Sign]:
    """B: gaps between deeds of one day within 1 % of one's median gap: a script keeps time, a person does not."""
    same = (deeds.person[1:] == deeds.person[:-1]) & (deeds.at[1:] // DAY == deeds.at[:-1] // DAY)
    gaps, owner = (deeds.at[1:] - deeds.at[:-1])[same], deeds.person[1:][same]
    count = np.bincount(owner, minlength=deeds.people).astype(np.int64)
    middle = np.zeros(deeds.people)
    order = np.lexsort((gaps, owner))
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    has = count > 0
    middle[has] = gaps[order][(start + count // 2)[has]]
    close = (np.abs(gaps - middle[owner]) <= 0.01 * middle[owner]) & (middle[owner] > 1)
    near = np.bincount(owner[close], minlength=deeds.people).astype(np.int64)
    usual = max(float(np.median(_share(near, count)[count >= 30])) if (count >= 30).any() else 0.0, 0.02)
    gate = (count >= 30) & (_share(near, count) >= 0.30)
    return _kept(
        "B", binomial_at_least(near, count, usual), has, gate, {"near": near, "gaps": count, "seconds": middle}
    )


def off_hours(deeds: Deeds) -> list[Sign]:
    """C: outside one's usual hours; whose shift is at night does not stand out at night.

    Who mostly works outside of them has another shift, and one long evening is no habit: neither is a sign. Both must
    be rare: the share among the role's, and the count by chance, so that few deeds of few people do not stand out.
    """
    total, out, days = odd_counts(deeds)
    share, known = _share(out, total), total >= 20
    usual = np.maximum(role_medians(share, deeds.role, known), 0.05)
    p = np.maximum(normal_above(robust_z(share, deeds.role, known, 0.02)), binomial_at_least(out, total, usual))
    return _kept("C", p, known, odd_enough(deeds), {"outside": out, "deeds": total, "days": days})


def odd_enough(deeds: Deeds) -> Bools:
    """(p,) the gate of C: twenty deeds outside of the usual hours, on five days, a tenth of all but not most."""
    total, out, days = odd_counts(deeds)
    share = _share(out, total)
    return (out >= 20) & (days >= 5) & (share >= 0.10) & (share <= OTHER_SHIFT)


def odd_counts(deeds: Deeds) -> tuple[Ints, Ints, Ints]:
    """(p,) each: deeds, those outside of the usual hours, and on how many days these were."""
    odd, day = outside(deeds), (deeds.at // DAY).astype(np.int64)
    total = per_person(deeds, np.ones(len(deeds.at), dtype=np.bool_))
    span = int(day.max()) + 1 if len(day) else 1
    days = np.unique(deeds.person[odd] * span + day[odd]) // span
    return total, per_person(deeds, odd), np.bincount(days, minlength=deeds.people).astype(np.int64)


def outside(deeds: Deeds) -> Bools:
    """(n,) whether each deed fell outside its person's usual hours."""
    hour = ((deeds.at % DAY) // 3600).astype(np.int64)
    return ~deeds.usual[deeds.person, hour]


def empty_logins(deeds: Deeds) -> list[Sign]:
    """D: many log-ins and little work behind them, against one's role."""
    logins, work = per_person(deeds, deeds.what == What.LOGIN), per_person(deeds, deeds.what == What.CREATE)
    work = work + per_person(deeds, deeds.what == What.WORK)
    ratio = (logins + 1) / (work + 1)
    known = logins >= 20
    usual = role_medians(ratio, deeds.role, logins > 0)
    z = robust_z(np.log(ratio), deeds.role, logins > 0, 0.15)
    return _kept("D", normal_above(z), known, known & (ratio >= 2 * usual), {"logins": logins, "work": work})


def splitting(deeds: Deeds) -> list[Sign]:
    """F: created less than 120 seconds after one's last creation: one piece of work in many."""
    makes = np.flatnonzero(deeds.what == What.CREATE)
    first, second = makes[:-1], makes[1:]
    quick = (deeds.person[first] == deeds.person[second]) & (deeds.at[second] - deeds.at[first] < SPLIT_SECONDS)
    count = np.bincount(deeds.person[second[quick]], minlength=deeds.people).astype(np.int64)
    created = per_person(deeds, deeds.what == What.CREATE)
    share, known = _share(count, created), created >= 20
    z = robust_z(share, deeds.role, known, 0.03)
    return _kept("F", normal_above(z), known, known & (share >= 0.25), {"quick": count, "created": created})


def bunching(values: Floats | Ints, threshold: float, width: float) -> tuple[float, float, int]:
    """G: of amounts, how many lie just at a threshold against just below it: (p, ratio, n).

    The slope of the density is taken from the two widths further out, so that a falling density is not a jump.
    """
    above, below, chance = _around(values, threshold, width)
    p = float(binomial_at_least(above, above + below, chance))
    return p, (above + 0.5) / (below + 0.5), above + below


def _around(values: Floats | Ints, threshold: float, width: float) -> tuple[int, int, float]:
    """(just at the threshold, just below, the chance of "at" by the slope of the density)."""

    def within(start: float, end: float) -> int:
        return int(((values >= start) & (values < end)).sum())

    above, below = within(threshold, threshold + width), within(threshold - width, threshold)
    further, under = within(threshold + width, threshold + 2 * width), within(threshold - 2 * width, threshold - width)
    tilt = ((further + 1) / (under + 1)) ** (1 / 3)
    return above, below, max(tilt / (1 + tilt), 0.05)


def bunches(
    values: Mapping[int, Floats] | Mapping[int, Ints], threshold: float, width: float, role: Mapping[int, str] | None
) -> list[Sign]:
    """G for each person's amounts: at least 20 near the threshold, and twice as many at it as below, for oneself and
    against the same role: what comes in boxes of five bunches at five for everybody. Where under five people have
    amounts near it, against all others together.

    role: person → role; None: all of one.
    """
    people = sorted(values)
    if not people:
        return []
    found = [_around(values[one], threshold, width) for one in people]
    above, below = (np.array([one[part] for one in found], dtype=np.int64) for part in (0, 1))
    near = above + below
    names = tuple((role or {}).get(one, "") for one in people)
    share = (above + 0.5) / (near + 1)
    others = role_medians(share, names, near >= FEW_NEAR)
    if (near >= FEW_NEAR).sum() < SMALL_ROLE:
        # A median of hardly more than oneself would explain everybody by themselves: what all others have together.
        others = (above.sum() - above + 0.5) / (near.sum() - near + 1)
    chance = np.clip(np.maximum(np.array([one[2] for one in found]), others), 0.05, 0.95)
    ratio = (above + 0.5) / (below + 0.5)
    gate = (near >= 20) & (ratio >= 2) & (ratio >= 2 * others / np.maximum(1 - others, 1e-9))
    kept = _kept(
        "G",
        binomial_at_least(above, near, chance),
        near > 0,
        gate,
        {"at": above, "below": below, "threshold": np.full(len(people), float(threshold))},
    )
    return [replace(one, person=people[one.person]) for one in kept]


def divergence(
    points: tuple[Floats, Floats],
    outcome: tuple[Floats, Floats],
    role: tuple[str, ...],
    paid: tuple[Floats, Floats] | None = None,
) -> list[Sign]:
    """H: points rose by half and the valued outcome behind them by less than 5 %, window before to window after.

    outcome: (p,) counts; paid: (p,) how often points were given, ten times in both windows at least; None: not known.
    What counts of that size differ by from month to month anyway is part of the spread.
    """
    earned = np.log((points[1] + 1) / (points[0] + 1))
    done = np.log((outcome[1] + 1) / (outcome[0] + 1))
    known = (points[0] > 0) & (points[1] > 0)
    noise = 1 / (outcome[0] + 1) + 1 / (outcome[1] + 1)
    if paid is not None:
        known &= (paid[0] >= PAID_TIMES) & (paid[1] >= PAID_TIMES)
        noise = noise + 1 / (paid[0] + 1) + 1 / (paid[1] + 1)
    rose = earned - done
    middle = role_medians(rose, role, known)
    spread = np.maximum(1.4826 * role_medians(np.abs(rose - middle), role, known), 0.1)
    z = np.where(known, (rose - middle) / np.sqrt(spread**2 + noise), 0.0)
    gate = known & (points[1] >= 1.5 * points[0]) & (outcome[1] < 1.05 * outcome[0])
    numbers = {"points": points[1], "points_before": points[0], "work": outcome[1], "work_before": outcome[0]}
    return _kept("H", normal_above(z), known, gate, numbers)


def silent(confirmed: int, reviewed: int) -> bool:
    """A detector whose reviewed signs (10 or more) were confirmed in under 70 % says no more."""
    return reviewed >= JUDGED_FROM and confirmed < SILENT_BELOW * reviewed
