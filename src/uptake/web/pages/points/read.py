"""What the page of points shows, read for one person: figures, weeks, sources, and the awards with their reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Sum

from uptake.basics.business_day import Clock
from uptake.directory.models import Organization, Person
from uptake.directory.place import memberships_of, settings_at, span_on
from uptake.ledger.balances import Points, outlook_of, points_of
from uptake.ledger.models import Entry, Kind
from uptake.programme.in_force import parsed
from uptake.programme.models import Award
from uptake.programme.rulebook import RuleVersion
from uptake.web.pages.points.named import BY_AWARDS, what_of

WEEKS: Final = 12
SOURCES_SHOWN: Final = 8
NAMED: Final = ("rulebook_id", "rulebook__sha256", "rule", "version")


@dataclass(frozen=True)
class Home:
    """Where a person's points live today: the company whose book it is, the group worked in, the clock, the date."""

    person_id: int
    company: Organization
    place: Organization
    clock: Clock
    today: date

    @property
    def zone(self) -> str:
        """The time zone there today."""
        return self.clock.on(self.today).zone


@dataclass(frozen=True)
class Week:
    start: date
    points: int
    now: bool
    height: float
    """Of 100."""
    x: float

    @property
    def top(self) -> float:
        return round(103 - self.height, 1)


@dataclass(frozen=True)
class Source:
    """What points came from: a rule, or something else that is given (`rule` is empty then)."""

    rule: str
    title: str
    points: int


@dataclass(frozen=True)
class Summary:
    """The left column of the page."""

    points: Points
    month: int
    """Given in the current month, by business date: net of what rules gave, and whatever else was given."""
    weeks: Sequence[Week]
    sources: Sequence[Source]
    most: int
    """The largest of the sources, for the bars."""
    expiring: Sequence[tuple[date, int]]
    """All last dates, the soonest first."""
    postponed: Sequence[tuple[int, int]]
    """(days, points that everything one does lets live so many days longer)."""
    maturing: Sequence[tuple[date, int]]
    """Pending points with the date on which they can be spent."""
    elsewhere: Sequence[tuple[Organization, int]]
    """Points in the books of companies one belonged to before."""


def home_of(person: Person, now: datetime) -> Home | None:
    """Where the person's points live; None for one who belongs to no company and has no points."""
    spans = memberships_of([person.pk]).get(person.pk, [])
    day = now.date() + timedelta(days=1)
    span = span_on([one for one in spans if one.company_id is not None], day) or (
        max((one for one in spans if one.company_id), key=lambda one: one.from_date, default=None)
    )
    company_id = span.company_id if span else None
    if company_id is None:
        company_id = Award.objects.filter(person=person).values_list("company_id", flat=True).order_by("-pk").first()
    if company_id is None:
        return None
    places = Organization.objects.in_bulk({company_id, span.organization_id if span else company_id})
    company = places[company_id]
    place = places[span.organization_id] if span else company
    clock = settings_at(company)
    return Home(person.pk, company, place, clock, clock.date_of(now))


