"""What OData V2 writes, as V4 writes it, so that one declaration, one key and one time fit both. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

DATE = re.compile(r"^/Date\((-?\d+)([+-]\d+)?\)/$")
SPAN = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(\.\d+)?S)?$")
START = datetime(1970, 1, 1, tzinfo=UTC)


def as_v4(value: Any) -> Any:
    """An answer without its wrappings.

    `/Date(1795301505957+0000)/` (DateTimeOffset) becomes 2026-11-21T22:51:45.957Z; without an offset (DateTime) it
    names no zone: 2026-11-21T22:51:45.957. `PT22H51M46S` (Time) becomes 22:51:46; `{"results": […]}` becomes the list.
    """
    if isinstance(value, list):
        return [as_v4(one) for one in value]
    if isinstance(value, dict):
        if isinstance(value.get("results"), list) and set(value) <= {"results", "__count", "__next"}:
            return as_v4(value["results"])
        return {name: as_v4(one) for name, one in value.items() if name not in ("__metadata", "__deferred")}
    if isinstance(value, str):
        return _text(value)
    return value


def _text(value: str) -> str:
    if found := DATE.match(value):
        try:
            at = START + timedelta(milliseconds=int(found[1]))
        except OverflowError:
            return value
        fraction = f".{at.microsecond // 1000:03d}" if at.microsecond else ""
        return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}{'Z' if found[2] else ''}"
    if len(value) > len("PT") and (found := SPAN.match(value)):
        hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{found[4] or ''}"
    return value
