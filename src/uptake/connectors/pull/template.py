"""Texts with {{JMESPath}} in them, read against a record. Pure.

Beside JMESPath's own functions there are `lower(x)`, `part(x, ',', `0`)` (a piece of a text), `replace(x, 'a', 'b')`,
`text(x)`, `day(x, _.zone)` (the date of an instant in a zone) and `word('table', x)` (a word of the declaration's
tables, else x itself). Settings stand under `_`: {{_.database}}; the source's short name is {{_.source}}, the zone of
times that name none {{_.zone}}.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
from jmespath import functions
from jmespath.parser import ParsedResult

from uptake.connectors.pull.instants import NotAnInstant, instant

HOLE = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)
Words = Mapping[str, Mapping[str, str]]


class _Functions(functions.Functions):  # type: ignore[misc]
    def __init__(self, words: Words) -> None:
        self.words = words

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_lower(self, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_text(self, value: Any) -> str:
        return as_text(value)

    @functions.signature({"types": []}, {"types": ["string"]}, {"types": ["number"]})  # type: ignore[untyped-decorator]
    def _func_part(self, value: Any, by: str, place: float) -> str | None:
        parts = as_text(value).split(by)
        return parts[int(place)] if -len(parts) <= int(place) < len(parts) else None

    @functions.signature({"types": []}, {"types": ["string"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_replace(self, value: Any, old: str, new: str) -> str:
        return as_text(value).replace(old, new)

    @functions.signature({"types": []}, {"types": ["string"]})  # type: ignore[untyped-decorator]
    def _func_day(self, value: Any, zone: str) -> str | None:
        try:
            return instant(value, zone).astimezone(ZoneInfo(zone)).date().isoformat()
        except NotAnInstant:
            return None

    @functions.signature({"types": ["string"]}, {"types": []})  # type: ignore[untyped-decorator]
    def _func_word(self, table: str, value: Any) -> Any:
        return self.words.get(table, {}).get(as_text(value), value)


def options(words: Words) -> jmespath.Options:
    """What expressions are searched with."""
    return jmespath.Options(custom_functions=_Functions(words))


@lru_cache(maxsize=4096)
def compiled(path: str) -> ParsedResult:
    """A JMESPath, read once."""
    return jmespath.compile(path)


def as_text(value: Any) -> str:
    """How a value stands in a text: whole numbers without a point, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class Template:
    """A text with holes. Raises JMESPathError for a hole that is no JMESPath."""

    def __init__(self, text: str) -> None:
        self.text = text
        pieces = HOLE.split(text)
        self._fixed = pieces[0::2]
        self._holes = [compiled(piece.strip()) for piece in pieces[1::2]]
        self.plain = text if not self._holes else None
        """The text, where it has no holes."""
        self._whole = len(self._holes) == 1 and not any(self._fixed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def value(self, record: Mapping[str, Any], with_: jmespath.Options) -> Any:
        """What the record says: of a text that is one hole its value as it is, else a text."""
        if self.plain is not None:
            return self.plain
        if self._whole:
            return self._holes[0].search(record, with_)
        pieces = [self._fixed[0]]
        for hole, fixed in zip(self._holes, self._fixed[1:], strict=True):
            pieces += (as_text(hole.search(record, with_)), fixed)
        return "".join(pieces)

    def gap(self, record: Mapping[str, Any], with_: jmespath.Options) -> bool:
        """Whether a hole finds nothing in the record."""
        return any(hole.search(record, with_) is None for hole in self._holes)
