"""A lot as plain values: where its points are, and in which order lots are spent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

PLACES: Final = ("pending", "available", "held", "redeemed", "expired", "taken", "renewed")
COUNTS: Final = ("amount", *PLACES, "reversed", "reversed_expired")
FACTS: Final = (
    "id",
    "book",
    "key",
    "owner",
    "happened_at",
    "source",
    "event_key",
    "rule_order",
    "available_from",
    "last_date",
    "expires_at",
    "renews_id",
    "inactive_days",
)
_NEVER: Final = date.max


@dataclass(slots=True, eq=False)
class LotState:
    """One lot while a door works on it. `amount` = the sum of the seven places, always."""

    id: int
    book: int
    key: str
    owner: str
    happened_at: datetime
    source: str
    event_key: str
    rule_order: int
    available_from: datetime
    last_date: date | None
    expires_at: datetime | None
    renews_id: int | None
    inactive_days: int | None = None
    amount: int = 0
    pending: int = 0
    available: int = 0
    held: int = 0
    redeemed: int = 0
    expired: int = 0
    taken: int = 0
    renewed: int = 0
    reversed: int = 0
    reversed_expired: int = 0
    renews: LotState | None = None
    """Set instead of `renews_id` while the lot it renews may still be without an id."""
    is_new: bool = field(default=False, repr=False)

    def expired_by(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at

    def take_from(self, place: str, points: int) -> None:
        """The points leave the lot's `place`; out of "outside" they are new points."""
        if place == "outside":
            self.amount += points
            return
        left = getattr(self, place) - points
        assert left >= 0, f"Lot {self.key} has no {points} points {place}"
        setattr(self, place, left)

    def put_to(self, place: str, points: int) -> None:
        """The points arrive at the lot's `place`; "outside" they count as taken."""
        name = "taken" if place == "outside" else place
        setattr(self, name, getattr(self, name) + points)


def spend_order(lot: LotState) -> tuple[date, datetime, datetime, str, str, int, str]:
    """Last date (never = last), available from, canonical order of what earned it, rule; the key settles the rest."""
    return (
        lot.last_date or _NEVER,
        lot.available_from.astimezone(UTC),
        lot.happened_at.astimezone(UTC),
        lot.source,
        lot.event_key,
        lot.rule_order,
        lot.key,
    )


def draw(lots: Iterable[LotState], points: int) -> list[tuple[LotState, int]]:
    """Which lots give how much of `points` when spent in order; less in total if the lots have less."""
    drawn: list[tuple[LotState, int]] = []
    for lot in sorted((lot for lot in lots if lot.available), key=spend_order):
        if points <= 0:
            break
        part = min(points, lot.available)
        drawn.append((lot, part))
        points -= part
    return drawn
