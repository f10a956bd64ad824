"""The segments one may use, and who belongs to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from uptake.activity.question import QuestionRefused
from uptake.directory.models import Organization, Role
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, Viewer
from uptake.insight.feed.where import activity_log
from uptake.insight.metrics.behind import Behind, rows_of
from uptake.insight.metrics.belonging import members_of
from uptake.insight.metrics.keep_segment import may_change
from uptake.insight.metrics.period import last_days
from uptake.insight.models import ROLES_SEEING_PEOPLE, Segment
from uptake.web.pages.segments.criteria import in_words
from uptake.web.sheets import Cell, as_csv, as_xlsx
from uptake.web.usage import since
from uptake.web.viewing import needs, viewer_for

A_PAGE = 50
ORDERS: Mapping[str, Any] = {
    "name": lambda row: row.name,
    "company": lambda row: (row.company, row.department),
    "last": lambda row: row.last_day.toordinal() if row.last_day else 0,
    "days": lambda row: row.active_days,
    "events": lambda row: row.events,
}


@dataclass(frozen=True)
class Listed:
    """A segment as lists show it."""

    segment: Segment
    words: list[str]
    may_change: bool
    owner: str
    roles: list[str | Promise]


@dataclass(frozen=True)
class Members:
    """Who belongs: people, or companies with their own pages; only those whom the viewer may see."""

    people: list[Behind]
    companies: list[Organization]

    @property
    def count(self) -> int:
        return len(self.people) + len(self.companies)


@needs(Deed.SEE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """All segments the viewer may use, by name."""
    viewer = viewer_for(request)
    found = Segment.objects.visible_to(viewer).select_related("organization", "owner__person").order_by("name", "pk")
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "segments/home.html", {"page": page, "rows": [listed(viewer, one) for one in page]})


@needs(Deed.SEE_PEOPLE)
def segment(request: HttpRequest, segment_id: int) -> HttpResponseBase:
    """One segment and who belongs to it today."""
    viewer = viewer_for(request)
    found = segment_of(viewer, segment_id)
    today = today_at(found.organization)
    members, refusal = _members(viewer, found, today)
    order = request.GET.get("sort", "-last")
    key = ORDERS.get(order.removeprefix("-"), ORDERS["last"])
    people = sorted(members.people, key=key, reverse=order.startswith("-"))
    listing: list[Any] = [(row, since(row.last_day, today)) for row in people] or list(members.companies)
    page = Paginator(listing, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "one": listed(viewer, found),
        "page": page,
        "rows": [] if members.companies else page.object_list,
        "companies": page.object_list if members.companies else [],
        "count": members.count,
        "refusal": refusal,
        "ask": f"{reverse('explore:home')}?at={found.organization.slug}&segment={found.pk}",
    }
    return render(request, "segments/segment.html", context)


@needs(Deed.SEE_PEOPLE)
def export(request: HttpRequest, segment_id: int, kind: str) -> HttpResponseBase:
    """Who belongs, as CSV or XLSX."""
    viewer = viewer_for(request)
    found = segment_of(viewer, segment_id)
    if kind not in ("csv", "xlsx"):
        raise Http404("no such file")
    members, refusal = _members(viewer, found, today_at(found.organization))
    if refusal:
        raise Http404("nobody can be told")
    heads = [_("Company")]
    rows: list[list[Cell]] = [[one.name] for one in members.companies]
    if not found.of_companies:
        heads = [
            _("Name"),
            _("Staff number"),
            _("Company"),
            _("Department"),
            _("Last active"),
            _("Days active"),
            _("Events"),
        ]
        rows = [
            [row.name, row.staff_number, row.company, row.department, row.last_day, row.active_days, row.events]
            for row in members.people
        ]
    name = f"segment-{found.pk}-{found.organization.slug}"
    return as_csv(name, heads, rows) if kind == "csv" else as_xlsx(name, heads, rows)


def segment_of(viewer: Viewer, segment_id: int) -> Segment:
    """The segment, if the viewer may use it; else Http404."""
    usable = Segment.objects.visible_to(viewer).select_related("organization", "owner__person")
    found: Segment = get_object_or_404(usable, pk=segment_id)
    return found


def today_at(place: Organization) -> date:
    """The business date at a place now."""
    return settings_at(place).date_of(timezone.now())


def listed(viewer: Viewer, one: Segment) -> Listed:
    """A segment with its criteria in words."""
    owner = one.owner.person.name if one.owner.person else one.owner.get_username()
    return Listed(
        one, in_words(one.criteria), may_change(viewer, one), owner, [Role(role).label for role in one.shared_roles]
    )


def named(viewer: Viewer, ids: list[int], of_companies: bool, place: Organization, today: date) -> Members:
    """The members of these ids at a place whom the viewer may see."""
    if of_companies:
        below = Organization.objects.visible_to(viewer).below(place).filter(pk__in=ids)
        return Members([], list(below.order_by("name", "pk")))
    return Members(rows_of(activity_log(), viewer, ids, place, last_days(30, today)), [])


def share_choices() -> list[tuple[str, str | Promise]]:
    """The roles a segment can be shared with."""
    return [(role, Role(role).label) for role in ROLES_SEEING_PEOPLE]


def _members(viewer: Viewer, found: Segment, today: date) -> tuple[Members, str]:
    """(who belongs, why nobody can be told)."""
    try:
        ids = members_of(activity_log(), viewer, found, today)
    except QuestionRefused as refused:
        return Members([], []), refusal_of(refused)
    return named(viewer, ids, found.of_companies, found.organization, today), ""


def refusal_of(refused: QuestionRefused) -> str:
    """What is wrong with criteria, in words."""
    return _("These conditions cannot be evaluated: %(key)s should be %(expected)s.") % {
        "key": refused.key,
        "expected": refused.expected,
    }
