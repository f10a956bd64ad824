"""How much a place is used: the figures of Overview and Activity, for a period and the one before.

*Active* is a person with at least one event that counts as activity. *Daily active* is the mean number of active
people over the working days of the period. Page views are events named ``$pageview``, actions are all others.
People counts are distinct: those of departments do not add up to that of the company.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypedDict

from uptake.activity import ActivityLog
from uptake.activity.summaries.daily import Daily, daily
from uptake.activity.summaries.last_activity import extent
from uptake.activity.summaries.people import people
from uptake.activity.summaries.places import Place, places
from uptake.activity.summaries.top import top
from uptake.directory.calendar import Day, day_kinds_between
from uptake.directory.models import Kind, Membership, Organization, Person, PersonKind
from uptake.directory.privacy import hide_small, may_see_group
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import EventType
from uptake.insight.metrics.period import Period
from uptake.insight.metrics.staff import Staff

PAGE_VIEW = "$pageview"
WEEKS_OF_SPARK = 10
FOUR_WEEKS = timedelta(days=28)
NOT_SHOWN = ("timezone", "day_start", "created_at")
"""Of companies: there are hundreds, and nobody asks for these."""


@dataclass(frozen=True)
class Figure:
    """A number of the period and of the one before (None: there is none, as of no working days)."""

    now: float | None
    before: float | None

    @property
    def change(self) -> float | None:
        """Relative change; None where the base is missing or 0."""
        if self.now is None or not self.before:
            return None
        return self.now / self.before - 1


@dataclass(frozen=True)
class Usage:
    """The figures of one place. The lists run over `period.shown`."""

    place: Organization
    period: Period
    staff: int
    """Human members today."""
    active: Figure
    daily_active: Figure
    page_views: Figure
    actions: Figure
    days: Mapping[date, Day]
    working: frozenset[date]
    """The working days from the start of the period before (or four weeks earlier) to the last day shown."""
    people_per_day: tuple[int, ...]
    views_per_day: tuple[int, ...]
    people_4_weeks_before: tuple[int, ...]
    views_4_weeks_before: tuple[int, ...]
    working_days: int
    working_days_before: int
    known_from: date | None
    """The first date of which the record tells anything."""
    comparable: bool
    """Whether the record reaches back to the start of the period before; else nothing is compared."""

    @property
    def empty(self) -> bool:
        """Nothing ever happened here, neither in the period nor before."""
        return self.known_from is None


@dataclass(frozen=True)
class Part:
    """A company of a park or a department of a company in the period. Figures are None where the group is hidden."""

    place: Organization
    staff: int
    active: Figure
    daily_active: Figure
    events: Figure
    weeks: tuple[int, ...]
    """Distinct people per week of the last ten weeks."""
    hidden: bool = False

    @property
    def share(self) -> float | None:
        """Active people of the staff; at most 1, as people who left may have been active."""
        return None if self.hidden or not self.staff else min(1.0, (self.active.now or 0) / self.staff)


class Reach(TypedDict):
    """The companies and departments (ids) whose events are a place's, as the engine's reads take them."""

    companies: Collection[int] | None
    departments: Collection[int] | None


def reach(place: Organization) -> Reach:
    """What to ask the engine for, to hear of a place and all below it."""
    if place.kind == Kind.PARK:
        below = Organization.objects.filter(path__startswith=place.path, kind=Kind.COMPANY)
        return {"companies": sorted(below.values_list("pk", flat=True)), "departments": None}
    if place.kind == Kind.COMPANY:
        return {"companies": [place.pk], "departments": None}
    below = Organization.objects.filter(path__startswith=place.path)
    return {"companies": [place.company_id or 0], "departments": sorted(below.values_list("pk", flat=True))}


def staff_of(places: Collection[Organization], today: date) -> dict[int, int]:
    """Human members today of each place with all below it, by organization id."""
    return Staff(today).of(places)


def usage(
    log: ActivityLog, place: Organization, period: Period, staff: Staff | None = None, where: Reach | None = None
) -> Usage:
    """The figures of a place (park, company, department or team); `staff`: the people of today, if read already, and
    `where`: its reach."""
    was_first, was_last = period.before
    where = where or reach(place)
    days = day_kinds_between(place, min(was_first, period.first - FOUR_WEEKS), period.shown_last)
    everything = _everything(log, period, where)
    views = daily(log, first=everything.days[0], last=period.shown_last, events=[PAGE_VIEW], **where)
    (events, now), (events_then, then) = everything.spans
    seen, seen_before = _events(views, period.first, period.last), _events(views, was_first, was_last)
    known = extent(log, companies=where["companies"])
    comparable = known is not None and known[0] <= was_first
    working = frozenset(day for day, kind in days.items() if kind.works)
    return Usage(
        place=place,
        period=period,
        staff=(staff or Staff(period.today)).of([place])[place.pk],
        active=Figure(now, then if comparable else None),
        daily_active=Figure(
            _mean(everything, period.first, period.last, working),
            _mean(everything, was_first, was_last, working) if comparable else None,
        ),
        page_views=Figure(seen, seen_before if comparable else None),
        actions=Figure(events - seen, events_then - seen_before if comparable else None),
        known_from=known[0] if known else None,
        comparable=comparable,
        days={day: days[day] for day in period.shown},
        working=working,
        people_per_day=_slice(everything, everything.people, period.first, period.shown_last),
        views_per_day=_slice(views, views.events, period.first, period.shown_last),
        people_4_weeks_before=_slice(
            everything, everything.people, period.first - FOUR_WEEKS, period.shown_last - FOUR_WEEKS
        ),
        views_4_weeks_before=_slice(views, views.events, period.first - FOUR_WEEKS, period.shown_last - FOUR_WEEKS),
        working_days=sum(period.first <= day <= period.last for day in working),
        working_days_before=sum(was_first <= day <= was_last for day in working),
    )


def _everything(log: ActivityLog, period: Period, where: Reach) -> Daily:
    """Every day that the figures of a period are told from; its spans are the period and the one before."""
    start = min(period.before[0], period.first - FOUR_WEEKS)
    spans = (period.first, period.last), period.before
    return daily(log, first=start, last=period.shown_last, spans=spans, **where)


def parts(
    log: ActivityLog,
    viewer: Viewer,
    place: Organization,
    period: Period,
    staff: Staff | None = None,
    working: Collection[date] | None = None,
) -> list[Part]:
    """The companies of a park or the departments of a company, by name, as far as the viewer may see totals there.

    Groups that are too small for the viewer are listed with their figures hidden. `working`: the working days of the
    place in the period and the one before, if read already.
    """
    if place.kind == Kind.PARK:
        return companies(log, viewer, period, below=place, staff=staff, working=working)
    if place.kind != Kind.COMPANY:
        return []
    children = list(Organization.objects.filter(parent=place).order_by("name"))
    listed = _parts(log, children, period, staff or Staff(period.today), within=place, working=working)
    if viewer.may(Deed.SEE_PEOPLE, place):
        return listed
    hidden = hide_small({part.place.pk: part.staff for part in listed}).hidden
    nothing = Figure(None, None)
    return [
        Part(part.place, part.staff, nothing, nothing, nothing, (), hidden=True) if part.place.pk in hidden else part
        for part in listed
    ]


def companies(
    log: ActivityLog,
    viewer: Viewer,
    period: Period,
    below: Organization | None = None,
    staff: Staff | None = None,
    working: Collection[date] | None = None,
) -> list[Part]:
    """The companies (of a park) whose totals the viewer may see, by name; who sees totals only, sees no small ones."""
    allowed = viewer.companies(Deed.SEE_TOTALS).filter(path__startswith=below.path if below else "/")
    nothing = Figure(None, None)
    return [
        part
        if may_see_group(viewer, part.place, part.staff)
        else Part(part.place, part.staff, nothing, nothing, nothing, (), hidden=True)
        for part in _parts(
            log, list(allowed.defer(*NOT_SHOWN).order_by("name")), period, staff or Staff(period.today), working=working
        )
    ]


def _parts(
    log: ActivityLog,
    children: list[Organization],
    period: Period,
    staff: Staff,
    within: Organization | None = None,
    working: Collection[date] | None = None,
) -> list[Part]:
    if not children:
        return []
    ids = sorted(one.pk for one in children)
    inside = within.pk if within else None
    if working is None:
        kinds = day_kinds_between(within or children[0].parent, period.before[0], period.last)
        working = {day for day, kind in kinds.items() if kind.works}
    weeks_first = period.today - timedelta(days=period.today.weekday() + 7 * WEEKS_OF_SPARK)
    weeks_last = weeks_first + timedelta(days=7 * WEEKS_OF_SPARK - 1)
    of: dict[str, Any] = {"companies": None if within else ids, "within": inside}
    now, then = places(log, spans=[(period.first, period.last), period.before], week_start=None, **of)
    (sparks,) = places(log, spans=[(weeks_first, weeks_last)], **of)
    rows, rows_before = {row.id: row for row in now.rows}, {row.id: row for row in then.rows}
    weeks = {row.id: row.weekly_people for row in sparks.rows}
    members = staff.of(children)
    listed = []
    here = [rows.get(child.pk) or _nothing(child.pk, now.days) for child in children]
    before = [rows_before.get(child.pk) or _nothing(child.pk, then.days) for child in children]
    means = zip(now.per_working_day_of(here, working), then.per_working_day_of(before, working), strict=True)
    for child, row, row_before, daily_active in zip(children, here, before, means, strict=True):
        if child.closed_at and not (row.events or row_before.events):
            continue
        listed.append(
            Part(
                place=child,
                staff=members[child.pk],
                active=Figure(row.people, row_before.people),
                daily_active=Figure(*daily_active),
                events=Figure(row.events, row_before.events),
                weeks=weeks.get(child.pk, ()),
            )
        )
    return listed


@dataclass(frozen=True)
class Tool:
    """A category of the catalogue, or a name that has none: who used it in the period."""

    name: str
    people: int
    share: float
    """Of the active people."""
    share_before: float


def tools(
    log: ActivityLog, place: Organization, period: Period, limit: int = 8, where: Reach | None = None
) -> list[Tool]:
    """The categories most people used, with the share of the active people, now and before; `where`: as of `usage`."""
    active = EventType.objects.filter(counts_as_active=True).exclude(category="")
    categories = dict(active.order_by("name").values_list("name", "category"))
    where = where or reach(place)
    spans = (period.first, period.last), period.before
    (_, now), (_, then) = _everything(log, period, where).spans
    used, used_before = (
        {
            row.name: row.people
            for row in top(
                log, of="event", first=first, last=last, limit=len(categories), groups=categories, **where
            ).rows
        }
        for first, last in spans
    )
    found = [
        Tool(name, people, people / now if now else 0.0, used_before.get(name, 0) / then if then else 0.0)
        for name, people in used.items()
        if people
    ]
    return sorted(found, key=lambda tool: (-tool.people, tool.name))[:limit]


@dataclass(frozen=True)
class PersonUsage:
    """One person of a place. `per_day` runs over the last 30 days of the period."""

    person: Person
    department: Organization | None
    events: int
    active_days: int
    last_day: date | None
    per_day: tuple[int, ...]


def people_of(
    log: ActivityLog, viewer: Viewer, place: Organization, period: Period, where: Reach | None = None
) -> list[PersonUsage]:
    """Everybody who belongs to the place today, and whoever was active there in the period.

    Only for those who may see people there; others get an empty list.
    """
    if not viewer.may(Deed.SEE_PEOPLE, place):
        return []
    found = {
        row.person: row for row in people(log, first=period.first, last=period.last, **(where or reach(place))).rows
    }
    members = dict(
        Membership.objects.on(period.today)
        .filter(organization__path__startswith=place.path)
        .order_by("from_date", "pk")
        .values_list("person_id", "organization_id")
    )
    wanted = set(members) | {key for key, row in found.items() if row.events}
    known = Person.objects.visible_to(viewer).filter(kind=PersonKind.HUMAN).in_bulk(sorted(wanted))
    organizations = Organization.objects.in_bulk(sorted(set(members.values())))
    listed = []
    for key, person in known.items():
        row = found.get(key)
        listed.append(
            PersonUsage(
                person=person,
                department=organizations.get(members.get(key, 0)),
                events=row.events if row else 0,
                active_days=row.active_days if row else 0,
                last_day=row.last_day if row else None,
                per_day=row.per_day if row else (),
            )
        )
    return listed


@dataclass(frozen=True)
class Named:
    """An event's name with how often it happened."""

    name: str
    events: int
    people: int


def names_of(
    log: ActivityLog,
    period: Period,
    *,
    where: Reach | None = None,
    persons: Collection[int] | None = None,
    companies: Collection[int] | None = None,
    limit: int = 8,
) -> list[Named]:
    """The most frequent names of events of a place (by its reach) or of people, in the period."""
    where = where or {"companies": companies, "departments": None}
    rows = top(log, of="event", first=period.first, last=period.last, persons=persons, limit=limit, **where).rows
    return [Named(row.name, row.events, row.people) for row in rows]


def _slice(found: Daily, values: tuple[int, ...], first: date, last: date) -> tuple[int, ...]:
    start = (first - found.days[0]).days
    return values[start : start + (last - first).days + 1]


def _events(found: Daily, first: date, last: date) -> int:
    return sum(_slice(found, found.events, first, last))


def _mean(found: Daily, first: date, last: date, working: Collection[date]) -> float | None:
    counts = [
        number for day, number in zip(found.days, found.people, strict=True) if first <= day <= last and day in working
    ]
    return sum(counts) / len(counts) if counts else None


def _nothing(key: int, days: tuple[date, ...]) -> Place:
    return Place(key, 0, 0, 0, (0,) * len(days), ())
