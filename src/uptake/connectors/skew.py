"""When something really happened, where the sender's clock may be wrong. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

AHEAD = timedelta(hours=24)
"""How far in the future a corrected time may lie before it is not believed."""


# Never changed; not frozen for the reason a happening is not.
@dataclass(slots=True, unsafe_hash=True)
class Occurrence:
    """The instant to store, and whether the sender's own was not believed."""

    at: datetime
    flagged: bool = False


def occurred(*, time: str | None, sent_at: str | None, received_at: datetime, historical: bool = False) -> Occurrence:
    """received − (sent − time): both by the sender's clock, so its error falls out. Times are ISO 8601; naive is UTC.

    Without the time of sending the sender's time stands; without any, that of receiving. An import of old events is
    not corrected.
    """
    told, sent = _instant(time), _sent(sent_at)
    if told is None:
        return Occurrence(received_at, flagged=time is not None)
    if historical:
        return Occurrence(told)
    try:
        at = told if sent is None else received_at - (sent - told)
    except OverflowError:
        return Occurrence(received_at, flagged=True)
    return Occurrence(received_at, flagged=True) if at - received_at > AHEAD else Occurrence(at)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is UTC:
            return at
        return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_sent = lru_cache(maxsize=64)(_instant)
"""All messages of a request were sent at the same time."""