def summary_of(person: Person, home: Home, now: datetime) -> Summary:
    """The figures of one person. A handful of queries, whatever the number of awards."""
    outlook = outlook_of(book=home.company.pk, owner=str(person.pk), now=now)
    maturing: dict[date, int] = defaultdict(int)
    for at, points in outlook.maturing:
        maturing[home.clock.date_of(at)] += points
    month_start = home.today.replace(day=1)
    this_week = home.today - timedelta(days=home.today.weekday())
    first = this_week - timedelta(weeks=WEEKS - 1)
    mine = Award.objects.filter(person=person, company=home.company, points__gt=0)
    by_day = (
        mine.filter(date__gte=min(first, month_start), date__lte=home.today).values("date").annotate(sum=Sum("points"))
    )
    per_week: dict[date, int] = defaultdict(int)
    month = 0
    for row in by_day.values_list("date", "sum"):
        per_week[row[0] - timedelta(days=row[0].weekday())] += row[1]
        month += row[1] if row[0] >= month_start else 0
    others: dict[str, int] = defaultdict(int)
    for day, title, points in _given_beside(person, home, min(first, month_start)):
        per_week[day - timedelta(days=day.weekday())] += points
        if day >= month_start:
            month += points
            others[title] += points
    starts = [first + timedelta(weeks=nth) for nth in range(WEEKS)]
    top = max([per_week[start] for start in starts] + [1])
    weeks = [
        Week(
            start, per_week[start], start == this_week, round(100 * per_week[start] / top, 1), round(nth * 100 / 12, 2)
        )
        for nth, start in enumerate(starts)
    ]
    rows = (
        mine.filter(date__gte=month_start, date__lte=home.today)
        .values(*NAMED)
        .annotate(sum=Sum("points"))
        .order_by("-sum")
    )
    sources: dict[str, Source] = {}
    for row in rows:
        known = sources.get(row["rule"])
        title = known.title if known else title_of(*(row[key] for key in NAMED))
        sources[row["rule"]] = Source(row["rule"], title, row["sum"] + (known.points if known else 0))
    beside = [Source("", title, points) for title, points in others.items()]
    ranked = sorted([*sources.values(), *beside], key=lambda source: (-source.points, source.title))[:SOURCES_SHOWN]
    return Summary(
        points=outlook.points,
        month=month,
        weeks=weeks,
        sources=ranked,
        most=max((source.points for source in ranked), default=1),
        expiring=outlook.expiring,
        postponed=outlook.postponed,
        maturing=sorted(maturing.items()),
        elsewhere=_elsewhere(person, home, now),
    )


def _given_beside(person: Person, home: Home, first: date) -> Iterator[tuple[date, str, int]]:
    """(business date, what it is called, points) of what no rule gave from a date on: prizes, thanks and the like."""
    rows = Entry.objects.filter(
        book=home.company.pk,
        owner=str(person.pk),
        kind=Kind.GRANTED,
        effective_at__gte=home.clock.start_of(first),
    ).exclude(key__startswith=BY_AWARDS)
    for at, cause, points in rows.values_list("effective_at", "cause", "points"):
        day = home.clock.date_of(at)
        if day <= home.today:
            yield day, what_of(Kind.GRANTED, cause.partition("/")[0]), points


def _elsewhere(person: Person, home: Home, now: datetime) -> list[tuple[Organization, int]]:
    others = Organization.objects.filter(
        pk__in=Award.objects.filter(person=person).exclude(company=home.company).values("company_id").distinct()
    )
    owner = str(person.pk)
    found = [(place, points_of(book=place.pk, owners=[owner], now=now)[owner]) for place in others.order_by("name")]
    return [(place, points.available + points.pending) for place, points in found if points.available + points.pending]


def rule_of(rulebook_id: int, sha256: str, rule: str, version: int) -> RuleVersion | None:
    """The wording that an award went by."""
    for candidate in parsed(rulebook_id, sha256).rules:
        if candidate.rule == rule and candidate.version == version:
            return candidate
    return None


def title_of(rulebook_id: int, sha256: str, rule: str, version: int) -> str:
    found = rule_of(rulebook_id, sha256, rule, version)
    return titled(found) if found else rule


def titled(rule: RuleVersion) -> str:
    """Its title; the lineage where it has none."""
    return rule.title or rule.rule


def used_today(home: Home) -> dict[str, tuple[int, int]]:
    """(points, paid awards) of today by rule lineage: what caps count."""
    rows = Award.objects.filter(person_id=home.person_id, company=home.company, date=home.today, points__gt=0)
    used: dict[str, tuple[int, int]] = {}
    for lineage, points in rows.values_list("rule", "points"):
        before = used.get(lineage, (0, 0))
        used[lineage] = (before[0] + points, before[1] + 1)
    return used
