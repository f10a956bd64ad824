"""Which level a person stands at, as far as rewards need to know."""

from __future__ import annotations

from datetime import datetime

from uptake.programme.rulebook import Rulebook
from uptake.programme.standing_of import standing_of


def rank_of(*, person: int, company: int, now: datetime) -> int:
    """The rank of the person's level: 0 is the first of the rulebook, -1 none."""
    return standing_of([person], company=company, now=now)[person].rank


def lies_within(level: str, rank: int, rulebook: Rulebook) -> bool:
    """Whether one of this rank stands at the level or above; nobody at one the rulebook does not have."""
    names = [one.name for one in rulebook.levels]
    return level in names and rank >= names.index(level)


def reaches(level: str, *, person: int, company: int, rulebook: Rulebook, now: datetime) -> bool:
    """Whether the person stands at this level or above."""
    return lies_within(level, rank_of(person=person, company=company, now=now), rulebook)
