"""Canonical JSON and fingerprints: the same content gives the same bytes, on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from json.encoder import encode_basestring as quoted
from typing import Any

LONGEST = 400
"""Digits before or after the point up to which a number is written out (a float has at most 325)."""


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces.

    Instants are written in UTC with microseconds; numbers in plain decimal notation without trailing zeros, so that
    10, 10.0 and Decimal("10.00") are the same content, while a number never equals a text or a boolean.
    ValueError for NaN and infinities, TypeError for what JSON does not know.
    """
    return _text(value).encode()


def fingerprint(value: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(Decimal(repr(value)))
    if isinstance(value, Mapping):
        items = sorted(((str(key), item) for key, item in value.items()), key=lambda entry: entry[0])
        return "{" + ",".join(f"{quoted(key)}:{_text(item)}" for key, item in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return quoted(value.astimezone(UTC).isoformat(timespec="microseconds"))
    if isinstance(value, date):
        return quoted(value.isoformat())
    raise TypeError(f"canonical JSON does not know {type(value).__name__}")


def _number(number: Decimal) -> str:
    if not number.is_finite():
        raise ValueError("canonical JSON has no NaN and no infinities")
    if abs(number.adjusted()) > LONGEST:  # 1e999999 must not become a million digits
        return format(number.normalize(), "E")
    if number == number.to_integral_value():
        return str(int(number))
    return format(number.normalize(), "f")
