"""How prizes are shared where people are tied and the budget may not last. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple


class Place(NamedTuple):
    """Where somebody stands: 1-1-3. They come in order of rank, and within a tie the earliest first."""

    person: int
    rank: int


def shares(prizes: Sequence[int], places: Sequence[Place], budget: int) -> dict[int, int]:
    """Points by person: never more than the budget in all, and nobody with nothing.

    `prizes[0]` is for the first. Tied people all get the higher prize while the budget lasts; otherwise what their
    places are worth together, as far as it is there, is split equally, and the remainder goes to the earliest.
    """
    found: dict[int, int] = {}
    left = budget
    for rank, group in groupby(places, key=lambda one: one.rank):
        if rank > len(prizes):
            break
        tied = [one.person for one in group]
        each, rest = prizes[rank - 1], 0
        if each * len(tied) > left:
            each, rest = divmod(min(left, sum(prizes[rank - 1 : rank - 1 + len(tied)])), len(tied))
        for number, person in enumerate(tied):
            points = each + (rest if number == 0 else 0)
            if points:
                found[person] = points
                left -= points
    return found
