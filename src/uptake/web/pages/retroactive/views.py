"""Retroactive runs of a company: the list, a new one, and one with who would get how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import HIDE_BELOW, Deed, NotAllowed, Viewer
from uptake.programme.in_force import parsed
from uptake.programme.models import RulebookVersion
from uptake.programme.retroactive import refusals
from uptake.programme.retroactive.models import RetroactiveRun, RunState
from uptake.programme.retroactive.run import (
    approve_run,
    execute_run,
    may_decide,
    plan_correction,
    plan_run,
    withdraw_run,
)
from uptake.web import numbers
from uptake.web.pages.points.read import titled
from uptake.web.viewing import NotYours, needs, viewer_for

A_PAGE = 25
TONES = {RunState.PLANNED: "warn", RunState.APPROVED: "info", RunState.EXECUTED: "good", RunState.WITHDRAWN: ""}
WORDS: Mapping[type[refusals.Refused], Callable[[], str]] = {
    refusals.WhyMissing: lambda: _("Say why, in at most 4,000 characters."),
    refusals.WrongSpan: lambda: _("Choose 1 to 366 days that are past."),
    refusals.NothingDiffers: lambda: _("Nobody would get or lose anything: there is nothing to post."),
    refusals.TooMany: lambda: _("These are more than 50,000 events that differ. Choose a shorter span."),
    refusals.SelfDealing: lambda: _("You gain by this run, or asked for it. Somebody else must do this."),
    refusals.WrongState: lambda: _("This cannot be done with the run as it is now."),
    refusals.Moved: lambda: _("What happened has changed since this was reckoned. Withdraw it and reckon anew."),
    refusals.TooEarly: lambda: _("Those concerned may still appeal."),
    refusals.NotPosted: lambda: _("Only a run that was posted can be corrected."),
}


@dataclass(frozen=True)
class ByDepartment:
    """What a department gets; small ones are put together."""

    name: str
    people: int
    points: int


@needs(Deed.MANAGE_RULES)
def home(request: HttpRequest) -> HttpResponseBase:
    """The runs of a company and the form for another; POST reckons one, and posts nothing."""
    viewer = viewer_for(request)
    companies = list(
        Organization.objects.filter(
            viewer.within("path", Deed.MANAGE_RULES), kind=Kind.COMPANY, closed_at=None
        ).order_by("path")
    )
    company = _company(request, companies)
    if company is None:
        return render(request, "retroactive/home.html", {"company": None})
    versions = list(
        RulebookVersion.objects.applying_to(company).select_related("organization").order_by("-in_force_date", "-pk")
    )
    wrong = ""
    if request.method == "POST":
        try:
            found = _plan(request, company, versions, viewer)
        except refusals.Refused as refused:
            wrong = WORDS[type(refused)]()
        except NotAllowed:
            raise NotYours(Deed.MANAGE_RULES) from None
        else:
            messages.success(request, _("Reckoned. Nothing is posted before a second person approves it."))
            return redirect("retroactive:run", found.pk)
    rows = RetroactiveRun.objects.visible_to(viewer).filter(organization=company)
    rows = rows.select_related("version__organization", "asked_by_person").order_by("-asked_at", "-pk")
    context = {
        "company": company,
        "companies": companies,
        "versions": versions,
        "page": Paginator(rows, A_PAGE).get_page(request.GET.get("page")),
        "given": request.POST,
        "wrong": wrong,
    }
    return render(request, "retroactive/home.html", context, status=422 if wrong else 200)


def _company(request: HttpRequest, companies: list[Organization]) -> Organization | None:
    """The one chosen, here or in the head of the page; else that of the latest run or rulebook. Http404 for another."""
    asked = request.GET.get("at", "") or request.POST.get("at", "")
    if asked:
        place = Organization.objects.filter(slug=asked).first()
        above = [one for one in companies if place is not None and place.path.startswith(one.path)]
        if above:
            return above[0]
        inside = [one for one in companies if place is not None and one.path.startswith(place.path)]
        if not inside:
            raise Http404("no such company")
        companies = inside
    runs = RetroactiveRun.objects.filter(organization__in=companies).order_by("-asked_at", "-pk")
    books = RulebookVersion.objects.filter(organization__in=companies).order_by("-published_at", "-pk")
    latest = runs.values_list("organization", flat=True).first() or books.values_list("organization", flat=True).first()
    return next((one for one in companies if one.pk == latest), companies[0] if companies else None)


def _plan(
    request: HttpRequest, company: Organization, versions: list[RulebookVersion], viewer: Viewer
) -> RetroactiveRun:
    chosen = request.POST.get("version", "")
    version = next((one for one in versions if str(one.pk) == chosen), None)
    if version is None:
        raise refusals.WrongState
    try:
        since = date.fromisoformat(request.POST.get("from", ""))
        until = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        raise refusals.WrongSpan from None
    return plan_run(
        company=company,
        version=version,
        since=since,
        until=until,
        names=request.POST.get("names", "").replace("\n", ",").split(","),
        why=request.POST.get("why", ""),
        by=viewer,
        now=timezone.now(),
    )


@needs(Deed.MANAGE_RULES)
def run(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One run: by department, by rule and by person; POST approves, posts, withdraws or reckons a correction."""
    viewer = viewer_for(request)
    rows = RetroactiveRun.objects.visible_to(viewer)
    found = get_object_or_404(
        rows.select_related(
            "organization", "version__organization", "asked_by_person", "approved_by_person", "corrects"
        ),
        pk=run_id,
    )
    wrong = ""
    if request.method == "POST":
        try:
            return redirect("retroactive:run", _do(request, found, viewer).pk)
        except refusals.Refused as refused:
            wrong = WORDS[type(refused)]()
        except NotAllowed:
            raise NotYours(Deed.MANAGE_RULES) from None
        found.refresh_from_db()
    people = viewer.may(Deed.SEE_PEOPLE, found.organization)
    lines = found.lines.values("person_id", "person__name").annotate(sum=Sum("points"), n=Count("pk"))
    now = timezone.now()
    context: dict[str, Any] = {
        "run": found,
        "tone": TONES[RunState(found.state)],
        "departments": departments_of(found),
        "rules": _by_rule(found),
        "page": Paginator(lines.order_by("-sum", "person_id"), A_PAGE).get_page(request.GET.get("page"))
        if people
        else None,
        "may_approve": found.state == RunState.PLANNED and may_decide(found, viewer),
        "may_post": found.state == RunState.APPROVED and (found.not_before is None or found.not_before <= now),
        "may_withdraw": found.state in (RunState.PLANNED, RunState.APPROVED),
        "may_correct": found.state == RunState.EXECUTED and found.gives,
        "versions": RulebookVersion.objects.applying_to(found.organization)
        .select_related("organization")
        .order_by("-in_force_date", "-pk"),
        "corrections": found.corrections.order_by("pk"),
        "given": request.POST,
        "wrong": wrong,
    }
    return render(request, "retroactive/run.html", context, status=422 if wrong else 200)


