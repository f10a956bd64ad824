"""What people gained and lost by merit, day by day: written beside the points, read by boards, then removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from uptake.ledger.rows import insert_rows
from uptake.programme.models import MeritChange


@dataclass(frozen=True, slots=True)
class Gain:
    """Points of merit that a person gained (or, below 0, lost) on a business date at a company."""

    company: int
    person: int
    date: date
    points: int
    at: datetime | None
    """When what it came from happened, if it has points now."""
    ended_at: datetime | None = None
    """When it happened, if it has none any more."""


def note_merit(gains: Iterable[Gain], *, now: datetime) -> None:
    """Writes the sums per company, person and date; call it in the transaction that changes the points."""
    sums: dict[tuple[int, int, date], tuple[int, datetime | None, datetime | None]] = {}
    for gain in gains:
        key = (gain.company, gain.person, gain.date)
        points, latest, ended = sums.get(key, (0, None, None))
        sums[key] = (points + gain.points, _later(latest, gain.at), _later(ended, gain.ended_at))
    rows = [(*key, *values, now) for key, values in sums.items() if values[0] or values[2] is not None]
    insert_rows(MeritChange, ("company_id", "person_id", "date", "points", "latest_at", "ended_at", "changed_at"), rows)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return other if one is None else one if other is None else max(one, other)
