"""Hides small groups from those who may see totals only, so that no single person's figures can be worked out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from uptake.directory.models import Organization
from uptake.directory.viewer import HIDE_BELOW, Deed, Viewer

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Shown(Generic[K]):
    """Sizes of groups as they may be shown: None where hidden; `total` too where it would tell."""

    counts: dict[K, int | None]
    total: int | None

    @property
    def hidden(self) -> frozenset[K]:
        """The groups none of whose figures may be shown."""
        return frozenset(key for key, count in self.counts.items() if count is None)


def hide_small(people: Mapping[K, int], *, below: int = HIDE_BELOW) -> Shown[K]:
    """Which of disjoint groups (key → number of people) may be shown beside their total.

    Groups of 1 to `below` - 1 people are hidden. As the total less the groups shown tells the sum of those hidden,
    the next smallest are hidden too until at least two are, with `below` people or more between them; where no group
    is left, the total is hidden as well. Empty groups say nothing about anyone and stay.
    """
    hidden = [key for key, count in people.items() if 0 < count < below]
    if not hidden:
        return Shown(dict(people), sum(people.values()))
    rest = sorted((key for key, count in people.items() if count >= below), key=lambda key: (people[key], str(key)))
    while rest and (len(hidden) < 2 or sum(people[key] for key in hidden) < below):
        hidden.append(rest.pop(0))
    safe = len(hidden) >= 2 and sum(people[key] for key in hidden) >= below
    shown = {key: None if key in set(hidden) else count for key, count in people.items()}
    return Shown(shown, sum(people.values()) if safe else None)


def may_see_group(viewer: Viewer, place: Organization, people: int) -> bool:
    """Whether figures of a group of `people` at a place may be shown to the viewer."""
    if viewer.may(Deed.SEE_PEOPLE, place):
        return True
    return viewer.may(Deed.SEE_TOTALS, place) and not 0 < people < HIDE_BELOW
