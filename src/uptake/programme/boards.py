"""Who stands where by points: from what people earned on the dates of a board."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Earned(NamedTuple):
    """Points of one award or special grant on a board's dates."""

    person: str
    points: int
    at: datetime


class Place(NamedTuple):
    """One line of a board. Equal scores share a rank and the next rank is left out: 1-1-3."""

    rank: int
    person: str
    score: int


def board(earned: Iterable[Earned]) -> list[Place]:
    """The board; within a tie whoever reached the score earlier stands first, then by id."""
    scores: dict[str, int] = {}
    latest: dict[str, datetime] = {}
    for person, points, at in earned:
        if points:
            scores[person] = scores.get(person, 0) + points
            latest[person] = max(at, latest.get(person, at))
    places: list[Place] = []
    for number, person in enumerate(sorted(scores, key=lambda one: (-scores[one], latest[one], one)), start=1):
        tied = places and places[-1].score == scores[person]
        places.append(Place(places[-1].rank if tied else number, person, scores[person]))
    return places
