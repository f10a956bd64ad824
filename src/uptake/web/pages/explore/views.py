"""A page per analysis: the question in words, a picture, the table under it, and the people behind every number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from uptake.activity.question import QuestionRefused
from uptake.directory.privacy import may_see_group
from uptake.directory.scope import Deed, Viewer
from uptake.insight.metrics.behind import Behind, rows_of
from uptake.insight.metrics.told import TotalsOnly, people_behind
from uptake.insight.metrics.usage import staff_of
from uptake.web.answers import told
from uptake.web.pages.explore.bar import Bar, added, bar_of
from uptake.web.pages.explore.kinds.kind import Kind, Sheet, Shown
from uptake.web.pages.explore.kinds.list import KINDS, kind_named
from uptake.web.sheets import Cell, as_csv, as_xlsx
from uptake.web.usage import since
from uptake.web.viewing import needs, viewer_for

PEOPLE_A_PAGE = 50


@dataclass(frozen=True)
class Tab:
    """One of the analyses beside this one; the shared state goes along."""

    kind: Kind
    address: str
    here: bool


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """The first analysis."""
    query = request.GET.urlencode()
    return redirect(reverse("explore:page", args=[KINDS[0].name]) + (f"?{query}" if query else ""))


@needs(Deed.SEE_TOTALS)
def page(request: HttpRequest, kind: str) -> HttpResponseBase:
    """One analysis."""
    one = _kind(kind)
    cleaned = added(request) or one.cleaned(request)
    if cleaned is not None:
        return redirect(request.path + cleaned)
    viewer = viewer_for(request)
    bar = bar_of(request, intervals=one.intervals, usual=one.usual, days=one.days)
    context = _frame(bar, one)
    if not _large_enough(viewer, bar):
        return render(request, "activity/small.html", {"place": bar.place, "crumbs": []})
    asked, answer, refusal = _answer(viewer, bar, one)
    shown = one.show(bar, asked, answer) if asked is not None and answer is not None else None
    context |= {"shown": shown, "refusal": refusal, "asked": asked}
    return render(request, f"explore/{one.name}.html", context)


@needs(Deed.SEE_TOTALS)
def export(request: HttpRequest, kind: str, format: str) -> HttpResponseBase:
    """The table of the answer as CSV or XLSX."""
    one = _kind(kind)
    viewer = viewer_for(request)
    bar = bar_of(request, intervals=one.intervals, usual=one.usual, days=one.days)
    if format not in ("csv", "xlsx") or not _large_enough(viewer, bar):
        raise Http404("no such file")
    asked, answer, _refusal = _answer(viewer, bar, one)
    if asked is None or answer is None:
        raise Http404("there is no answer to this question")
    sheet = one.sheet(bar, asked, answer) if one.sheet is not None else _table(one.show(bar, asked, answer))
    name = f"{one.name}-{bar.place.slug}-{bar.chosen.period.first}-{bar.chosen.period.last}"
    return as_csv(name, sheet.heads, sheet.rows) if format == "csv" else as_xlsx(name, sheet.heads, sheet.rows)


def _table(shown: Shown) -> Sheet:
    """The table under the picture."""
    rows = [[cell.value if cell.value is not None else cell.text for cell in row] for row in shown.rows]
    return Sheet([column.head for column in shown.columns], rows)


@needs(Deed.SEE_PEOPLE)
def people(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The people behind one number of an answer."""
    one = _kind(kind)
    bar, found, refusal = _behind(request, one)
    order = request.GET.get("sort", "-last")
    key = ORDERS.get(order.removeprefix("-"), ORDERS["last"])
    found = sorted(sorted(found, key=ORDERS["name"]), key=key, reverse=order.startswith("-"))
    listed = Paginator(found, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    context = _frame(bar, one) | {
        "page": listed,
        "rows": [(row, since(row.last_day, bar.chosen.period.today)) for row in listed.object_list],
        "count": len(found),
        "refusal": refusal,
        "export": reverse("explore:export_people", args=[one.name, "xlsx"]) + "?" + request.GET.urlencode(),
    }
    return render(request, "explore/people.html", context)


@needs(Deed.SEE_PEOPLE)
def export_people(request: HttpRequest, kind: str, format: str) -> HttpResponseBase:
    """The people behind one number as CSV or XLSX."""
    one = _kind(kind)
    bar, found, refusal = _behind(request, one)
    if format not in ("csv", "xlsx") or refusal:
        raise Http404("no such file")
    heads = [
        _("Name"),
        _("Staff number"),
        _("Company"),
        _("Department"),
        _("Last active"),
        _("Days active"),
        _("Events"),
    ]
    rows: list[list[Cell]] = [
        [row.name, row.staff_number, row.company, row.department, row.last_day, row.active_days, row.events]
        for row in found
    ]
    name = f"{one.name}-people-{bar.place.slug}-{bar.chosen.period.last}"
    return as_csv(name, heads, rows) if format == "csv" else as_xlsx(name, heads, rows)


ORDERS: Mapping[str, Any] = {
    "name": lambda row: row.name,
    "company": lambda row: (row.company, row.department),
    "last": lambda row: row.last_day.toordinal() if row.last_day else 0,
    "days": lambda row: row.active_days,
    "events": lambda row: row.events,
}


def _kind(name: str) -> Kind:
    found = kind_named(name)
    if found is None:
        raise Http404("no such analysis")
    return found


def _large_enough(viewer: Viewer, bar: Bar) -> bool:
    if viewer.may(Deed.SEE_PEOPLE, bar.place):
        return True  # nobody needs to be counted
    return may_see_group(viewer, bar.place, staff_of([bar.place], bar.chosen.period.today).get(bar.place.pk, 0))


def _answer(viewer: Viewer, bar: Bar, kind: Kind) -> tuple[dict[str, Any] | None, dict[str, Any] | None, str]:
    """(question, answer, why there is none)."""
    asked = kind.question(bar)
    if asked is None:
        return None, None, ""
    try:
        if kind.answered is not None:
            return asked, kind.answered(bar, viewer, asked), ""
        return asked, told(bar.log, viewer, asked), ""
    except TotalsOnly:
        return asked, None, _("You see totals here. This question would tell of single people.")
    except QuestionRefused as refused:
        return (
            asked,
            None,
            _("The question cannot be asked like this: %(key)s should be %(expected)s.")
            % {
                "key": refused.key,
                "expected": refused.expected,
            },
        )


def _behind(request: HttpRequest, kind: Kind) -> tuple[Bar, list[Behind], str]:
    bar = bar_of(request, intervals=kind.intervals, usual=kind.usual, days=kind.days)
    viewer = viewer_for(request)
    if not viewer.may(Deed.SEE_PEOPLE, bar.place):
        raise Http404("no people to see here")
    asked = (kind.opened or kind.question)(bar)
    try:
        number = json.loads(request.GET.get("number", ""))
        if asked is None or not isinstance(number, dict):
            raise ValueError("no number")
        codes = people_behind(bar.log, viewer, asked, number)
    except (ValueError, KeyError, TypeError):  # QuestionRefused is a ValueError
        return bar, [], _("Nobody can be looked up behind this number: the address does not name one.")
    return bar, rows_of(bar.log, viewer, codes, bar.place, bar.chosen.period), ""


def _frame(bar: Bar, kind: Kind) -> dict[str, Any]:
    """What every page of questions needs."""
    shared, people = bar.shared(), viewer_for(bar.request).may(Deed.SEE_PEOPLE, bar.place)
    offered = [one for one in KINDS if people or one is kind or not one.names_people]
    return {
        "bar": bar,
        "kind": kind,
        "chosen": bar.chosen,
        "tabs": [Tab(one, reverse("explore:page", args=[one.name]) + shared, one is kind) for one in offered],
        "back": reverse("explore:page", args=[kind.name]) + bar.address(number="", of="", sort=""),
        "own": kind.fields(bar),
    }
