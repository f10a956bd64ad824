"""Which part of each event other events have undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from uptake.programme.rulebook import Reversal
from uptake.programme.standing import JudgedEvent, number_of

ReversalsOf = Callable[[JudgedEvent], Sequence[Reversal]]
"""The reversals of the rulebook in force for an event."""


class Told(Protocol):
    """An event, as far as it tells what it is about."""

    @property
    def object(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


def reversed_parts(events: Sequence[JudgedEvent], reversals_of: ReversalsOf) -> dict[int, Fraction]:
    """The part, above 0 up to 1, of each event (by id) that later ones undo; untouched events are not named.

    `events`: of all people, standing ones only, in canonical order. Read from the last one, so that whether a reversal
    counts itself is known before it is asked.
    """
    found: dict[int, Fraction] = {}
    undoing: dict[tuple[str, str, Hashable], list[tuple[int, Fraction]]] = defaultdict(list)
    same_of: dict[str, set[str]] = defaultdict(set)
    for event in reversed(events):
        shares: dict[int, Fraction] = {}
        for same in same_of.get(event.name, ()):
            value = value_of(event, same)
            if value is None:
                continue
            for reversal, share in undoing.get((event.name, same, value), ()):
                shares[reversal] = max(share, shares.get(reversal, share))
        part = min(Fraction(1), sum(shares.values(), Fraction(0)))
        if part:
            found[event.id] = part
        if part == 1:
            continue
        for entry in reversals_of(event):
            value = value_of(event, entry.same) if entry.event == event.name else None
            if value is not None:
                for name in entry.undoes:
                    undoing[name, entry.same, value].append((event.id, _share(event, entry.fraction)))
                    same_of[name].add(entry.same)
    return found


def value_of(event: Told, same: str) -> Hashable:
    """What two events must share: the object, or a fact; None where there is none."""
    if same == "object":
        return event.object or None
    value = event.facts.get(same)
    return None if value is None else _typed(value)


def _share(reversal: JudgedEvent, fact: str | None) -> Fraction:
    told = number_of(reversal.facts.get(fact)) if fact else None
    return Fraction(1) if told is None else min(Fraction(1), max(Fraction(0), Fraction(told)))


def _typed(value: Any) -> Hashable:
    """The same, so that a number equals neither a text nor a yes or no."""
    if isinstance(value, Mapping):
        return ("object", tuple(sorted((key, _typed(one)) for key, one in value.items())))
    if isinstance(value, list | tuple):
        return ("list", tuple(_typed(one) for one in value))
    number: int | Decimal | None = number_of(value)
    return (type(value).__name__, value) if number is None else ("number", Fraction(number))
