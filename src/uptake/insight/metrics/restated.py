"""Which days of a place were told otherwise before: then and now, why, and how they were told on a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from uptake.directory.models import Kind, Organization
from uptake.directory.viewer import Viewer
from uptake.insight.models import DayFigure, Why


@dataclass(frozen=True)
class Told:
    """A figure of a day as it was told from a date on."""

    events: int
    people: int
    since: date


@dataclass(frozen=True)
class Restated:
    """A day that is told otherwise now."""

    day: date
    then: Told
    now: Told
    why: tuple[Why, ...]
    """All the reasons between the two."""


@dataclass(frozen=True)
class Versions:
    """What is written down of a place's days in a span."""

    restated: tuple[Restated, ...]
    """Newest day first."""
    kept_since: date | None
    """The first date as of which anything was written down; None: nothing yet."""
    days: int
    """Days of the span that are written down."""


def versions_of(viewer: Viewer, place: Organization, first: date, last: date, as_of: date | None = None) -> Versions:
    """The days of a park or company that are told otherwise now than `as_of` a date (None: than at first).

    Places below a company have no figures of their own."""
    if place.kind not in (Kind.PARK, Kind.COMPANY):
        return Versions((), None, 0)
    own = DayFigure.objects.visible_to(viewer).filter(organization=place)
    kept_since = own.order_by("as_of").values_list("as_of", flat=True).first()
    by_day: dict[date, list[DayFigure]] = {}
    for one in own.filter(day__range=(first, last)).order_by("day", "as_of"):
        by_day.setdefault(one.day, []).append(one)
    found = []
    for day, versions in by_day.items():
        known = [one for one in versions if as_of is None or one.as_of <= as_of]
        if not known:
            continue
        then, now = (versions[0] if as_of is None else known[-1]), versions[-1]
        if (then.events, then.people) != (now.events, now.people):
            between = versions[versions.index(then) + 1 :]
            why = {code for one in between for code in one.why}
            found.append(Restated(day, _told(then), _told(now), tuple(one for one in Why if one.value in why)))
    return Versions(tuple(sorted(found, key=lambda one: one.day, reverse=True)), kept_since, len(by_day))


def _told(row: DayFigure) -> Told:
    return Told(row.events, row.people, row.as_of)
