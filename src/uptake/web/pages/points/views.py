"""My points, and a person's points for those who read the ledger of the person's company."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from uptake.directory.models import Membership, Person
from uptake.directory.scope import Deed, Viewer
from uptake.programme.models import Award
from uptake.web.catalogue import labels_of
from uptake.web.pages.points.read import Home, home_of, rule_of, summary_of, titled
from uptake.web.pages.points.why import Day, line_of
from uptake.web.viewing import login_required, viewer_for

LINES_PER_PAGE = 30
SHOWN = ("all", "paid", "unpaid")


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The own points."""
    viewer = viewer_for(request)
    if viewer.person_id is None:
        return render(request, "points/nobody.html")
    return _page(request, viewer, Person.objects.get(pk=viewer.person_id))


@login_required
def person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Somebody's points, to read only: for those who may see the ledger where the person belongs."""
    viewer = viewer_for(request)
    if person_id != viewer.person_id:
        places = Membership.objects.filter(viewer.within("organization__path", Deed.SEE_LEDGER), person_id=person_id)
        if not places.exists():
            raise Http404("no such person")
    return _page(request, viewer, get_object_or_404(Person.objects.visible_to(viewer), pk=person_id))


def _page(request: HttpRequest, viewer: Viewer, who: Person) -> HttpResponseBase:
    now = timezone.now()
    own = who.pk == viewer.person_id
    where = home_of(who, now)
    context: dict[str, Any] = {"who": who, "own": own, "home": where}
    if where is None:
        return render(request, "points/empty.html", context)
    with timezone.override(where.zone):
        show = request.GET.get("show", "all")
        rule = request.GET.get("rule", "")
        page = _awards(viewer, who, show if show in SHOWN else "all", rule, request.GET.get("page"))
        context |= {"page": page, "days": _days(page, where), "show": show, "rule": rule, "today": where.today}
        if request.headers.get("HX-Target") != "list":
            context["summary"] = summary_of(who, where, now)
        return render(request, "points/home.html", context)


def _awards(viewer: Viewer, who: Person, show: str, rule: str, number: str | None) -> Page[Award]:
    rows = Award.objects.visible_to(viewer).filter(person=who).select_related("event", "rulebook")
    if show == "paid":
        rows = rows.filter(points__gt=0)
    if show == "unpaid":
        rows = rows.filter(points=0)
    if rule:
        rows = rows.filter(rule=rule)
    rows = rows.defer("rulebook__file").order_by("-date", "-happened_at", "-pk")
    return Paginator(rows, LINES_PER_PAGE).get_page(number)


def _days(page: Page[Award], where: Home) -> list[Day]:
    awards = list(page.object_list)
    labels = labels_of([award.event.name for award in awards])
    days = []
    for day, group in groupby(awards, key=lambda award: award.date):
        lines = []
        for award in group:
            rule = rule_of(award.rulebook_id, award.rulebook.sha256, award.rule, award.version)
            lines.append(line_of(award, titled(rule) if rule else award.rule, labels))
        days.append(Day(day, sum(line.award.points for line in lines), lines))
    return days
