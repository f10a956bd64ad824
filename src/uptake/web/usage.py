"""How figures of usage are shown on Overview and Activity: strips, charts, tables and the choice of a period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal
from urllib.parse import urlencode

from django.db.models import Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from uptake.activity import ActivityLog
from uptake.directory.calendar import Day
from uptake.directory.models import DayKind, Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import EventType
from uptake.insight.metrics.coverage import Covered, coverage, untold_since
from uptake.insight.metrics.period import LENGTHS, USUAL, NotAPeriod, Period, last_days, period_of
from uptake.insight.metrics.staff import Staff
from uptake.insight.metrics.usage import FOUR_WEEKS, Figure, Usage, reach
from uptake.programme.aside import read_so_far
from uptake.programme.models import Award, RulebookVersion
from uptake.web import numbers
from uptake.web.parts import Change, Chart, Kpi, Mark, Series, Shade
from uptake.web.remembered import remembered

Height = Literal["low", "middle", "high"]
COVERED_SECONDS = 60
POINTS_SECONDS = 3600
"""How long a sum of points is kept that no bookmark has moved past."""
FEW = 20
"""Below this number of people a change in percent says more than is known; the change in people is shown instead."""


@dataclass(frozen=True)
class Choice:
    """One entry of a chooser: its name, its address and whether it is the one in force."""

    name: str
    href: str
    on: bool


@dataclass(frozen=True)
class Chosen:
    """The period a page shows, how it is compared, and the ways to change both."""

    period: Period
    compare: bool
    error: str
    lengths: list[Choice]
    comparing: Choice
    beside: Choice
    """The park's median instead of the period before."""


def chosen_period(request: HttpRequest, place: Organization | None, usual: int = USUAL) -> Chosen:
    """The period of the address (days, or from and to; compare=none or park), by the clock of the place; named none:
    the last `usual` days."""
    today = settings_at(place).date_of(timezone.now())
    given = {name: request.GET.get(name, "").strip() for name in ("days", "from", "to")}
    if not any(given.values()):
        given["days"] = str(usual)
    error = ""
    try:
        period = period_of(given, today)
    except NotAPeriod:
        period = last_days(usual, today)
        error = _("That is no period: choose two dates, the first before the second, not after today, within a year.")
    said = request.GET.get("compare")
    compare = said not in ("none", "park")
    lengths = [
        Choice(
            _("Last %(n)s days") % {"n": n}, _address(request, days=str(n), **{"from": "", "to": ""}), period.named == n
        )
        for n in LENGTHS
    ]
    other = _address(request, compare="none" if compare else "")
    before = Choice(_("vs previous %(n)s") % {"n": period.days}, other, compare)
    park = _address(request, compare="none" if said == "park" else "park")
    beside = Choice(_("vs the park's median"), park, said == "park")
    return Chosen(period, compare, error, lengths, before, beside)


def _address(request: HttpRequest, **changed: str) -> str:
    query = {name: values for name, values in request.GET.lists() if name != "page"}
    query.update((name, [value]) for name, value in changed.items())
    return "?" + urlencode([(name, value) for name, values in query.items() for value in values if value])


def written_period(usage: Usage) -> str:
    """14 Apr – 13 May 2026. 20 working days, 21 in the period before; Labour Day is shaded."""
    period = usage.period
    first, last = numbers.ends(period.first, period.last)
    span = _("%(first)s – %(last)s.") % {"first": first, "last": last}
    working = ngettext("%(n)s working day", "%(n)s working days", usage.working_days) % {"n": usage.working_days}
    if not usage.comparable and usage.known_from is not None:
        since_when = numbers.day(usage.known_from)
        days = _("%(days)s. The record begins on %(day)s, so there is no period before to compare with.") % {
            "days": working,
            "day": since_when,
        }
    elif usage.working_days == usage.working_days_before:
        days = _("%(days)s, as many as in the period before.") % {"days": working}
    else:
        days = _("%(days)s, %(before)s in the period before.") % {"days": working, "before": usage.working_days_before}
    return _("%(first)s %(second)s") % {"first": span, "second": days}


def change_of(figure: Figure, base: str = "", *, people: bool = False, good: bool | None = True) -> Change | None:
    """The change of a figure: in percent, or in people where there were fewer than 20. `good`: whether up is good."""
    if figure.now is None or figure.before is None:
        return None
    gap = figure.now - figure.before
    up = None if not gap else gap > 0
    meaning = None if up is None or good is None else up is good
    if people and figure.before < FEW:
        whole = float(gap).is_integer()
        if abs(gap) < 0.05:
            return Change("±0" if whole else "±0.0", base, None, None)
        return Change(numbers.signed(gap, 0 if whole else 1), base, up, meaning)
    relative = figure.change
    if relative is None:
        return None
    if abs(relative) < 0.0005:
        return Change("±0.0%", base, None, None)
    return Change(numbers.signed(relative * 100, 1) + "%", base, up, meaning)


