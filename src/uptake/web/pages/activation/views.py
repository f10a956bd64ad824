"""What became of the seats of a place: the funnel, the companies or departments, and seat by seat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.models import Kind, Organization, Product
from uptake.directory.place import settings_at
from uptake.directory.privacy import hide_small, may_see_group
from uptake.directory.scope import HIDE_BELOW, Deed, Viewer
from uptake.directory.viewer import ids_of
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.activation import State, Tally
from uptake.insight.metrics.seats import Activation, SeatUse, activation, names_of, products_at
from uptake.insight.metrics.usage import staff_of
from uptake.web import numbers
from uptake.web.meter import Meter
from uptake.web.parts import Kpi
from uptake.web.sheets import Cell, as_csv, as_xlsx
from uptake.web.usage import labels_of, since
from uptake.web.viewing import needs, place_for, viewer_for

SEATS_A_PAGE: Final = 25
UNSEATED_SHOWN: Final = 50
STATES: Final[Mapping[State, str | Promise]] = {
    State.ISSUED: gettext_lazy("issued"),
    State.INVITED: gettext_lazy("invited"),
    State.ACTIVATED: gettext_lazy("activated"),
    State.VALUE: gettext_lazy("first value"),
    State.HABITUAL: gettext_lazy("habitual"),
    State.SILENT: gettext_lazy("silent"),
    State.UNTOLD: gettext_lazy("cannot be told"),
}
TONES: Final[Mapping[State, str]] = {
    State.ACTIVATED: "info",
    State.VALUE: "info",
    State.HABITUAL: "good",
    State.SILENT: "bad",
    State.UNTOLD: "warn",
}
STEPS: Final[Mapping[str, Callable[[SeatUse], bool]]] = {
    "issued": lambda one: True,
    "invited": lambda one: one.judged.activated or one.judged.held.invited is not None,
    "activated": lambda one: one.judged.activated,
    "value": lambda one: one.judged.held.value is not None,
    "habitual": lambda one: one.judged.state == State.HABITUAL,
    "silent": lambda one: one.judged.state == State.SILENT,
    "never": lambda one: not one.judged.activated and one.judged.counts,
    "young": lambda one: one.judged.young and one.judged.state != State.UNTOLD,
    "untold": lambda one: one.judged.state == State.UNTOLD,
}
"""Which seats are behind each number of the page (`?step=`)."""


@dataclass(frozen=True)
class Step:
    """A line of the funnel; counts are None where they are hidden."""

    name: str
    label: str
    count: int | None
    text: str
    """The count as it is told: written, "< 5", or hidden because one of fewer than 5 could be reckoned from it."""
    judged: int | None
    of: int
    share: float | None
    """Of the seats that can be judged."""
    href: str
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """A company or department; figures are None where they are hidden."""

    place: Organization | None
    href: str
    seats: int
    figures: Mapping[str, int | None]
    texts: Mapping[str, str]
    rate: float | None
    median_days: float | None
    hidden: bool = False


@dataclass(frozen=True)
class SeatRow:
    """A seat in the list."""

    one: SeatUse
    name: str
    number: str
    person: int | None
    """Whose events may be opened; None: nobody's."""
    department: str
    product: str
    state: str | Promise
    tone: str
    last: str


@dataclass(frozen=True)
class Stranger:
    """Somebody who uses a product without a seat of it."""

    name: str
    number: str
    person: int | None
    company: str
    product: str
    last: str
    days: int


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """The page of a place: whether the data is there, then what became of the seats."""
    viewer, place = viewer_for(request), place_for(request, Deed.SEE_TOTALS)
    asked = _asked(request, viewer, place)
    if asked is None:
        return render(request, "activity/small.html", {"place": place, "crumbs": []})
    products, chosen, found = asked
    open_ = viewer.may(Deed.SEE_PEOPLE, place)
    context: dict[str, Any] = {
        "place": place,
        "crumbs": _above(viewer, place),
        "products": [(one.slug, name_of(one)) for one in products],
        "chosen": chosen,
        "meter": Meter(found.covered),
        "found": found,
        "open": open_,
        "may_give": viewer.may(Deed.MANAGE_PEOPLE, place),
        "values": ", ".join(labels_of(chosen.core_actions).values()) if chosen else "",
    }
    if found.seats:
        steps, rows, few = _steps(request, found.tally, open_), _rows(request, found, open_), _written(None)
        context |= {
            "kpis": _kpis(request, found, chosen, open_),
            "steps": steps,
            "rows": rows,
            "companies": place.kind == Kind.PARK,
            "hidden": any(step.count is None and step.text != few for step in steps)
            or any(row.figures[name] is None and row.texts[name] != few for row in rows for name in row.figures),
            "left_out": _left_out(request, found.tally, open_),
        }
    if open_:
        context |= _people(request, viewer, found)
    return render(request, "activation/home.html", context)


