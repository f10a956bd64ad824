"""Which people an unresolved identity may be, by likeness of names: suggestions for a person to judge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

LIKE_ENOUGH = 0.6


def likeness(one: str, other: str) -> float:
    """0 to 1: how alike two names are, whatever the order of their words, their case and their signs."""
    first, second = _plain(one), _plain(other)
    if not first or not second:
        return 0.0
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def most_alike(names: Iterable[str], people: Iterable[tuple[int, str]], *, most: int = 3) -> list[tuple[int, float]]:
    """The up to `most` people (id, likeness) whose name is most like one of `names`, best first, then by id."""
    wanted = [name for name in names if name]
    scored = [(key, max((likeness(name, called) for name in wanted), default=0.0)) for key, called in people]
    fitting = [(key, score) for key, score in scored if score >= LIKE_ENOUGH]
    return sorted(fitting, key=lambda found: (-found[1], found[0]))[:most]


def _plain(name: str) -> str:
    """Words of a name or id in a fixed order: "Fang, Lin" and "lin.fang" → "fang lin"."""
    return " ".join(sorted(word for word in re.split(r"[\W_\d]+", name.split("@")[0].casefold()) if word))
