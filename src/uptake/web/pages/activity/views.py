"""Activity of a place: figures, the days, the places and people below; and of one person, down to the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from uptake.activity import ActivityLog
from uptake.directory.audit import note
from uptake.directory.models import Kind, Organization, Person
from uptake.directory.privacy import may_see_group
from uptake.directory.scope import Deed, Viewer
from uptake.events.models import Event
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.person import person_usage
from uptake.insight.metrics.states import State, measure_at, rhythms_of, state_of
from uptake.insight.metrics.usage import Part, PersonUsage, companies, names_of, parts, people_of, reach, usage
from uptake.web import numbers
from uptake.web.parts import Change, Chart, Kpi, Series
from uptake.web.restating import restated_days
from uptake.web.sheets import Cell, as_csv, as_xlsx
from uptake.web.templatetags.face import initials
from uptake.web.usage import (
    change_of,
    chart_of,
    chosen_period,
    kpis,
    labels_of,
    points_of,
    rule_marks,
    shades_of,
    since,
    staff_on,
    untold_at,
    untold_of,
    way_to,
    written_period,
)
from uptake.web.viewing import login_required, needs, viewer_for

PEOPLE_A_PAGE = 50
PLACES_A_PAGE = 50
EVENTS_SHOWN = 50


@dataclass(frozen=True)
class PlaceRow:
    """A company or department in the table."""

    part: Part
    change: Change | None
    untold: str = ""
    """That no data comes from there, and since when; empty: data comes."""

    @property
    def href(self) -> str:
        return way_to(self.part.place.slug)


@dataclass(frozen=True)
class Standing:
    """How a state is shown: a word, and a dot of this class; `count` people are in it."""

    key: str
    word: str
    dot: str
    count: int = 0


class PersonRow(NamedTuple):
    """A person in the table, as it is written there: the template takes it apart at once, as there are fifty."""

    href: str
    letters: str
    name: str
    staff_number: str
    department: str
    dot: str
    word: str
    last: str
    per_day: tuple[int, ...]
    days: str
    events: str


def _number(value: float | None) -> float:
    return -1 if value is None else value


PLACE_ORDERS: dict[str, Callable[[Part], Any]] = {
    "name": lambda part: part.place.name,
    "daily": lambda part: _number(part.daily_active.now),
    "change": lambda part: _number(part.daily_active.change),
    "people": lambda part: part.staff,
    "active": lambda part: _number(part.active.now),
    "share": lambda part: _number(part.share),
    "events": lambda part: _number(part.events.now),
}
PERSON_ORDERS: dict[str, Callable[[PersonUsage], Any]] = {
    "name": lambda one: one.person.name,
    "department": lambda one: one.department.name if one.department else "",
    "last": lambda one: one.last_day.toordinal() if one.last_day else 0,
    "days": lambda one: one.active_days,
    "events": lambda one: one.events,
}
WORDS: Mapping[State, Promise] = {
    State.REGULAR: gettext_lazy("Regular"),
    State.SLOWING: gettext_lazy("Slowing"),
    State.SILENT: gettext_lazy("Silent"),
    State.NOT_STARTED: gettext_lazy("Not started"),
    State.UNTOLD: gettext_lazy("No data"),
}
DOTS: Mapping[State, str] = {
    State.REGULAR: "good",
    State.SLOWING: "warn",
    State.SILENT: "bad",
    State.NOT_STARTED: "off",
    State.UNTOLD: "off",
}


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """The highest place one sees; those who see several companies but no park get the list of these."""
    viewer = viewer_for(request)
    tops = list(Organization.objects.filter(path__in=viewer.paths(Deed.SEE_TOTALS)).order_by("name"))
    if viewer.sees_everything(Deed.SEE_TOTALS):
        tops = list(Organization.objects.filter(parent=None).order_by("pk"))
    if len(tops) == 1:
        return redirect("activity:place", tops[0].slug)
    chosen = chosen_period(request, tops[0] if tops else None)
    log = activity_log()
    listed = companies(log, viewer, chosen.period)
    untold = [untold_at(log, top, chosen.period.today) for top in tops]
    rows = [
        PlaceRow(part, change_of(part.daily_active, people=True), untold_of(part.place, *untold))
        for part in _ordered(request, listed)
    ]
    return render(request, "activity/home.html", {"chosen": chosen, "rows": rows, "companies": True})


@needs(Deed.SEE_TOTALS)
def place(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A park, company, department or team."""
    viewer = viewer_for(request)
    here = _place(viewer, slug)
    chosen = chosen_period(request, here)
    log = activity_log()
    staff = staff_on(viewer, here, chosen.period.today)
    where = reach(here)
    found = usage(log, here, chosen.period, staff, where)
    context: dict[str, Any] = {
        "place": here,
        "crumbs": _above(viewer, here),
        "chosen": chosen,
        "usage": found,
        "lead": written_period(found),
        "companies": here.kind == Kind.PARK,
    }
    if not may_see_group(viewer, here, found.staff):
        return render(request, "activity/small.html", context)
    restated = restated_days(request, viewer, here, chosen.period)
    marks = rule_marks(here, chosen.period.shown) + (restated.marks(chosen.period.shown) if restated else [])
    listed = _ordered(request, parts(log, viewer, here, chosen.period, staff, found.working))
    below = Paginator(listed, PLACES_A_PAGE).get_page(request.GET.get("page")) if here.kind == Kind.PARK else None
    untold = untold_at(log, here, chosen.period.today)
    no_data_here = "" if here.kind == Kind.PARK else untold_of(here, untold)
    compare = chosen.compare and not no_data_here
    compared = compare and found.comparable
    park = here.kind == Kind.PARK
    rows = [
        PlaceRow(
            part, change_of(part.daily_active, people=True) if compared else None,
            untold_of(part.place, untold) if park else "",
        )
        for part in (below or listed)
    ]  # fmt: skip
    everyone = people_of(log, viewer, here, chosen.period, where) if not park else []
    states = _states(log, here, chosen.period.today, everyone, told=not no_data_here)
    names = names_of(log, chosen.period, where=where)
    labels = labels_of([name.name for name in names])
    context |= {
        "kpis": kpis(found, compare, points_of(viewer, here, chosen.period)),
        "uv": chart_of(found, what="uv", name="uv", marks=marks, compare=chosen.compare),
        "pv": chart_of(found, what="pv", name="pv", marks=(), compare=chosen.compare, height="low"),
        "rows": rows,
        "below": below,
        "names": [(name, labels[name.name]) for name in names],
        "most": max((name.events for name in names), default=0),
        "may_see_people": viewer.may(Deed.SEE_PEOPLE, here),
        "is_park": here.kind == Kind.PARK,
        "untold": no_data_here,
        "restated": restated,
        "may_look": viewer.may(Deed.MANAGE_DATA, here),
        **_people(request, everyone, states, chosen.period.today, no_data_here),
    }
    return render(request, "activity/place.html", context)