@needs(Deed.SEE_TOTALS)
def export(request: HttpRequest, format: str) -> HttpResponseBase:
    """The seats as the page lists them; for those who see totals only, the companies or departments."""
    viewer, place = viewer_for(request), place_for(request, Deed.SEE_TOTALS)
    asked = _asked(request, viewer, place)
    if format not in ("csv", "xlsx") or asked is None:
        raise Http404("no such file")
    found = asked[2]
    heads: list[str]
    rows: list[list[Cell]]
    if viewer.may(Deed.SEE_PEOPLE, place):
        heads = [
            _("Name"), _("Staff number"), _("Company"), _("Department"), _("Product"), _("Module"), _("Issued"),
            _("Invited"), _("State"), _("Too young to judge"), _("First used"), _("First value"), _("Last used"),
            _("Days to activate"),
        ]  # fmt: skip
        rows = [
            [
                row.name, row.number, row.one.seat.company.name, row.department, row.product, row.one.seat.module,
                row.one.seat.issued_date, row.one.seat.invited_date, str(row.state),
                _("yes") if row.one.judged.young else "", row.one.judged.held.first, row.one.judged.held.value,
                row.one.last, row.one.judged.days_to_activate,
            ]
            for row in _seat_rows(viewer, _narrowed(request, found), found)
        ]  # fmt: skip
    else:
        heads = [_("Department"), _("Seats"), *(str(label) for label in _labels().values())]
        rows = [
            [row.place.name if row.place else "", *([None] if row.hidden else [row.seats])]
            + [None if row.hidden else row.figures[name] for name in _labels()]
            for row in _rows(request, found, open_=False)
        ]
    name = f"activation-{place.slug}-{found.today}"
    return as_csv(name, heads, rows) if format == "csv" else as_xlsx(name, heads, rows)


def _asked(
    request: HttpRequest, viewer: Viewer, place: Organization
) -> tuple[list[Product], Product | None, Activation] | None:
    """(products of the place, the chosen one, what became of the seats); None: too few people to be shown."""
    today = settings_at(place).date_of(timezone.now())
    if not may_see_group(viewer, place, staff_of([place], today).get(place.pk, 0)):
        return None
    products = [one for one in products_at(place) if _sees(viewer, one, place)]
    slug = request.GET.get("product", "")
    chosen = next((one for one in products if one.slug == slug), None)
    if chosen is None and len(products) == 1:
        chosen = products[0]
    return products, chosen, activation(activity_log(), place, [chosen] if chosen else products, today)


def _sees(viewer: Viewer, product: Product, place: Organization) -> bool:
    """A product of a place above, of this one, or of a company below it."""
    own = product.organization_id in ids_of(place.path)
    return own or viewer.may(Deed.SEE_TOTALS, product.organization)


def name_of(product: Product) -> str:
    """What a product is called in the reader's language."""
    return (product.name_zh if numbers.chinese() else product.name_en) or product.name_en


def _labels() -> dict[str, str]:
    return {
        "issued": _("Issued"),
        "invited": _("Invited"),
        "activated": _("Activated"),
        "value": _("First value"),
        "habitual": _("Habitual"),
        "silent": _("Silent"),
        "never": _("Never used"),
        "young": _("Too young to judge"),
        "untold": _("Cannot be told"),
    }


