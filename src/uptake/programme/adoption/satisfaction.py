"""How satisfied people are with what becomes of their feedback, by month. Reads; `months_of` is pure.

The same can be counted from the record: `feedback.given`, `feedback.answered` (fact `in_time`), `feedback.rated` (fact
`rating`) are events of the company, the anonymous ones too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.viewer import Viewer
from uptake.programme.adoption.models import Feedback


@dataclass(frozen=True, slots=True)
class Given:
    """One feedback, as far as it counts here."""

    month: date
    """The first date of the business month it was given in."""
    decided: bool
    """Answered, or its time is over."""
    in_time: bool
    rating: int | None


@dataclass(frozen=True, slots=True)
class Month:
    """The feedback given in one month. Shares and means are None where there is nothing to tell of."""

    month: date
    given: int
    decided: int
    """Those that were answered or are overdue: what the share is of."""
    in_time: int
    rated: int
    stars: int
    """Sum of the ratings."""

    @property
    def share_in_time(self) -> Fraction | None:
        return Fraction(self.in_time, self.decided) if self.decided else None

    @property
    def mean_rating(self) -> Fraction | None:
        return Fraction(self.stars, self.rated) if self.rated else None


def months_of(given: Iterable[Given], months: Iterable[date]) -> list[Month]:
    """One for each of the months asked for, in their order, those without feedback too."""
    by_month: dict[date, list[Given]] = {}
    for one in given:
        by_month.setdefault(one.month, []).append(one)
    found = []
    for month in months:
        rows = by_month.get(month, [])
        ratings = [one.rating for one in rows if one.rating is not None]
        found.append(
            Month(
                month,
                len(rows),
                sum(one.decided for one in rows),
                sum(one.decided and one.in_time for one in rows),
                len(ratings),
                sum(ratings),
            )
        )
    return found


def satisfaction_at(company: Organization, *, viewer: Viewer, now: datetime, months: int = 6) -> list[Month]:
    """The last `months` business months of a company, the running one last, of the feedback the viewer may see."""
    clock = settings_at(company)
    wanted = [clock.date_of(now).replace(day=1)]
    while len(wanted) < months:
        last = wanted[-1]
        wanted.append(date(last.year - (last.month == 1), (last.month - 2) % 12 + 1, 1))
    wanted.reverse()
    rows = Feedback.objects.visible_to(viewer).filter(company=company, given_at__gte=clock.start_of(wanted[0]))
    given = [
        Given(
            clock.date_of(one.given_at).replace(day=1),
            one.answered_at is not None or one.overdue(now),
            one.in_time,
            one.rating,
        )
        for one in rows.only("given_at", "due_at", "answered_at", "rating")
    ]
    return months_of(given, wanted)