def _states(
    log: ActivityLog, here: Organization, today: date, everyone: list[PersonUsage], *, told: bool
) -> dict[int, State]:
    """Where these people stand today, whatever the period. `told`: whether the data of the company comes in."""
    if not everyone:
        return {}
    measure = measure_at(here, today)
    rhythms = rhythms_of(log, here, measure)
    return {one.person.pk: state_of(rhythms.get(one.person.pk), measure, told=told) for one in everyone}


def _people(
    request: HttpRequest, everyone: list[PersonUsage], states: Mapping[int, State], today: date, untold: str
) -> dict[str, Any]:
    """The list of people, searched, narrowed, sorted and cut into pages. `untold`: that no data comes."""
    counts = Counter(states.values())
    standings = {state: Standing(state.value, str(WORDS[state]), DOTS[state], counts[state]) for state in State}
    wanted_state = next((state for state in State if state.value == request.GET.get("state")), None)
    narrowed = [one for one in everyone if wanted_state in (None, states[one.person.pk])]
    wanted = request.GET.get("q", "").strip().casefold()
    if wanted:
        narrowed = [
            one
            for one in narrowed
            if wanted in one.person.name.casefold() or wanted in one.person.staff_number.casefold()
        ]
    order = request.GET.get("sort", "-events")
    places = {state: place for place, state in enumerate(State)}
    orders = PERSON_ORDERS | {"state": lambda one: places[states[one.person.pk]]}
    key = orders.get(order.removeprefix("-"), PERSON_ORDERS["events"])
    narrowed = sorted(sorted(narrowed, key=PERSON_ORDERS["name"]), key=key, reverse=order.startswith("-"))
    page = Paginator(narrowed, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    in_rows = standings | {State.UNTOLD: replace(standings[State.UNTOLD], word=_word(State.UNTOLD, untold))}
    rows = []
    for one in page.object_list:
        person, standing = one.person, in_rows[states[one.person.pk]]
        rows.append(
            PersonRow(
                reverse("activity:person", args=[person.pk]), initials(person.name), person.name, person.staff_number,
                one.department.name if one.department else "–", standing.dot, standing.word,
                since(one.last_day, today), one.per_day, numbers.full(one.active_days), numbers.full(one.events),
            )
        )  # fmt: skip
    return {
        "page": page,
        "people": rows,
        "everyone": len(everyone),
        "standings": [standings[state] for state in State if state is not State.UNTOLD or counts[state]],
        "state": wanted_state.value if wanted_state else "",
        "q": request.GET.get("q", ""),
    }


def _word(state: State, untold: str) -> str:
    """What a state is called; where no data comes, that it does not."""
    return untold[:1].upper() + untold[1:] if state is State.UNTOLD and untold else str(WORDS[state])


def _ordered(request: HttpRequest, listed: list[Part]) -> list[Part]:
    order = request.GET.get("sort", "-daily")
    key = PLACE_ORDERS.get(order.removeprefix("-"))
    if key is None:
        order, key = "-daily", PLACE_ORDERS["daily"]
    by_name = sorted(listed, key=PLACE_ORDERS["name"])
    return sorted(by_name, key=key, reverse=order.startswith("-"))


@login_required
def person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """One person: figures, days, what they did, and the events behind it. Opening it is written into the audit log."""
    viewer = viewer_for(request)
    one = Person.objects.visible_to(viewer).filter(pk=person_id).first()
    if one is None:
        raise Http404("no such person")
    own = one.pk == viewer.person_id
    places = [
        held.organization
        for held in one.memberships.select_related("organization", "organization__company").order_by(
            "-from_date", "-pk"
        )
    ]
    here = next((each for each in places if viewer.may(Deed.SEE_PEOPLE, each)), places[0] if places and own else None)
    if here is None or not (own or viewer.may(Deed.SEE_EVENTS, here)):
        raise Http404("no such person")
    allowed = None if own else sorted(viewer.companies(Deed.SEE_EVENTS).values_list("pk", flat=True))
    chosen = chosen_period(request, here)
    log = activity_log()
    found = person_usage(log, one.pk, chosen.period, here, allowed)
    names = names_of(log, chosen.period, persons=[one.pk], companies=allowed)
    events = list(
        Event.objects.standing()
        .visible_to(viewer)
        .of_person(one)
        .filter(business_date__range=(chosen.period.first, chosen.period.shown_last))
        .order_by("-happened_at", "-id")[: EVENTS_SHOWN + 1]
    )
    if not own:
        note(
            deed="person.opened",
            actor=viewer,
            organization=here,
            subject=one.name,
            details={"person": one.pk},
            now=timezone.now(),
        )
    labels = labels_of([*(name.name for name in names), *(event.name for event in events)])
    days = chosen.period.shown
    return render(
        request,
        "activity/person.html",
        {
            "one": one,
            "own": own,
            "place": here,
            "crumbs": [*_above(viewer, here), *([here] if viewer.may(Deed.SEE_TOTALS, here) else [])],
            "chosen": chosen,
            "kpis": _person_kpis(found, chosen.period.today),
            "chart": Chart(
                id="days",
                label=_("Events per day"),
                labels=[numbers.day(day, year=False) for day in days],
                series=[
                    Series(
                        name=_("Events"),
                        values=found.events_per_day,
                        pale=[index for index, day in enumerate(days) if not found.days[day].works],
                        open=[index for index, day in enumerate(days) if day == chosen.period.today],
                    )
                ],
                shades=shades_of(found.days, days),
                axis=_("Day"),
            ),
            "names": [(name, labels[name.name]) for name in names],
            "most": max((name.events for name in names), default=0),
            "events": [(event, labels[event.name]) for event in events[:EVENTS_SHOWN]],
            "more": len(events) > EVENTS_SHOWN,
        },
    )


def _person_kpis(found: Any, today: Any) -> list[Kpi]:
    return [
        Kpi(
            _("Days active"),
            numbers.full(found.active_days.now),
            unit=_("of %(n)s working days") % {"n": found.working_days},
            change=change_of(found.active_days, people=True),
        ),
        Kpi(_("Events"), numbers.full(found.events.now), change=change_of(found.events)),
        Kpi(_("Page views · PV"), numbers.full(found.page_views.now), change=change_of(found.page_views)),
        Kpi(_("Last active"), since(found.last_day, today), note=numbers.day(found.last_day) if found.last_day else ""),
    ]


@needs(Deed.SEE_TOTALS)
def export(request: HttpRequest, slug: str, kind: str) -> HttpResponseBase:
    """The places or people below a place, as the page lists them, as CSV or XLSX."""
    viewer = viewer_for(request)
    here = _place(viewer, slug)
    if kind not in ("csv", "xlsx"):
        raise Http404("no such format")
    period = chosen_period(request, here).period
    log = activity_log()
    untold = untold_at(log, here, period.today)
    heads: list[str]
    rows: list[list[Cell]]
    if here.kind in (Kind.PARK, Kind.COMPANY):
        heads = [
            pgettext("of a thing", "Name"),
            _("People"),
            _("Active"),
            _("Active before"),
            _("Daily active"),
            _("Daily active before"),
            _("Events"),
            pgettext("of a source", "Data"),
        ]
        rows = [
            [
                part.place.name,
                part.staff if not part.hidden else None,
                part.active.now,
                part.active.before,
                _round(part.daily_active.now),
                _round(part.daily_active.before),
                part.events.now,
                untold_of(part.place, untold),
            ]
            for part in parts(log, viewer, here, period)
        ]
    else:
        heads = [
            _("Name"),
            _("Staff number"),
            _("Department"),
            _("Status"),
            _("Days active"),
            _("Events"),
            _("Last active"),
        ]
        everyone = people_of(log, viewer, here, period)
        missing = untold_of(here, untold)
        states = _states(log, here, period.today, everyone, told=not missing)
        rows = [
            [
                one.person.name,
                one.person.staff_number,
                one.department.name if one.department else "",
                _word(states[one.person.pk], missing),
                one.active_days,
                one.events,
                one.last_day,
            ]
            for one in everyone
        ]
    name = f"activity-{here.slug}-{period.first}-{period.last}"
    return as_csv(name, heads, rows) if kind == "csv" else as_xlsx(name, heads, rows)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _place(viewer: Viewer, slug: str) -> Organization:
    found = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS), slug=slug).first()
    if found is None:
        raise Http404("no such place")
    return found


def _above(viewer: Viewer, here: Organization) -> list[Organization]:
    """The places above one that the viewer may open, from the top down."""
    ids = [int(key) for key in here.path.split("/") if key][:-1]
    found = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS)).in_bulk(ids)
    return [found[key] for key in ids if key in found]
