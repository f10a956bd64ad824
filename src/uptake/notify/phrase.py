"""Words with named gaps, as people write them: `{title}` is a gap, `{{` and `}}` are braces, and nothing else is told.

What fills a gap is never read for gaps itself, so whatever somebody is called, it stays words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

GAP: Final = re.compile(r"\{\{|\}\}|\{([^{}\n]{0,40})\}|[{}]")
NAME: Final = re.compile(r"[a-z][a-z_]{0,30}")


class PhraseRefused(ValueError):
    """Words that cannot be used; `name` is what the reason is about."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


class UnknownGap(PhraseRefused):
    """A gap that nothing fills."""


class LoneBrace(PhraseRefused):
    """A brace that opens or closes no gap."""


class MissingGap(PhraseRefused):
    """Words without a gap that they need."""


def gaps_of(text: str) -> frozenset[str]:
    """The names of the gaps. Raises LoneBrace."""
    found = set()
    for match in GAP.finditer(text):
        if match[1] is not None:
            found.add(match[1].strip())
        elif len(match[0]) == 1:
            raise LoneBrace(match[0])
    return frozenset(found)


def check(text: str, known: Collection[str]) -> None:
    """Raises UnknownGap or LoneBrace, of the first that is wrong."""
    for name in sorted(gaps_of(text)):
        if not NAME.fullmatch(name) or name not in known:
            raise UnknownGap(name)


def need(text: str, needed: Collection[str]) -> None:
    """Raises MissingGap of the first that is not there."""
    there = gaps_of(text)
    for name in needed:
        if name not in there:
            raise MissingGap(name)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The words with their gaps filled; a gap that nothing fills is left empty."""

    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        return values.get(match[1].strip(), "")

    return GAP.sub(one, text)
