"""Who recognises each other in circles: two or three people who give mostly to one another. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

LEAST_SHARE: Final = 0.5
LEAST_TIMES: Final = 2


@dataclass(frozen=True, slots=True)
class Given:
    """What one person gave another: points, and how many times."""

    points: int
    times: int


@dataclass(frozen=True, slots=True)
class Ring:
    """People who give to the next of them, the last to the first."""

    people: tuple[int, ...]
    points: int
    """Given along the ring."""
    share: float
    """Of all that these people gave, the part that stayed in the ring, 0–1."""


def rings(
    given: Mapping[tuple[int, int], Given], *, least_share: float = LEAST_SHARE, least_times: int = LEAST_TIMES
) -> list[Ring]:
    """Circles of two and three people in which each gave the next at least `least_times` times, and of all that its
    people gave at least `least_share` stayed in it; the most closed first. Keys are (giver, receiver).

    What goes around a circle of three the other way too is told once; two who already stand alone make no three with
    whoever both also know.
    """
    gives: dict[int, dict[int, Given]] = {}
    for (giver, receiver), one in given.items():
        if giver != receiver:
            gives.setdefault(giver, {})[receiver] = one
    found: dict[frozenset[int], Ring] = {}
    for people in _circles(gives, least_times):
        members = frozenset(people)
        inside = sum(one.points for who in people for to, one in gives[who].items() if to in members)
        whole = sum(one.points for who in people for one in gives[who].values())
        along = sum(gives[who][to].points for who, to in _edges(people))
        share = inside / whole if whole else 0.0
        if share >= least_share and (members not in found or found[members].points < along):
            found[members] = Ring(people, along, share)
    pairs = {members for members in found if len(members) == 2}
    kept = [ring for members, ring in found.items() if len(members) == 2 or not any(pair < members for pair in pairs)]
    return sorted(kept, key=lambda ring: (-ring.share, -ring.points, ring.people))


def _circles(gives: Mapping[int, Mapping[int, Given]], least_times: int) -> Iterator[tuple[int, ...]]:
    """Each once, beginning with the smallest number."""
    often = {who: sorted(to for to, one in tos.items() if one.times >= least_times) for who, tos in gives.items()}
    for first, seconds in sorted(often.items()):
        for second in (one for one in seconds if one > first):
            thirds = often.get(second, [])
            if first in thirds:
                yield first, second
        for second in (one for one in seconds if one > first):
            for third in (one for one in often.get(second, []) if one > first and one != second):
                if first in often.get(third, []):
                    yield first, second, third


def _edges(people: tuple[int, ...]) -> Iterable[tuple[int, int]]:
    return zip(people, (*people[1:], people[0]), strict=True)
