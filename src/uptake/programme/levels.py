"""Which level so many points reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from uptake.programme.rulebook import Level

NONE = -1


def reached(levels: Sequence[Level], points: int) -> int:
    """The rank of the highest level that so many points reach; -1: none."""
    return sum(level.at <= points for level in levels) - 1


def after_event(levels: Sequence[Level], level: int, points: int) -> int:
    """The level rises to what the points reach and never falls within a season."""
    return max(level, reached(levels, points))


def after_season(levels: Sequence[Level], level: int, points: int) -> int:
    """At a season's end it falls by one where the points reach less."""
    return level - (reached(levels, points) < level)


def after_decision(levels: Sequence[Level], level: int, points: int, reach: int, *, falls: bool) -> int:
    """A decision about points earned by pretence lets it fall at once to what `reach` reaches, or rise to it again."""
    to = reached(levels, reach)
    return max(min(level, to) if falls else max(level, to), reached(levels, points))


def by_points_alone(
    levels: Sequence[Level], earned: Mapping[date, int], ends: Sequence[date], *, of_season: bool
) -> int:
    """The level that the points of dates account for, season by season. `ends`: first dates after seasons, rising."""
    level, counted = reached(levels, 0), 0
    days = sorted(earned)
    for end in (*ends, None):
        while days and (end is None or days[0] < end):
            counted += earned[days.pop(0)]
        level = after_event(levels, level, counted)
        if end is not None:
            level = after_season(levels, level, counted)
            counted = 0 if of_season else counted
    return level
