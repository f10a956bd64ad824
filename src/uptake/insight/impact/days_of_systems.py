"""What nobody does, day by day: probes of systems, outages somebody noted, requirements that were released.

Told of whole companies only: none of it belongs to a department or a role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db.models import Count, Q
from django.db.models.fields.json import KeyTransform

from uptake.activity.columns import Array
from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.events.models import Event, EventQuerySet
from uptake.insight.impact.models import Outage

PROBED = "system.probed"
"""An event of a company without a person; its fact `up` says whether the system answered."""
UP = "up"
ACCEPTED, RELEASED, DROPPED = "requirement.accepted", "requirement.released", "requirement.dropped"
"""Events about a requirement (their object), of a company; the feedback box tells them of what it is asked for."""
HOURS = 24.0

Pair = tuple[Array, Array]


def probes(places: Sequence[Organization], first: date, last: date) -> Pair:
    """(places, days) twice: probes that were answered, and all of them."""
    rows = _events(places, (PROBED,)).filter(business_date__range=(first, last), facts__has_key=UP)
    up, every = _nothing(places, first, last), _nothing(places, first, last)
    at = _numbers(places)
    told = rows.annotate(up=KeyTransform(UP, "facts")).order_by().values_list("company_id", "business_date", "up")
    for company, day, answered, many in told.annotate(many=Count("pk")):
        cell = (at[company or 0], (day - first).days)
        every[cell] += many
        up[cell] += many if answered is True else 0
    return up, every


def running_hours(places: Sequence[Organization], first: date, last: date, now: datetime) -> Pair:
    """(places, days) twice: hours without an outage noted there or above, and all hours.

    A place counts from the day on which its first outage was noted: before, nobody kept such a list.
    """
    free, every = _nothing(places, first, last), _nothing(places, first, last)
    above = {int(part) for place in places for part in place.path.split("/") if part}
    noted = list(Outage.objects.standing().filter(organization_id__in=above).order_by("began_at"))
    for number, place in enumerate(places):
        mine = [one for one in noted if f"/{one.organization_id}/" in place.path]
        if place.kind != Kind.COMPANY or not mine:
            continue
        clock = settings_at(place)
        begun = min(one.began_at for one in mine)
        for column in range(every.shape[1]):
            day = first + timedelta(days=column)
            start, end = clock.start_of(day), clock.start_of(day + timedelta(days=1))
            if end <= begun or start >= now:
                continue
            down = _covered([(one.began_at, one.ended_at or now) for one in mine], start, end)
            length = (end - start).total_seconds()
            every[number, column] = HOURS
            free[number, column] = HOURS * (1 - down / length)
    return free, every


def _covered(spans: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> float:
    """Seconds of [start, end) that lie in any of the spans; what two of them cover counts once."""
    seconds, reached = 0.0, start
    for begin, stop in sorted(spans):
        begin, stop = max(begin, reached), min(stop, end)
        if stop > begin:
            seconds += (stop - begin).total_seconds()
            reached = stop
    return seconds


def released(places: Sequence[Organization], first: date, last: date) -> Pair:
    """(places, days) twice: requirements released up to a day, and all accepted up to it and not dropped since.

    What was released without a word of its acceptance counts as accepted that day; what comes back after it was
    dropped counts again.
    """
    over, under = _nothing(places, first, last), _nothing(places, first, last)
    at = _numbers(places)
    rows = _events(places, (ACCEPTED, RELEASED, DROPPED)).filter(business_date__lte=last).exclude(object="")
    told = rows.order_by("happened_at", "pk").values_list("company_id", "object", "name", "business_date")
    state: dict[tuple[int, str], str] = {}
    for company, thing, name, day in told:
        number, column = at[company or 0], max((day - first).days, 0)
        before = state.get((number, thing), DROPPED)
        after = RELEASED if before == RELEASED and name == ACCEPTED else name
        state[number, thing] = after
        under[number, column:] += (after != DROPPED) - (before != DROPPED)
        over[number, column:] += (after == RELEASED) - (before == RELEASED)
    return over, under


def _events(places: Sequence[Organization], names: Sequence[str]) -> EventQuerySet:
    return Event.objects.standing().filter(Q(company_id__in=list(_numbers(places))), name__in=names)


def _numbers(places: Sequence[Organization]) -> Mapping[int, int]:
    return {place.pk: number for number, place in enumerate(places) if place.kind == Kind.COMPANY}


def _nothing(places: Sequence[Organization], first: date, last: date) -> Array:
    return np.zeros((len(places), (last - first).days + 1))


def end_of(day: date, place: Organization) -> datetime:
    """The instant at which a business day of a place is over."""
    return settings_at(place).start_of(day + timedelta(days=1)).astimezone(UTC)
