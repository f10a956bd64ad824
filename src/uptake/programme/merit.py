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
    """When what it came from happened, if it has points now; None if it has none any more."""


def note_merit(gains: Iterable[Gain], *, now: datetime) -> None:
    """Writes the sums per company, person and date; call it in the transaction that changes the points."""
    sums: dict[tuple[int, int, date], tuple[int, datetime | None, int]] = {}
    for gain in gains:
        key = (gain.company, gain.person, gain.date)
        points, latest, ended = sums.get(key, (0, None, 0))
        if gain.at is not None:
            latest = gain.at if latest is None else max(latest, gain.at)
        sums[key] = (points + gain.points, latest, ended + (gain.at is None))
    rows = [(*key, *values, now) for key, values in sums.items() if values[0] or values[2]]
    insert_rows(MeritChange, ("company_id", "person_id", "date", "points", "latest_at", "ended", "changed_at"), rows)