def kpis(usage: Usage, compare: bool, points: Figure | None) -> list[Kpi]:
    """The strip: active, daily active, page views, actions, actions per active person, points paid."""
    daily = usage.daily_active
    actions = usage.actions.now or 0
    each = actions / usage.active.now if usage.active.now else None
    each_before = usage.actions.before / usage.active.before if usage.actions.before and usage.active.before else None
    of_staff = _("of %(n)s people") % {"n": numbers.full(usage.staff)}

    def change(figure: Figure, base: str = "", people: bool = False) -> Change | None:
        return change_of(figure, base, people=people) if compare else None

    strip = [
        Kpi(
            _("Active users · UV"),
            numbers.full(usage.active.now),
            change=change(usage.active, of_staff, people=True),
            note=of_staff,
            hint=_("Different people with at least one event that counts as activity in the period."),
        ),
        Kpi(
            _("Daily active"),
            numbers.full(daily.now, 1) if daily.now is not None else "–",
            change=change(daily, _("per working day"), people=True),
            note=_("per working day"),
            hint=_("The mean number of active people over the working days of the period."),
            spark=_working(usage, usage.people_per_day),
        ),
        Kpi(
            _("Page views · PV"),
            numbers.compact(usage.page_views.now),
            change=change(usage.page_views),
            note=_("in the period"),
            spark=_working(usage, usage.views_per_day),
        ),
        Kpi(
            _("Actions"),
            numbers.compact(actions),
            change=change(usage.actions),
            note=_("in the period"),
            hint=_("Events other than page views that count as activity."),
        ),
        Kpi(
            _("Actions per active person"),
            numbers.full(each, 1) if each is not None else "–",
            change=change(Figure(each, each_before)),
            note=_("in the period"),
        ),
    ]
    if points is not None:
        strip.append(
            Kpi(
                _("Points paid"),
                numbers.compact(points.now),
                change=change_of(points, good=None) if compare and usage.comparable else None,
                note=_("in the period"),
            )
        )
    return strip


def _working(usage: Usage, values: Sequence[int]) -> list[float | None]:
    """The values of whole working days: weekends would only draw a saw."""
    return [
        value
        for (day, kind), value in zip(usage.days.items(), values, strict=True)
        if kind.works and day <= usage.period.last
    ]


def covered_at(log: ActivityLog, place: Organization, today: date) -> list[Covered]:
    """The sources of the companies at a place (of a department: its company's), and whether they are alive."""
    asked = ("coverage", place.path, today)
    return remembered((place.path,), asked, lambda: coverage(log, place, today), seconds=COVERED_SECONDS, ahead=True)


def untold_at(log: ActivityLog, place: Organization, today: date) -> dict[int, date | None]:
    """The companies (ids) of which no use cannot be told from no data, and since when; see `untold_since`."""
    return untold_since(covered_at(log, place, today))


def untold_of(place: Organization, *untold: Mapping[int, date | None]) -> str:
    """That no data comes from the company of a place, and since when; empty: data comes."""
    key = place.pk if place.kind == Kind.COMPANY else place.company_id or 0
    return next((no_data(one[key]) for one in untold if key in one), "")


def no_data(since_day: date | None) -> str:
    """That no data comes, and since when."""
    return _("no data since %(day)s") % {"day": numbers.day(since_day)} if since_day else _("no data")


def staff_on(viewer: Viewer, place: Organization, today: date) -> Staff:
    """The people of a place and of all below it."""

    def counted() -> Staff:
        staff = Staff(today)
        staff.of([place])
        return staff

    return remembered(viewer.paths(Deed.SEE_TOTALS), ("staff", place.path, today), counted, ahead=True)


def points_of(viewer: Viewer, place: Organization, period: Period) -> Figure | None:
    """The points paid at a park or company, now and before; None for a department, which has no book of its own."""
    scope = viewer.paths(Deed.SEE_TOTALS)
    # awards change in the transactions that tell how far events were considered, and in no other
    asked = ("points", place.path, period.first, period.last, read_so_far())
    return remembered(scope, asked, lambda: points_paid(reach_of(place), period), seconds=POINTS_SECONDS)


def points_paid(company_ids: Sequence[int] | None, period: Period) -> Figure | None:
    """Points that awards of the companies (ids) stand at, by business date, now and before; None without companies."""
    if company_ids is None:
        return None
    paid = Award.objects.paid().filter(company_id__in=company_ids)

    def between(first: date, last: date) -> int:
        return int(paid.filter(date__range=(first, last)).aggregate(n=Sum("points"))["n"] or 0)

    return Figure(between(period.first, period.last), between(*period.before))