def _by_rule(found: RetroactiveRun) -> list[dict[str, Any]]:
    """What each rule gives or takes, by the title it has in the rulebook of the run."""
    titles = {rule.rule: titled(rule) for rule in parsed(found.version_id, found.version.sha256).rules}
    rows = found.lines.values("rule").annotate(sum=Sum("points"), n=Count("pk")).order_by("-sum", "rule")
    return [{**row, "title": titles.get(row["rule"], row["rule"])} for row in rows]


def _do(request: HttpRequest, found: RetroactiveRun, viewer: Viewer) -> RetroactiveRun:
    now = timezone.now()
    what = request.POST.get("what", "")
    if what == "approve":
        done = approve_run(run=found, by=viewer, now=now)
        if done.not_before is None:
            messages.success(request, _("Approved. It can be posted now."))
        else:
            messages.success(
                request,
                _("Approved. Those concerned are told, and may appeal until %(moment)s.")
                % {"moment": numbers.moment(done.not_before)},
            )
        return done
    if what == "post":
        done = execute_run(run=found, by=viewer, now=now)
        messages.success(request, _("Posted."))
        return done
    if what == "withdraw":
        done = withdraw_run(run=found, by=viewer, now=now)
        messages.success(request, _("Withdrawn. Nothing is posted."))
        return done
    if what == "correct":
        version = RulebookVersion.objects.filter(pk=_number(request.POST.get("version", ""))).first()
        if version is None:
            raise refusals.WrongState
        made = plan_correction(run=found, version=version, why=request.POST.get("why", ""), by=viewer, now=now)
        messages.success(request, _("Reckoned. Nothing is posted before a second person approves it."))
        return made
    raise Http404("no such deed")


def departments_of(found: RetroactiveRun) -> list[ByDepartment]:
    """Points by department; those of fewer than 5 people put together, without a name."""
    people: dict[str, set[int]] = defaultdict(set)
    points: dict[str, int] = defaultdict(int)
    for name, person, some in found.lines.values_list("department__name", "person_id", "points"):
        people[name or ""].add(person)
        points[name or ""] += some
    large = [ByDepartment(name, len(people[name]), points[name]) for name in points if len(people[name]) >= HIDE_BELOW]
    small = [name for name in points if len(people[name]) < HIDE_BELOW]
    if small:
        count, sums = sum(len(people[name]) for name in small), sum(points[name] for name in small)
        large.append(ByDepartment(_("Small departments"), count, sums))
    return sorted(large, key=lambda one: -one.points)


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 18 else 0
