"""What the demo's ERP page did wrong lately, so that the page of its key has something to tell."""

from __future__ import annotations

from datetime import datetime, timedelta

from uptake.connectors.note_problems import Noted, note_problems
from uptake.events.models import ApiKey

ZONED = "at must be a time in ISO 8601 with its zone, such as 2026-05-13T09:30:00+08:00."
FAST = "This key sends more than 20000 events a second."
SAMPLE = {
    "event": "order.processed",
    "at": "2026-05-13T09:30:00",
    "person": "b0…",
    "object": "SO…",
    "facts": {"lines": "#"},
}


def note_some(key: ApiKey, now: datetime) -> None:
    """Counts some problems of the last days."""
    for days, rejected, fast in ((4, 31, 0), (3, 12, 2), (1, 3, 0)):
        at = now - timedelta(days=days)
        note_problems(problems=[Noted(key.pk, "rejected", rejected, at, ZONED, SAMPLE)])
        if fast:
            note_problems(problems=[Noted(key.pk, "too_fast", fast, at, FAST)])
