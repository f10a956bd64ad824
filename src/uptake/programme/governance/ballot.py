"""What a count of votes comes to. Pure: numbers in, an outcome out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SIMPLE, ABSOLUTE, TWO_THIRDS = "simple", "absolute", "two_thirds"
ACCEPTED, REFUSED, LAPSED = "accepted", "refused", "lapsed"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many said what."""

    yes: int = 0
    no: int = 0
    abstain: int = 0

    @property
    def voted(self) -> int:
        """Abstaining is voting: it counts for the quorum."""
        return self.yes + self.no + self.abstain


def tally(choices: Iterable[str]) -> Tally:
    found = list(choices)
    return Tally(found.count("yes"), found.count("no"), found.count("abstain"))


def quorum_of(members: int, percent: int) -> int:
    """How many of the members are `percent` of 100, rounded up; at least one."""
    return max(1, -(-members * percent // 100))


def needed(votes: Tally, *, members: int, majority: str) -> int:
    """How many yes it takes, with the votes as they are."""
    if majority == ABSOLUTE:
        return members // 2 + 1
    decided = votes.yes + votes.no
    if majority == TWO_THIRDS:
        return max(1, -(-decided * 2 // 3))
    return decided // 2 + 1


def outcome(votes: Tally, *, members: int, quorum: int, majority: str) -> str:
    """accepted, refused, or lapsed where fewer than the quorum voted. A tie is no majority."""
    if votes.voted < quorum:
        return LAPSED
    return ACCEPTED if votes.yes >= needed(votes, members=members, majority=majority) else REFUSED
