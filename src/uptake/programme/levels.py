"""Which level so many points reach."""

from __future__ import annotations

from collections.abc import Sequence

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
