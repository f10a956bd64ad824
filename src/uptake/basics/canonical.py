"""Canonical JSON and fingerprints: the same content gives the same bytes, on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; instants in UTC with microseconds, decimals in plain notation."""
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def fingerprint(value: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return _plain_number(value)
    if isinstance(value, float):
        return _plain_number(Decimal(repr(value)))
    return value


def _plain_number(number: Decimal) -> int | str:
    """Whole numbers as integers, so that 10, 10.0 and Decimal("10.00") are the same content."""
    if number == number.to_integral_value():
        return int(number)
    return format(number.normalize(), "f")
