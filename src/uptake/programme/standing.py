"""An event as the rules see it: pure values, joined with who the person was on its business date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uptake.programme.history import History

Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """Who the person was on one date: by the membership of that date, and days since joining (None: not known)."""

    department: str | None = None
    role: str | None = None
    tenure_days: int | None = None


UNKNOWN = Standing()


@dataclass(slots=True)
class JudgedEvent:
    """One event of one person that is out of quarantine. The canonical order is (at, source, key)."""

    id: int
    name: str
    at: datetime
    source: str
    key: str
    date: date
    facts: Mapping[str, Any] = field(default_factory=dict)
    history_only: bool = False
    reversed: bool = False
    """Withdrawn with its import, or superseded by a higher revision."""
    late: bool = False
    """It joined the others of its date after their awards had closed."""
    standing: Standing = UNKNOWN
    object: str = ""
    joined_at: datetime | None = None
    """When it could first be considered, where that may lie after the closing of an award."""
    part: Fraction | int = 0
    """Which part of it other events have undone, 0 to 1."""
    level: int = -1
    """The rank of the person's level before it, where rules ask."""
    history: History | None = None
    """What the person did before it, where rules ask."""

    @property
    def order(self) -> tuple[datetime, str, str, int]:
        return (self.at, self.source, self.key, self.id)


def number_of(value: object) -> Number | None:
    """The exact number a value is, or None: a boolean or a text is no number. A float is the decimal it prints as."""
    kind = type(value)
    if kind is int:
        return value  # type: ignore[return-value]
    if kind is float:
        exact = Decimal(repr(value))
        return exact if exact.is_finite() else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return None
