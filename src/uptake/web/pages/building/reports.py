"""A sealed back-test as a page, and how far the running ones are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from uptake.directory.models import Person
from uptake.directory.scope import HIDE_BELOW, Deed
from uptake.programme.drafting.models import Report, Run
from uptake.web import numbers
from uptake.web.pages.building.place import draft_for
from uptake.web.pages.committee.figures import tested
from uptake.web.parts import Chart, Series
from uptake.web.viewing import needs, viewer_for

SHOWN = 10


@needs(Deed.MANAGE_RULES)
def runs(request: HttpRequest, draft_id: int) -> HttpResponseBase:
    """The back-tests that wait or run; htmx asks again until they are over, and then for the whole page."""
    draft = draft_for(request, draft_id)
    open_ones = [one for one in draft.runs.order_by("-pk").defer("file")[:3] if not one.is_over]
    response = render(request, "building/runs.html", {"draft": draft, "runs": open_ones})
    if not open_ones:
        response["HX-Refresh"] = "true"
    return response


@needs(Deed.MANAGE_RULES)
def report(request: HttpRequest, draft_id: int, report_id: int) -> HttpResponseBase:
    """What two rulebooks would have paid for the same days."""
    viewer = viewer_for(request)
    draft = draft_for(request, draft_id)
    found = Report.objects.visible_to(viewer).filter(draft=draft, pk=report_id).first()
    if found is None:
        raise Http404("no such report")
    told = found.told
    figures = tested(told, viewer.person_id)
    people = viewer.may(Deed.SEE_PEOPLE, draft.organization)
    names = _names(told) if people else {}
    one_by_one = people or told["people"] >= HIDE_BELOW
    context = {
        "draft": draft,
        "report": found,
        "told": told,
        "figures": figures,
        "same_file": found.draft_sha256 == draft.sha256,
        "days": _days_chart(told),
        "change": _change_chart(figures),
        "rules": [_rule(one) for one in told["rules"]],
        "gain": [_person(one, names) for one in told["largest"]["gain"][:SHOWN] if one_by_one],
        "lose": [_person(one, names) for one in told["largest"]["lose"][:SHOWN] if one_by_one],
        "fastest": [
            {**one, "name": names.get(one["person"], "")} for one in told["gaming"]["fastest"][:SHOWN] if one_by_one
        ],
        "edges": [
            {**one, "share": one["edge_days"] / one["days"], "title": _title(told, one["rule"])}
            for one in told["gaming"]["edges"][:SHOWN]
        ],
        "people_shown": people,
        "run": Run.objects.filter(report=found).first(),
    }
    return render(request, "building/report.html", context)


def _names(told: Mapping[str, Any]) -> dict[int, str]:
    """The names of the people that are told of one by one."""
    largest = told["largest"]
    wanted = {one[0] for one in (*largest["gain"], *largest["lose"])}
    wanted |= {one["person"] for one in told["gaming"]["fastest"]}
    return dict(Person.objects.filter(pk__in=wanted).values_list("pk", "name"))


def _person(one: list[int], names: Mapping[int, str]) -> dict[str, Any]:
    person, before, after = one
    share = (after - before) / before if before else None
    return {"name": names.get(person, ""), "before": before, "after": after, "change": after - before, "share": share}


def _title(told: Mapping[str, Any], lineage: str) -> str:
    return next((str(one["title"]) for one in told["rules"] if one["rule"] == lineage), lineage)


def _rule(one: Mapping[str, Any]) -> dict[str, Any]:
    before, after = one["before"] or {}, one["after"] or {}
    return {
        "rule": one["rule"],
        "title": one["title"],
        "stays": {"new": _("new"), "gone": _("gone"), "changed": _("changed"), "same": ""}[one["stays"]],
        "before": before.get("points", 0),
        "after": after.get("points", 0),
        "change": after.get("points", 0) - before.get("points", 0),
        "paid": after.get("paid", 0),
        "people": after.get("people", 0),
        "clipped": after.get("clipped", 0),
        "lost": after.get("lost", 0),
    }


def _days_chart(told: Mapping[str, Any]) -> Chart | None:
    days = told["by_day"]
    if len(days) < 2:
        return None
    return Chart(
        "by-day",
        _("Points a day under both rulebooks"),
        [numbers.day(day) if not isinstance(day, str) else day[5:] for day, _before, _after in days],
        [
            Series(_("this draft"), [after for _day, _before, after in days], "bar", "c2"),
            Series(_("in force"), [before for _day, before, _after in days], "line", "c6"),
        ],
        height="low",
        axis=_("Date"),
    )


def _change_chart(figures: Any) -> Chart | None:
    if figures is None or not any(one.people for one in figures.bins):
        return None
    return Chart(
        "changes",
        _("Change for each person, in percent of what they had"),
        [one.label for one in figures.bins],
        [Series(_("People"), [one.people for one in figures.bins], "bar", "c3")],
        height="low",
        axis=_("Change"),
    )
