"""The neutral message: what every event client says, before people and companies are resolved. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

TRACK, PAGE, SCREEN, IDENTIFY, GROUP, ALIAS = "track", "page", "screen", "identify", "group", "alias"
PAGE_EVENT, SCREEN_EVENT = "$pageview", "$screen"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(ValueError):
    """The request as a whole says nothing that could be read; the sentence says why."""


# Never changed; not frozen for the reason a happening is not: it is made for every event that comes in.
@dataclass(slots=True, unsafe_hash=True)
class Message:
    """One thing a client said, the same whichever client it was. Absent texts are None."""

    kind: str
    """track, page, screen, identify, group or alias."""
    event: str | None = None
    """The name of the event; $pageview for pages, $screen for screens; None for what is no event."""
    user: str | None = None
    anonymous: str | None = None
    previous: str | None = None
    """An earlier identifier of the same user: of an alias, or of an identify that joins the two itself."""
    group: str | None = None
    """The company."""
    id: str | None = None
    """The sender's own id of the message: unique with the connection and `origin`."""
    time: str | None = None
    """When it happened by the sender's clock: ISO 8601 text as sent, or made of the number sent."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    """What is said of the user, or of the group."""
    sent_at: str | None = None
    """When the sender sent it by its own clock; see `skew.py`."""
    historical: bool = False
    """An import of old events: its times are not corrected."""
    origin: str | None = None
    """The part of the sender that gave the id, where a protocol names one (CloudEvents' source)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request said: the key it came with, its messages in order, and the items that could not be read."""

    key: str | None
    messages: tuple[Message, ...] = ()
    problems: tuple[str, ...] = ()
    """A sentence for each item that is no message."""


def text_of(value: Any) -> str | None:
    """An identifier as text: numbers as their digits; None for null, empty and what is no identifier."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None


def first(*values: Any) -> str | None:
    """The first of them that is an identifier."""
    for value in values:
        if value is not None and (text := text_of(value)) is not None:
            return text
    return None


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one. It is read only: it may be the sender's own."""
    if type(value) is dict:
        return value
    return dict(value) if value is not None and isinstance(value, Mapping) else {}


def without(properties: Mapping[str, Any], *prefixes: str, keep: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The properties without the sender's own bookkeeping, whose names begin with one of the prefixes."""
    return {name: value for name, value in properties.items() if not name.startswith(prefixes) or name in keep}


def page_of(*, url: Any = None, path: Any = None, title: Any = None, referrer: Any = None) -> dict[str, Any]:
    """What is known of a page, under the names that are the same for all senders: url, path, title, referrer."""
    url, path = text_of(url), text_of(path)
    if path is None and url is not None:
        path = path_in(url)
    said = {"url": url, "path": path, "title": text_of(title), "referrer": text_of(referrer)}
    return {name: value for name, value in said.items() if value is not None}


def path_in(url: str) -> str | None:
    """The path of an address; None where there is none to be found."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.path or ("/" if parts.netloc else None)


def time_of(value: Any) -> str | None:
    """A time as ISO 8601: text stays as sent; numbers are seconds, milliseconds or microseconds since 1970 (UTC)."""
    if isinstance(value, str):
        text = value.strip()
        if not text.lstrip("-").replace(".", "", 1).isdigit():
            return text or None
        value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    for unit in (1, 1_000, 1_000_000):
        if abs(value) < 1e11 * unit:
            try:
                whole = value if unit == 1_000 and type(value) is int else round(value / unit * 1000)
                seconds, rest = divmod(whole, 1000)
                return f"{_second(seconds)}.{rest:03d}Z"
            except (OverflowError, ValueError):
                return None
    return None


@lru_cache(maxsize=4096)
def _second(number: int) -> str:
    return (EPOCH + timedelta(seconds=number)).isoformat()[:19]


def iso(moment: datetime) -> str:
    """An instant as text in UTC, to the millisecond, or to the microsecond where it has some."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    exact = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=exact).removesuffix("+00:00") + "Z"