def chart_of(
    usage: Usage, *, what: str, name: str, marks: Sequence[Mark], compare: bool, height: Height = "middle"
) -> Chart:
    """People (uv) or page views (pv) per day: rest days pale, holidays shaded, today open, a tick four weeks before."""
    values = usage.people_per_day if what == "uv" else usage.views_per_day
    ticks = usage.people_4_weeks_before if what == "uv" else usage.views_4_weeks_before
    days = usage.period.shown
    labels = [numbers.day(day, year=False) for day in days]
    title = _("Active users per day") if what == "uv" else _("Page views per day")
    series = [
        Series(
            name=title,
            values=values,
            tone="c1" if what == "uv" else "c3",
            pale=[index for index, day in enumerate(days) if not usage.days[day].works],
            open=[index for index, day in enumerate(days) if day == usage.period.today],
        )
    ]
    if compare and usage.known_from is not None:
        earlier = [day - FOUR_WEEKS for day in days]
        known = [tick if day >= usage.known_from else None for tick, day in zip(ticks, earlier, strict=True)]
        series.append(Series(name=_("Same weekday, 4 weeks earlier"), values=known, shape="tick", tone="ink"))
    return Chart(
        id=name,
        label=title,
        labels=labels,
        series=series,
        shades=shades_of(usage.days, days),
        marks=marks,
        axis=_("Day"),
        height=height,
    )


def shades_of(kinds: Mapping[date, Day], days: Sequence[date]) -> list[Shade]:
    """Stretches of public holidays, each with its name, over the positions of `days`."""
    shades: list[Shade] = []
    for index, day in enumerate(days):
        kind = kinds[day]
        if kind.kind != DayKind.HOLIDAY:
            continue
        if shades and shades[-1].end == index - 1:
            shades[-1] = Shade(shades[-1].start, index, shades[-1].label)
        else:
            shades.append(Shade(index, index, _plain(kind.label)))
    return shades


def _plain(name: str) -> str:
    """The holiday's name without what stands in brackets or after a semicolon (observed, day 2 …)."""
    for sign in ("(", "（", ";", "；"):
        name = name.partition(sign)[0]
    return name.strip()


@lru_cache(maxsize=10_000)
def way_to(slug: str) -> str:
    """The address of a place's page."""
    return reverse("activity:place", args=[slug])


def rule_marks(place: Organization, days: Sequence[date]) -> list[Mark]:
    """Where a new rulebook came into force in the days shown."""
    found = RulebookVersion.objects.applying_to(place).filter(in_force_date__range=(days[0], days[-1]))
    dates = found.order_by("in_force_date", "number").values_list("in_force_date", "number")
    return [Mark((day - days[0]).days, _("Rules %(n)s in force") % {"n": number}) for day, number in dates]


def labels_of(names: Sequence[str]) -> dict[str, str]:
    """What the catalogue calls events in the reader's language, by name; the name itself where it says nothing."""
    chinese = numbers.chinese()
    known = {
        one.name: (one.label_zh if chinese else one.label_en) or one.label_en or one.label_zh
        for one in EventType.objects.filter(name__in=names)
    }
    return {name: known.get(name) or name for name in names}


def since(day: date | None, today: date) -> str:
    """Today, yesterday, 5 days ago; never."""
    if day is None:
        return _("Never")
    gap = (today - day) // timedelta(days=1)
    if gap <= 0:
        return _("Today")
    return ngettext("Yesterday", "%(n)s days ago", gap) % {"n": gap}


CATEGORIES: Mapping[str, Promise] = {
    "access": gettext_lazy("Access"),
    "pages": gettext_lazy("Pages"),
    "orders": gettext_lazy("Orders"),
    "stock": gettext_lazy("Stock"),
    "purchasing": gettext_lazy("Purchasing"),
    "quality": gettext_lazy("Quality checks"),
    "finance": gettext_lazy("Finance"),
    "planning": gettext_lazy("Planning"),
    "production": gettext_lazy("Production"),
    "reports": gettext_lazy("Reports"),
    "learning": gettext_lazy("Learning"),
}
"""Names of usual categories; a category of one's own is shown as it is written in the catalogue."""


def category(name: str) -> str:
    """What a category of the catalogue is called in the reader's language."""
    return str(CATEGORIES.get(name, name))


def share_change(gap: float) -> Change:
    """The change of a share, in points; up is good."""
    if abs(gap) < 0.0005:
        return Change("±0.0", "", None, None)
    return Change(numbers.signed(gap * 100, 1), "", gap > 0, gap > 0)


def reach_of(place: Organization) -> list[int] | None:
    """The companies (ids) whose points are the place's; None for a department, which has no book of its own."""
    if place.kind not in (Kind.PARK, Kind.COMPANY):
        return None
    return list(reach(place)["companies"] or ())
