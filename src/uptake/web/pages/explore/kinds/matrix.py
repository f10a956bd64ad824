"""Modules by company: which share of the active people used what, beside the park's median."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.models import Kind as PlaceKind
from uptake.directory.models import Organization
from uptake.directory.scope import Viewer
from uptake.insight.metrics.matrix import Matrix, Row, matrix, modules_of
from uptake.web import numbers
from uptake.web.pages.explore.bar import Bar
from uptake.web.pages.explore.kinds.kind import Kind, Sheet, Shown, behind
from uptake.web.usage import category, way_to

NAME = "matrix"
A_PAGE = 40
SHADES = 5
TELLING = 20
"""A gap is told of companies with so many active people."""
LEAST_MEDIAN = 0.05
"""… and of modules that so many use elsewhere, twice as many and more."""
MARK = "0:mark"


@dataclass(frozen=True)
class Cell:
    """One share: written, its shade, who is behind it."""

    text: str
    shade: int | None
    href: str = ""
    told: str = ""


def question(bar: Bar) -> dict[str, Any]:
    """The place and the period; the engine is asked by `answered`."""
    return bar.question(NAME, interval=None, by=None, compare=None)


def answered(bar: Bar, viewer: Viewer, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The matrix, as far as the viewer may see it."""
    first, last = date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"])
    today = bar.chosen.period.today
    found = matrix(
        bar.log, viewer, bar.place, first, last, today=today, sources=asked.get("sources"), narrowed=_narrowed(asked)
    )
    return {"matrix": found}


def _narrowed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the question that narrow it; empty: none does."""
    found = {key: asked[key] for key in ("filters", "segment", "only_persons") if key in asked}
    return {**found, "timezone": asked["timezone"]} if found else {}


def opened(bar: Bar) -> dict[str, Any] | None:
    """The people of a company who used a module (`of`: number of the company, a colon, the category)."""
    place, _colon, wanted = bar.request.GET.get("of", "").partition(":")
    below = Organization.objects.filter(path__startswith=bar.place.path)
    if not place.isdecimal() or len(place) > 18 or not below.filter(pk=int(place)).exists():
        return None
    names = [name for name, own in modules_of().items() if own == wanted]
    own: dict[str, Any] = {"by": None, "compare": None}
    return bar.question("pv_uv", **own, scope=[int(place)], event_sel={"event": names if wanted else None})


def show(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Shown:
    """The table of shares, shaded."""
    found: Matrix = answer["matrix"]
    labels = [category(name) for name in found.modules]
    listed = _sorted(bar, found)
    page = Paginator(listed, A_PAGE).get_page(bar.request.GET.get("page"))
    # One address is made, and its number put in for each cell: there are hundreds.
    pattern = behind(bar, NAME, of=MARK)
    rows = [
        (row, way_to(row.place.slug), _cell(row.active, None, pattern, row, ""), [
            _cell(row.people[number], row.share(number), pattern, row, name)
            for number, name in enumerate(found.modules)
        ])
        for row in page.object_list
    ]  # fmt: skip
    companies = bar.place.kind == PlaceKind.PARK
    words = _("Which share of the active people of each company at %(place)s used which module?")
    if not companies:
        words = _("Which share of the active people of each department of %(place)s used which module?")
    notes = []
    if any(row.hidden for row in found.rows):
        notes.append(_("Places with fewer than 5 people are not told."))
    if bar.where:
        notes.append(_("Only events that meet the conditions count, also for who is active."))
    return Shown(
        words=words % {"place": bar.place.name},
        verdict=_verdict(found, labels) if companies else "",
        context={
            "heads": [(f"m-{number}", label) for number, label in enumerate(labels)],
            "median": [Cell(_percent(share), _shade(share)) for share in found.median],
            "has_median": any(share is not None for share in found.median),
            "rows": rows,
            "page": page,
            "companies": companies,
            "legend": range(SHADES + 1),
        },
        notes=notes,
        empty=not any(row.active or row.hidden or row.active is None for row in found.rows),
    )


def sheet(bar: Bar, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> Sheet:
    """Shares and people of all rows, in the order of the page."""
    found: Matrix = answer["matrix"]
    labels = [category(name) for name in found.modules]
    heads = [_("Company") if bar.place.kind == PlaceKind.PARK else _("Department"), _("Active people")]
    for label in labels:
        heads += [label, _("%(module)s, people") % {"module": label}]
    rows: list[list[Any]] = []
    for row in _sorted(bar, found):
        cells: list[Any] = [row.place.name, row.active]
        for number in range(len(labels)):
            share = row.share(number)
            cells += [None if share is None else round(share, 4), row.people[number]]
        rows.append(cells)
    if any(share is not None for share in found.median):
        middle: list[Any] = [_("Median of the park"), None]
        for share in found.median:
            middle += [None if share is None else round(share, 4), None]
        rows.append(middle)
    return Sheet(heads, rows)


def _sorted(bar: Bar, found: Matrix) -> list[Row]:
    order = bar.request.GET.get("sort", "name")
    key = order.removeprefix("-")
    by_name = list(found.rows)
    if key == "active":
        by_name.sort(key=lambda row: -1 if row.active is None else row.active, reverse=order.startswith("-"))
    elif key.startswith("m-") and key[2:].isdecimal() and int(key[2:]) < len(found.modules):
        number = int(key[2:])
        by_name.sort(key=lambda row: _number(row.share(number)), reverse=order.startswith("-"))
    elif order == "-name":
        by_name.reverse()
    return by_name


def _number(share: float | None) -> float:
    return -1.0 if share is None else share


def _cell(count: int | None, share: float | None, pattern: str, row: Row, name: str) -> Cell:
    if row.hidden:
        return Cell("–", None)
    if count is None:
        return Cell("< 5", None)
    text = _percent(share) if name else numbers.full(count)
    here = urlencode({"of": f"{row.place.pk}:{name}"}).removeprefix("of=")
    href = pattern.replace(urlencode({"of": MARK}).removeprefix("of="), here) if pattern and count else ""
    told = _("%(n)s of %(all)s people") % {"n": numbers.full(count), "all": numbers.full(row.active)} if name else ""
    return Cell(text, _shade(share), href, told)


def _percent(share: float | None) -> str:
    return numbers.share(share, 0)


def _shade(share: float | None) -> int | None:
    return None if share is None else min(SHADES, ceil(share * SHADES))


def _verdict(found: Matrix, labels: list[str]) -> str:
    """The largest gap of a company below the median; departments have their own work each."""
    gaps = [
        (middle - share, row.place.name, labels[number], share, middle)
        for row in found.rows
        if (row.active or 0) >= TELLING
        for number, middle in enumerate(found.median)
        if (share := row.share(number)) is not None and middle is not None
        if middle >= LEAST_MEDIAN and share < middle / 2
    ]
    if not gaps:
        return ""
    _gap, place, module, share, middle = max(gaps)
    said = _(
        "The largest gap: %(module)s at %(place)s, %(share)s of the active people; in the median company %(median)s."
    )
    return said % {
        "module": module, "place": place, "share": _percent(share), "median": _percent(middle),
    }  # fmt: skip


KIND = Kind(
    name=NAME,
    title=gettext_lazy("Modules"),
    lead=gettext_lazy("Who uses which part of the software, side by side."),
    definition=gettext_lazy(
        "A module is a category of the catalogue. The share is of the different people who were active at the place in "
        "the period. The median is that of the park's companies with 5 active people or more."
    ),
    icon="table",
    question=question,
    show=show,
    sheet=sheet,
    answered=answered,
    opened=opened,
    intervals=("day",),
    breakdown=False,
    comparison=False,
)
