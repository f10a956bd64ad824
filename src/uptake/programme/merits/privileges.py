"""The privileges a person holds by their level, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from uptake.programme.merits.models import Privilege
from uptake.programme.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Held:
    """One privilege."""

    privilege: Privilege
    until: date | None
    """The first date on which it is not held any more; None: as long as the level is held."""


def privileges_of(
    company: int, *, rulebook: Rulebook, rank: int, since: datetime | None, today: date
) -> Sequence[Held]:
    """What somebody with the level of this rank, held since then, may do today. One query."""
    names = [level.name for level in rulebook.levels[: rank + 1]]
    if not names:
        return []
    programme = rulebook.programme
    season = min((end for end in programme.season_ends if end > today), default=None)
    found: list[Held] = []
    for row in Privilege.objects.filter(company_id=company, ended_at__isnull=True, level__in=names).order_by("pk"):
        ends = [season] if season else []
        if row.days is not None and since is not None:
            ends.append(programme.clock.date_of(since) + timedelta(days=row.days))
        until = min(ends, default=None)
        if until is None or until > today:
            found.append(Held(row, until))
    return found
