"""A happening: what a sender says happened, before it is stored as an event. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

MAX_NAME = 200
MAX_TEXT = 255
"""Characters of a key, a person, an object or a company."""
MAX_FACTS_BYTES = 65536
MAX_DEPTH = 8
MAX_DIGITS = 40
MAX_REVISION = 2**31 - 1


# Neither is ever changed. They are not frozen because Python then takes seven times as long to make one, and intake and
# import make hundreds of thousands.
@dataclass(slots=True, unsafe_hash=True)
class Happening:
    """One thing a sender says happened. `key` makes a retry harmless: unique with its source and revision."""

    event: str
    """Dotted, past tense: order.processed (names of other systems are taken as they are)."""
    key: str
    at: datetime
    """When it happened (timezone-aware)."""
    person: str | None = None
    """The sender's id of the person; None or empty: the system did it."""
    object: str = ""
    """What it was about: an order number."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Declared and other properties: text, numbers, booleans; lists and objects are kept but not asked about."""
    company: str | None = None
    """Slug of a company; None: the connection's, else the person's membership at that time."""
    revision: int = 1
    """A higher one supersedes the lower ones of the same key."""
    history_only: bool = False
    person_name: str = ""
    person_email: str = ""
    person_staff_number: str = ""


@dataclass(slots=True, unsafe_hash=True)
class Fate:
    """What became of a happening at the door."""

    key: str
    fate: str
    """new, replayed, conflict, quarantined or rejected."""
    event_id: int | None = None
    """The stored event; for replayed and conflict the one that holds the key."""
    reason: str = ""
    """For quarantined: future or late or odd; for rejected and conflict: what is wrong, in one sentence."""
