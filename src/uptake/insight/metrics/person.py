"""How much one person uses the tools, for a period and the one before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from uptake.activity import ActivityLog
from uptake.activity.summaries.daily import daily
from uptake.activity.summaries.last_activity import last_activity
from uptake.directory.calendar import Day, day_kinds_between
from uptake.directory.models import Organization
from uptake.insight.metrics.period import Period
from uptake.insight.metrics.usage import PAGE_VIEW, Figure


@dataclass(frozen=True)
class OnePerson:
    """The figures of one person; `events_per_day` and `days` run over `period.shown`."""

    events: Figure
    page_views: Figure
    active_days: Figure
    working_days: int
    last_day: date | None
    events_per_day: tuple[int, ...]
    days: Mapping[date, Day]


def person_usage(
    log: ActivityLog, person: int, period: Period, place: Organization, companies: Collection[int] | None
) -> OnePerson:
    """What a person did in the companies (ids; None: all) the viewer may look into; working days are the place's."""
    only = [person]
    shown = daily(log, first=period.first, last=period.shown_last, persons=only, companies=companies)
    then = daily(log, first=period.before[0], last=period.before[1], persons=only, companies=companies)
    views = [
        daily(log, first=first, last=last, persons=only, companies=companies, events=[PAGE_VIEW]).total_events
        for first, last in ((period.first, period.last), period.before)
    ]
    whole = shown.events[: period.days]
    last = last_activity(log, persons=only, companies=companies).get(person)
    kinds = day_kinds_between(place, period.first, period.shown_last)
    return OnePerson(
        events=Figure(sum(whole), then.total_events),
        page_views=Figure(*views),
        active_days=Figure(sum(count > 0 for count in whole), sum(count > 0 for count in then.events)),
        working_days=sum(kind.works for day, kind in kinds.items() if day <= period.last),
        last_day=last.day if last else None,
        events_per_day=shown.events,
        days=kinds,
    )