def _counted(found: Tally) -> dict[str, int]:
    """The counts by step."""
    return {
        "issued": found.seats,
        "invited": found.invited,
        "activated": found.activated,
        "value": found.value,
        "habitual": found.habitual,
        "silent": found.silent,
        "never": found.never,
        "young": found.young,
        "untold": found.untold,
    }


def _counts(found: Tally, open_: bool) -> dict[str, int | None]:
    """The counts by step. Those of 1 to 4 people, and all but 1 to 4, are hidden from who may see totals only."""
    counts = _counted(found)
    if open_:
        return dict(counts)
    return {name: None if _few(count, found.seats) else count for name, count in counts.items()}


def _few(count: int, of: int) -> bool:
    return 0 < count < HIDE_BELOW or 0 < of - count < HIDE_BELOW


def _steps(request: HttpRequest, found: Tally, open_: bool) -> list[Step]:
    counts, counted, labels = _counts(found, open_), _counted(found), _labels()
    judged = {
        "activated": found.judged_activated,
        "value": found.judged_value,
        "habitual": found.judged_habitual,
        "silent": found.judged_silent,
    }
    steps = []
    for name in ("issued", "invited", "activated", "value", "habitual", "silent"):
        among = judged.get(name)
        hidden = counts[name] is None or (among is not None and not open_ and _few(among, found.judged))
        share = among / found.judged if among is not None and found.judged and not hidden else None
        href = _list_of(request, name) if open_ else ""
        tone = "w" if name == "silent" else ""
        count = None if hidden else counts[name]
        text = _told(count, counted[name])
        steps.append(Step(name, labels[name], count, text, among, found.seats, share, href, tone))
    return steps


def _rows(request: HttpRequest, found: Activation, open_: bool) -> list[Row]:
    hidden: frozenset[int] = frozenset()
    if not open_:
        hidden = hide_small({part.place.pk if part.place else 0: part.tally.seats for part in found.parts}).hidden
    rows = []
    for part in found.parts:
        counted = part.tally
        counts = _counts(counted, open_)
        off = (part.place.pk if part.place else 0) in hidden
        telling = open_ or not _few(counted.in_time, counted.judged)
        rows.append(
            Row(
                part.place,
                "" if off or part.place is None else _address(request, at=part.place.slug, step="", page=""),
                counted.seats,
                counts,
                {name: _told(counts[name], one) for name, one in _counted(counted).items()},
                counted.rate if telling and not off else None,
                counted.median_days if (open_ or counts["activated"] is not None) and not off else None,
                hidden=off,
            )
        )
    return rows


def _kpis(request: HttpRequest, found: Activation, chosen: Product | None, open_: bool) -> list[Kpi]:
    counted, counts, true = found.tally, _counts(found.tally, open_), _counted(found.tally)
    median = None if counts["activated"] is None else counted.median_days
    days = chosen.judged_after_days if chosen else None
    telling = open_ or not _few(counted.in_time, counted.judged)

    def href(step: str) -> str:
        return _list_of(request, step) if open_ else ""

    return [
        Kpi(_("Seats"), numbers.full(counted.seats), note=_("held today")),
        Kpi(
            _("Activated in time"),
            numbers.share(counted.rate) if telling and counted.rate is not None else "–",
            note=_("of %(n)s judged") % {"n": numbers.full(counted.judged)},
            hint=_("Seats whose holder came in within %(n)s days of the issue, of those issued at least so long ago.")
            % {"n": days}
            if days
            else _("Seats whose holder came in within the days of the product, of those issued at least so long ago."),
        ),
        Kpi(
            _("Time to activate"),
            "–" if median is None else numbers.full(median),
            unit=_("days") if median is not None else "",
            note=_("not yet half of the seats") if counted.median_days is None else _("half of all seats by then"),
            hint=_("Median by Kaplan-Meier: seats that are not activated yet count as long as they were waited for."),
        ),
        Kpi(
            _("Never used"),
            _told(counts["never"], true["never"]),
            note=_("of those that can be judged"),
            href=href("never"),
        ),
        Kpi(
            _("Silent"),
            _told(counts["silent"], true["silent"]),
            note=_("by the own rhythm of each"),
            hint=_(
                "Used before, but for more than 10 working days and 3 times the holder's own usual gap not any more."
            ),
            href=href("silent"),
        ),
        Kpi(_("Use without a seat"), _people_written(len(found.unseated), open_), note=_("people, last 28 days")),
    ]  # fmt: skip


