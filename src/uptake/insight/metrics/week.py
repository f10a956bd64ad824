"""The week of a place in a line: how many of its people were active, and where most of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from uptake.activity import ActivityLog
from uptake.directory.models import Organization
from uptake.directory.scope import HIDE_BELOW, Grant, Viewer
from uptake.insight.metrics.period import Period
from uptake.insight.metrics.usage import parts, usage


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday; `top` is the department (of a park: the company) with the largest share of active
    people, empty where none has five people or more, or nobody was active."""

    first: date
    staff: int
    active: int
    top: str = ""
    top_share: float = 0.0
    place: str = ""

    def told(self, *, points: int, questions: int) -> dict[str, Any]:
        """The content of the message, with the points given and the questions that wait."""
        return {**asdict(self), "first": self.first.isoformat(), "points": points, "questions": questions}


def week_of(log: ActivityLog, place: Organization, monday: date) -> Week | None:
    """The week that begins on a Monday; None where fewer than five people belong to the place."""
    last = monday + timedelta(days=6)
    period = Period(monday, last, last + timedelta(days=1))
    found = usage(log, place, period)
    if found.staff < HIDE_BELOW:
        return None
    totals_only = Viewer(None, None, "", (Grant("manager", place.path),), period.today)
    shown = [one for one in parts(log, totals_only, place, period) if not one.hidden and one.staff >= HIDE_BELOW]
    best = max(shown, key=lambda one: (one.share or 0, one.staff), default=None)
    active = min(found.staff, round(found.active.now or 0))
    if best is None or not best.share:
        return Week(monday, found.staff, active, place=place.name)
    return Week(monday, found.staff, active, best.place.name, best.share, place.name)
