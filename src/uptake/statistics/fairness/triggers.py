"""When a measure of fairness warns, when it alarms, and when opportunities explain what looked unfair.

Bounds are ours and those of the American EEOC's screening; they are conventions, not law.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from uptake.statistics.distributions import Floats
from uptake.statistics.fairness import measures
from uptake.statistics.fairness.measures import Expected, Ratio

HIDDEN_BELOW = 10
OE_WARN, OE_ALERT = (0.8, 1.25), (0.67, 1.5)
REACH_ALERT = (67, 100)
EPSILON2, BETWEEN, ZEROS, ZERO_TIMES, TOP, EARNABLE, STUCK = 0.06, 0.15, 0.40, 1.5, 0.50, 0.8, 0.9


class Level(StrEnum):
    WARN = "warn"
    ALERT = "alert"
    EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What fired: a measure, its group (empty: everybody) and the number."""

    code: str
    level: Level
    group: str
    number: float


def shown(people: Mapping[str, int]) -> frozenset[str]:
    """Groups that may be shown: at least 10 people; where one alone is hidden, the smallest other is hidden too.

    Else the hidden one could be reckoned from the total.
    """
    small = [name for name, count in people.items() if count < HIDDEN_BELOW]
    large = sorted((name for name in people if name not in small), key=lambda name: (people[name], name))
    return frozenset(large[1:] if len(small) == 1 else large)


def of_expected(
    found: Sequence[Expected], raw: Mapping[str, float] | None = None, before: Collection[str] = ()
) -> list[Trigger]:
    """O/E outside its bounds with an interval without 1. `before`: groups that alarmed in the period before; only what
    persists is an alert. raw: each group's mean over everybody's; where raw fails and O/E passes it is explained."""
    told = []
    for one in found:
        if one.people < HIDDEN_BELOW:
            continue
        outside = not OE_WARN[0] <= one.ratio.value <= OE_WARN[1] and sure(one.ratio)
        if outside:
            far = not OE_ALERT[0] <= one.ratio.value <= OE_ALERT[1]
            hidden = raw is not None and one.group in raw and OE_WARN[0] <= raw[one.group] <= OE_WARN[1]
            level = Level.ALERT if hidden or (far and one.group in before) else Level.WARN
            told.append(Trigger("OBSERVED_EXPECTED", level, one.group, one.ratio.value))
        elif raw is not None and one.group in raw and not OE_WARN[0] <= raw[one.group] <= OE_WARN[1]:
            told.append(Trigger("OBSERVED_EXPECTED", Level.EXPLAINED, one.group, raw[one.group]))
    return told


def sure(ratio: Ratio) -> bool:
    return ratio.low > 1 or ratio.high < 1


def of_reach(reached: Mapping[str, tuple[int, int]], before: Collection[str] = ()) -> list[Trigger]:
    """Reach under four fifths of the best group's, with an interval without 1."""
    large = {name: pair for name, pair in reached.items() if pair[1] >= HIDDEN_BELOW}
    if len(large) < 2:
        return []
    best_name = max(large, key=lambda name: (large[name][0] / large[name][1], name))
    told = []
    for name, pair in large.items():
        ratio, _ = measures.reach_ratio(pair, large[best_name])
        certain = ratio.high < 1 or pair[0] == 0
        if name != best_name and measures.below_four_fifths(pair, large[best_name]) and certain:
            far = measures.below_four_fifths(pair, large[best_name], REACH_ALERT)
            told.append(Trigger("REACH", Level.ALERT if far and name in before else Level.WARN, name, ratio.value))
    return told


def of_redeemed(redeemed: Mapping[str, tuple[int, int]]) -> list[Trigger]:
    """The same of who redeems; nothing where nobody does."""
    found = of_reach(redeemed) if any(have for have, _people in redeemed.values()) else []
    return [Trigger("REDEEMED", one.level, one.group, one.number) for one in found]


def of_points(points: Floats, groups: Sequence[str], before: Floats | None = None) -> list[Trigger]:
    """What is told from points and groups alone; before: the same people's points of the month before."""
    told = []

    def warn(code: str, number: float | None, fires: bool, group: str = "") -> None:
        if number is not None and fires:
            told.append(Trigger(code, Level.WARN, group, number))

    if len(points) < HIDDEN_BELOW:
        return []
    zeros = measures.zero_share(points)
    warn("ZEROS", zeros, zeros >= ZEROS)
    reached = {name: pair for name, pair in measures.reach(points, groups).items() if pair[1] >= HIDDEN_BELOW}
    shares = {name: 1 - have / count for name, (have, count) in reached.items()}
    least = min(shares.values(), default=0.0)
    for name, share in shares.items():
        warn("ZEROS", share, least > 0 and share >= ZERO_TIMES * least, name)
    top = measures.top_share(points)
    warn("TOP_TENTH", top, top is not None and top >= TOP)
    # Many small groups differ by chance alone: only those of at least ten people are set side by side.
    large = [nth for nth, name in enumerate(groups) if name in reached]
    if len(reached) > 1:
        compared, names = points[large], [groups[nth] for nth in large]
        difference = measures.group_difference(compared, names)
        if difference is not None:
            warn("GROUPS_DIFFER", difference.epsilon2, difference.epsilon2 >= EPSILON2)
        within, between = measures.between_theil(compared, names)
        if within + between > 0:
            share = between / (within + between)
            warn("BETWEEN_GROUPS", share, share >= BETWEEN)
    mobility = None if before is None else measures.rank_mobility(before, points)
    if mobility is not None:
        warn("SAME_WINNERS", mobility[0], mobility[0] > STUCK)
    return told


def of_earnability(per_hour: Mapping[str, float]) -> list[Trigger]:
    """Roles whose best hour earns under 0.8 of the best role's: an audit of rules, before they are published."""
    best = max(per_hour.values(), default=0.0)
    return [
        Trigger("EARNABILITY", Level.WARN, role, value / best)
        for role, value in sorted(per_hour.items())
        if best > 0 and value / best < EARNABLE
    ]