def _left_out(request: HttpRequest, found: Tally, open_: bool) -> list[tuple[str, str, str]]:
    """(label, count, address) of what rates leave out."""
    counts, counted, labels = _counts(found, open_), _counted(found), _labels()
    return [
        (labels[name], _told(counts[name], counted[name]), _list_of(request, name) if open_ else "")
        for name in ("young", "untold")
        if counts[name] != 0
    ]


def _people(request: HttpRequest, viewer: Viewer, found: Activation) -> dict[str, Any]:
    step = request.GET.get("step", "")
    listed = sorted(
        _narrowed(request, found),
        key=lambda one: (one.last.toordinal() if one.last else 0, one.seat.issued_date, one.seat.pk),
    )
    page = Paginator(listed, SEATS_A_PAGE).get_page(request.GET.get("page"))
    strangers = found.unseated[:UNSEATED_SHOWN]
    names = names_of(viewer, [one.code for one in strangers])
    return {
        "step": step if step in STEPS else "",
        "step_label": _labels().get(step, ""),
        "all": _address(request, step="", page=""),
        "page": page,
        "seats": _seat_rows(viewer, list(page.object_list), found),
        "count": len(listed),
        "strangers": [
            Stranger(
                *names[one.code],
                one.code if one.code > 0 else None,
                one.company.name,
                name_of(one.product),
                since(one.last, found.today),
                one.days,
            )
            for one in strangers
            if one.code in names
        ],
        "strangers_count": len(found.unseated),
        "strangers_more": len(found.unseated) > UNSEATED_SHOWN,
    }


def _narrowed(request: HttpRequest, found: Activation) -> list[SeatUse]:
    fits = STEPS.get(request.GET.get("step", ""), STEPS["issued"])
    return [one for one in found.seats if fits(one)]


def _seat_rows(viewer: Viewer, listed: Sequence[SeatUse], found: Activation) -> list[SeatRow]:
    names = names_of(viewer, [one.code for one in listed])
    departments = dict(Organization.objects.filter(pk__in={one.department for one in listed}).values_list("pk", "name"))
    return [
        SeatRow(
            one,
            *_whose(one, names),
            one.code if one.code > 0 and one.code in names else None,
            departments.get(one.department, ""),
            name_of(one.seat.product),
            STATES[one.judged.state],
            TONES.get(one.judged.state, ""),
            since(one.last, found.today),
        )
        for one in listed
    ]


def _whose(one: SeatUse, names: Mapping[int, tuple[str, str]]) -> tuple[str, str]:
    name, number = names.get(one.code, ("", ""))
    return name or one.seat.name or one.seat.external_id, number or one.seat.external_id


def _written(count: int | None) -> str:
    return f"< {HIDE_BELOW}" if count is None else numbers.full(count)


def _told(shown: int | None, count: int) -> str:
    """A count as it is told: not all that is hidden is small."""
    return _written(shown) if shown is not None or count < HIDE_BELOW else _("hidden")


def _people_written(count: int, open_: bool) -> str:
    return _written(None if not open_ and 0 < count < HIDE_BELOW else count)


def _above(viewer: Viewer, here: Organization) -> list[Organization]:
    """The places above one that the viewer may open, from the top down."""
    found = Organization.objects.filter(viewer.within("path", Deed.SEE_TOTALS)).in_bulk(ids_of(here.path)[:-1])
    return [found[key] for key in ids_of(here.path)[:-1] if key in found]


def _list_of(request: HttpRequest, step: str) -> str:
    return _address(request, step=step, page="") + "#list"


def _address(request: HttpRequest, **changed: str) -> str:
    query = {name: request.GET.get(name, "") for name in request.GET} | changed
    return "?" + urlencode({name: value for name, value in query.items() if value})
