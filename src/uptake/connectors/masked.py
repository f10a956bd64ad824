"""Shows what was sent without showing what it said: names of fields stay, values are cut short. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN = 2
"""Characters of a text that stay."""
MOST_FIELDS, MOST_ITEMS, MOST_DEPTH = 30, 3, 4
PLAIN = frozenset({"event", "at", "type", "timestamp"})
"""Fields that say what happened and when, and of whom nothing."""


def masked(value: Any, depth: int = 0) -> Any:
    """The value with its texts cut to two characters and its numbers hidden."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
    if isinstance(value, Mapping):
        if depth >= MOST_DEPTH:
            return "{…}"
        inside = list(value.items())[:MOST_FIELDS]
        return {str(name)[:60]: _field(str(name), one, depth + 1) for name, one in inside}
    if isinstance(value, list | tuple):
        return "[…]" if depth >= MOST_DEPTH else [masked(one, depth + 1) for one in value[:MOST_ITEMS]]
    return "#"


def _field(name: str, value: Any, depth: int) -> Any:
    return value[:80] if name in PLAIN and depth == 1 and isinstance(value, str) else masked(value, depth)
