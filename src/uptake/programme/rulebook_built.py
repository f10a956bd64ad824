"""Which keys of the rulebook file the product cannot honour yet: each is refused by its path (decision 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from uptake.programme.rulebook_refusals import NOT_BUILT, RulebookRefused

TOP = ("reversals", "levels")
PROGRAMME = ("redemption_timeout_days", "season_ends", "levels_from")
RULE = ("streak",)
PERSON = ("level",)


def refuse_unbuilt(plain: Any) -> None:
    """RulebookRefused for the first key that is not built yet. What is malformed is for the reader to refuse."""
    for path, key in _unbuilt(plain):
        raise RulebookRefused(path, NOT_BUILT, key=key)


def _unbuilt(plain: Any) -> Iterator[tuple[str, str]]:
    """(path, key) of all of them."""
    yield from _keys(plain, "", TOP)
    programme = _of(plain, "programme")
    yield from _keys(programme, "programme.", PROGRAMME)
    for index, rule in _each(plain, "rules"):
        place = f"rules[{index}]."
        yield from _keys(rule, place, RULE)
        yield from _conditions(rule, place)
    for index, multiplier in _each(plain, "multipliers"):
        yield from _conditions(multiplier, f"multipliers[{index}].")


def _conditions(plain: Any, place: str) -> Iterator[tuple[str, str]]:
    for index, condition in _each(plain, "when"):
        person = _of(condition, "person")
        if person in PERSON:
            yield f"{place}when[{index}].person", person


def _keys(plain: Any, place: str, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for key in keys:
        if isinstance(plain, Mapping) and key in plain:
            yield f"{place}{key}", key


def _of(plain: Any, key: str) -> Any:
    """What stands under a key, if it is a text or an object."""
    found = plain.get(key) if isinstance(plain, Mapping) else None
    return found if isinstance(found, str | Mapping) else None


def _each(plain: Any, key: str) -> Iterator[tuple[int, Any]]:
    found = plain.get(key) if isinstance(plain, Mapping) else None
    if isinstance(found, list | tuple):
        yield from enumerate(found)
