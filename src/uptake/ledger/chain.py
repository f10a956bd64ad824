"""The hash chain of a book: every transfer carries the hash of the one before it, so that none can change unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

START: Final = "0" * 64
"""What the first transfer of a book carries as the hash before it."""
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


def link(before: str, record: list[Any]) -> str:
    """SHA-256 of the hash before (64 hexadecimal digits) followed by the canonical JSON of the record.

    A record is [book, seq, key, part, kind, reason, cause, source code, target code, amount, lot id, new lot id,
    effective at, posted at, explanation]; instants as `stamp` writes them, the explanation as `exact` leaves it.
    """
    return hashlib.sha256(before.encode() + canonical(record)).hexdigest()


def canonical(value: Any) -> bytes:
    """The same bytes as `uptake.basics.canonical.canonical_json` for exact content, many times faster."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def stamp(at: datetime) -> str:
    """The instant in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def stamps(instants: Sequence[datetime]) -> list[str]:
    """The stamps of many instants, in a fraction of the time."""
    return [text if len(text) == 32 else f"{text[:19]}.000000+00:00" for text in iso_texts(instants)]


def iso_texts(instants: Sequence[datetime]) -> list[str]:
    """The instants in UTC as ISO text, without microseconds where they are 0; written at once."""
    if not instants:
        return []
    in_utc = [at if at.tzinfo is UTC else at.astimezone(UTC) for at in instants]
    return orjson.dumps(in_utc)[2:-2].decode().split('","')


def exact(value: Any) -> Any:
    """`value` as plain JSON that a database gives back unchanged. TypeError for a float: points know no rounding noise.

    Decimals become whole numbers or text in plain notation, as do numbers beyond 64 bits; instants and dates become
    ISO text, tuples lists.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if _LEAST <= value <= _MOST else str(value)
    if kind is dict:
        return {
            key if type(key) is str else str(key): item
            if (held := type(item)) is str or (held is int and _LEAST <= item <= _MOST)
            else exact(item)
            for key, item in value.items()
        }
    if isinstance(value, Mapping):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) < 2**63
        return int(value) if whole else format(value.normalize(), "f")
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"An explanation holds no {type(value).__name__}: {value!r}")
