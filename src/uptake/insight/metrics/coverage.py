"""Whether the data is there: each source of each company by its own rhythm of working days, fine, late or down.

It is asked before anybody is called silent: no use is one thing, no data another. Everything that came in counts, also
bookkeeping, machines and what nobody did, as it shows that the source is alive.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import pairwise
from statistics import median

from django.db.models import Max, Q

from uptake.activity import ActivityLog
from uptake.activity.summaries.flow import flow
from uptake.directory.calendar import day_kinds_between
from uptake.directory.models import CalendarDay, Kind, Organization
from uptake.directory.place import settings_of
from uptake.directory.viewer import ids_of
from uptake.events.models import Connection

WEEKS = 8
"""How far back the rhythm is looked for."""
LATE_AFTER = 3
"""Down is at least so many working days without a sign."""


class Alive(Enum):
    """How a source stands, the worst last."""

    FINE = "fine"
    LATE = "late"
    DOWN = "down"
    NEVER = "never"


@dataclass(frozen=True)
class Covered:
    """One source of one company."""

    company: Organization
    connection: Connection
    state: Alive
    last_day: date | None
    """Of the last event, in the last weeks."""
    usual: float | None
    """Median events of a working day, from the first to the last one of the last weeks; None: there were none."""
    missing: tuple[date, ...]
    """Working days without any event since then, today left out."""
    per_day: tuple[int, ...]
    """Events of each working day of the last weeks, for the small line."""

    @property
    def down(self) -> bool:
        return self.state in (Alive.DOWN, Alive.NEVER)


def judged(
    counts: Mapping[date, int],
    working: Sequence[date],
    today: date,
    *,
    sign: date | None = None,
    paused: bool = False,
    before: bool = False,
) -> tuple[Alive, float | None, tuple[date, ...]]:
    """(state, usual events of a working day, working days without any). `working`: those of the last weeks, in order.

    A source is late when as many working days as usual lie between its last sign of life and today, which is not over;
    and down when three times as many do, and at least `LATE_AFTER`. `sign`: the last day its key was used; `before`:
    it sent something before these weeks.
    """
    if not counts:
        alive = sign is not None and not paused and sum(sign < day < today for day in working) < LATE_AFTER
        return (Alive.FINE if alive else Alive.DOWN if before else Alive.NEVER), None, ()
    last_day = max(counts)
    days = working[bisect_left(working, min(counts)) : bisect_left(working, today)]
    values = [counts.get(day, 0) for day in days]
    until_last = values[: bisect_right(days, last_day)]
    usual = median(until_last) if until_last else None
    missing = tuple(day for day, count in zip(days, values, strict=True) if not count)
    with_data = [number for number, count in enumerate(values) if count]
    gaps = [after - earlier for earlier, after in pairwise(with_data)]
    rhythm = max(1.0, median(gaps)) if gaps else 1.0
    waited = len(days) - bisect_right(days, max(last_day, sign or date.min))
    if paused or waited >= max(LATE_AFTER, 3 * rhythm):
        return Alive.DOWN, usual, missing
    return (Alive.LATE if waited >= rhythm else Alive.FINE), usual, missing


def coverage(log: ActivityLog, place: Organization, today: date) -> list[Covered]:
    """Every source of every company at the place (of a department: its company's), the worst first.

    A connection of a park counts at the companies it brought something for. Files come in when somebody brings one;
    they are here where a company has no other source.
    """
    top = place if place.kind in (Kind.PARK, Kind.COMPANY) else (place.company or place)
    companies = {
        one.pk: one for one in Organization.objects.open().filter(path__startswith=top.path, kind=Kind.COMPANY)
    }
    above = Q(organization__in=ids_of(top.path))
    held = Connection.objects.exclude(kind="uptake").filter(Q(organization__path__startswith=top.path) | above)
    links = list(held.annotate(used_at=Max("keys__last_used_at")).order_by("pk"))
    first = today - timedelta(days=7 * WEEKS)
    came = flow(log, first=first, last=today)
    brought: dict[str, list[int]] = {}
    for slug, key in came:
        brought.setdefault(slug, []).append(key)
    others = {one.organization_id for one in links} - companies.keys()
    owners = companies | (Organization.objects.in_bulk(others) if others else {})
    clocks = settings_of(owners[one.organization_id] for one in links if one.used_at is not None)  # type: ignore[attr-defined]
    days_of = working_days(companies.values(), first, today)
    found: dict[int, list[Covered]] = {key: [] for key in companies}
    for link in sorted(links, key=lambda one: one.kind == "file"):
        own = owners[link.organization_id].company_id
        used_at = link.used_at  # type: ignore[attr-defined]
        sign = clocks[link.organization_id].date_of(used_at) if used_at is not None else None
        for key in [own] if own else sorted(brought.get(link.slug, ())):
            if key not in companies or (link.kind == "file" and found[key]):
                continue
            counts = came.get((link.slug, key), {})
            state, usual, missing = judged(
                counts, days_of[key], today, sign=sign, paused=link.paused_at is not None,
                before=link.last_event_at is not None,
            )  # fmt: skip
            line = tuple(counts.get(day, 0) for day in days_of[key][-30:])
            found[key].append(Covered(companies[key], link, state, max(counts, default=None), usual, missing, line))
    order = list(Alive)
    every = [one for several in found.values() for one in several]
    return sorted(every, key=lambda one: (-order.index(one.state), one.company.name, one.connection.name))


def working_days(companies: Iterable[Organization], first: date, last: date) -> dict[int, list[date]]:
    """The working days from `first` to `last` of each company, by its id; those without days of their own share."""
    several = list(companies)
    special = CalendarDay.objects.filter(organization__in=several, date__range=(first, last))
    own = set(special.values_list("organization_id", flat=True))
    shared: dict[str, list[date]] = {}
    found = {}
    for one in several:
        above = one.path.removesuffix(f"{one.pk}/") if one.pk not in own else one.path
        if above not in shared:
            kinds = day_kinds_between(one, first, last)
            shared[above] = [day for day, kind in kinds.items() if kind.works]
        found[one.pk] = shared[above]
    return found


def told_at(covered: Iterable[Covered], sources: Collection[str] = ()) -> set[int]:
    """The companies (ids) of which no use can be told from no data: of their sources (these; none: all) one at least
    is alive, and none is down. One that never sent anything takes nothing away."""
    several = [one for one in covered if not sources or one.connection.slug in sources]
    alive = {one.company.pk for one in several if one.state in (Alive.FINE, Alive.LATE)}
    return alive - {one.company.pk for one in several if one.state == Alive.DOWN}


def untold_since(covered: Iterable[Covered], sources: Collection[str] = ()) -> dict[int, date | None]:
    """The companies (ids) with a source of which no use cannot be told from no data, each with the last day of which
    it could: when the first of its sources that are down (of these; none: of all) said its last. None: never, or longer
    ago than anybody looked."""
    several = [one for one in covered if not sources or one.connection.slug in sources]
    told = told_at(several)
    found: dict[int, date | None] = {}
    for one in several:
        key = one.company.pk
        if key in told:
            continue
        known = found.setdefault(key, None)
        if one.state == Alive.DOWN and one.last_day is not None:
            found[key] = one.last_day if known is None else min(known, one.last_day)
    return found
