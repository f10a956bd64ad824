"""Reads the times that systems write, and writes them as these systems want to be asked. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

ODATA_V2 = re.compile(r"^/Date\((-?\d+)([+-]\d+)?\)/$")
COMPACT = re.compile(r"^\d{14}$")
ROUNDUP = re.compile(r"^(\d{4}-\d\d-\d\d)\.(\d\d:\d\d:\d\d(?:\.\d+)?)$")
LARGEST_SECONDS = 10**11
"""Numbers beyond this are milliseconds."""


class NotAnInstant(ValueError):
    """Not a time in any known writing."""


def instant(value: Any, zone: str) -> datetime:
    """The instant, in UTC. Naive times are of `zone`. Raises NotAnInstant.

    Known: datetime, ISO 8601, seconds or milliseconds since 1970, 20261121224402, /Date(1700000000000)/,
    2026-11-21.22:44:02, {"__class__": "datetime", "year": …}.
    """
    try:
        return _read(value, zone).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError, KeyError) as failure:
        raise NotAnInstant(str(value)[:100]) from failure


def _read(value: Any, zone: str) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(zone))
    if isinstance(value, bool) or value is None:
        raise ValueError
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000 if abs(value) >= LARGEST_SECONDS else value, UTC)
    if isinstance(value, dict):
        parts = {part: int(value.get(part, 0)) for part in ("hour", "minute", "second", "microsecond")}
        day = datetime(value["year"], value["month"], value["day"], tzinfo=ZoneInfo(zone))
        return day.replace(**parts)  # type: ignore[arg-type]
    text = str(value).strip()
    if found := ODATA_V2.match(text):
        return datetime.fromtimestamp(int(found[1]) / 1000, UTC)
    if COMPACT.match(text):
        read = datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 (its zone comes next)
    elif found := ROUNDUP.match(text):
        read = datetime.fromisoformat(f"{found[1]}T{found[2]}")
    else:
        read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))


def written(at: datetime, form: str, zone: str) -> str:
    """An instant as a system wants it: iso, iso_ms, local_ms, seconds, milliseconds, or a strftime pattern."""
    at = at.astimezone(UTC)
    match form:
        case "iso":
            plain = at.replace(tzinfo=None).isoformat()
            return f"{plain}Z"
        case "iso_seconds":
            return f"{at:%Y-%m-%dT%H:%M:%SZ}"
        case "iso_ms":
            return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        case "seconds":
            return str(int(at.timestamp()))
        case "milliseconds":
            return str(int(at.timestamp() * 1000))
        case "local_ms":
            return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
        case _:
            return at.astimezone(ZoneInfo(zone)).strftime(form)
