"""Happenings on their way into the record, and what holds their keys already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from uptake.directory.models import Organization
from uptake.events.happening import Happening


@dataclass(slots=True)
class Stored:
    """What holds a (key, revision): an event in the record, or one about to be written (`id` 0)."""

    id: int
    fingerprint: str
    withdrawn: bool


@dataclass(slots=True)
class Item:
    """One usable happening on its way."""

    index: int
    happening: Happening
    at: datetime
    instant: str
    facts: str
    fingerprint: str
    company: Organization | None
    revision: int = 0
    row: Stored | None = None
    identity: int | None = None
    place: int | None = None
    date: str = ""
    reason: str = ""
    note: str = ""
