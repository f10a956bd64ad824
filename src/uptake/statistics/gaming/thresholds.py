"""An amount of a fact from which on rules pay, or pay more: what amounts may bunch at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Threshold:
    """names: of the events it is asked of; fact: whose number; at: the amount from which on it pays."""

    names: frozenset[str]
    fact: str
    at: float

    @property
    def width(self) -> float:
        """How far from it still counts as near: a fifth of it, at least one."""
        return max(1.0, round(self.at / 5))
