"""Interventions of a place: the list, a new one, and one with its power gate or its report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Kind, Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.models import EventType
from uptake.insight.impact import refusals
from uptake.insight.impact.metrics import Metric, metric_of
from uptake.insight.impact.models import MANAGING, Chosen, Evaluation, Intervention, What, departments_of
from uptake.insight.impact.register import answer_for, lock, register_intervention
from uptake.insight.report.note_cost import CURRENCIES
from uptake.web import numbers, parts
from uptake.web.catalogue import labels_of
from uptake.web.pages.impact import lots, planner, wanted
from uptake.web.pages.impact.began import began_lines, began_section
from uptake.web.pages.impact.costs import costs_of, costs_section
from uptake.web.pages.impact.for_whom import for_whom, for_whom_section
from uptake.web.pages.impact.lasting import lasting_of, lasting_section
from uptake.web.pages.impact.lead import lead_of, unsaid_of
from uptake.web.pages.impact.measures import (
    DECLARED,
    MEASURES,
    by_ratio,
    calendar,
    change_of,
    chart_section,
    checks_section,
    forest,
    left_out,
    lines_section,
    measured,
    metric_name,
    metrics_section,
    placebo,
    side_by_side,
    size_of,
)
from uptake.web.pages.impact.places import places_managed
from uptake.web.pages.impact.three import three_of, three_section
from uptake.web.pages.impact.trial import trial_of, trial_rows, trial_section
from uptake.web.pages.impact.words import (
    CHECKS,
    CHECKS_OF_PEOPLE,
    DESIGNS,
    HELD,
    HELPS,
    LIGHTS,
    VERDICTS,
    WORDS,
    reason,
    remedy,
    said,
)
from uptake.web.pages.transparency.sheet import pdf_of
from uptake.web.pages.transparency.words import Section
from uptake.web.sheets import as_book
from uptake.web.viewing import NotYours, needs, place_for, viewer_for

A_PAGE = 25
MOST_EVENTS = 300


@needs(Deed.SEE_TOTALS)
def home(request: HttpRequest) -> HttpResponseBase:
    """What was registered at places the viewer sees."""
    viewer = viewer_for(request)
    latest = Evaluation.objects.filter(intervention=OuterRef("pk")).order_by("-made_at", "-pk")
    rows = Intervention.objects.visible_to(viewer).select_related("organization").order_by("-made_at", "-pk")
    if request.GET.get("at"):
        rows = rows.filter(organization__path__startswith=place_for(request, Deed.SEE_TOTALS).path)
    rows = rows.annotate(verdict=Subquery(latest.values("verdict")[:1]), grade=Subquery(latest.values("grade")[:1]))
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    lines = [(row, *VERDICTS.get(getattr(row, "verdict", None) or "", ("", ""))) for row in page.object_list]
    context = {"page": page, "lines": lines, "may": _may_somewhere(viewer), "wider": _wider(viewer)}
    return render(request, "impact/home.html", context)


def _wider(viewer: Viewer) -> list[Intervention]:
    """What was locked for more than the viewer sees, and in which departments take part that they see."""
    if viewer.sees_everything(Deed.SEE_TOTALS):
        return []
    from uptake.insight.impact.own_part import taking_part  # its libraries are loaded where they are needed

    return list(taking_part(viewer).select_related("organization").order_by("-made_at", "-pk")[:A_PAGE])


@needs(*MANAGING)
def new(request: HttpRequest) -> HttpResponseBase:
    """The form for another; POST registers a draft."""
    viewer = viewer_for(request)
    places = places_managed(viewer)
    place = _place(request, places)
    if place is None:
        return render(request, "impact/new.html", {"place": None})
    departments = list(
        Organization.objects.filter(kind=Kind.DEPARTMENT)
        .below(place)
        .open()
        .select_related("company")
        .order_by("company__name", "name")
    )
    wrong, plan, instead = "", None, None
    if request.POST.get("what") == "propose":
        try:
            smallest = _points(request.POST.get("smallest", ""))
            plan = planner.proposed(request, place, departments, smallest)
            if not plan.enough:
                instead = planner.people_instead(request, place, departments, smallest)
        except planner.NoOrder as refused:
            wrong = str(refused)
            instead = planner.people_instead(request, place, departments, smallest)
        except planner.NotProposed as refused:
            wrong = str(refused)
        except refusals.WrongSize:
            wrong = WORDS[refusals.WrongSize]()
    elif request.method == "POST":
        try:
            made = _register(request, place, departments, viewer)
        except refusals.Refused as refused:
            wrong = WORDS[type(refused)]()
        except NotAllowed:
            raise NotYours(MANAGING[0]) from None
        else:
            messages.success(request, _("Registered as a draft. Look whether it can be answered, then lock it."))
            return redirect("impact:one", made.pk)
    names = list(EventType.objects.order_by("name").values_list("name", flat=True)[:MOST_EVENTS])
    labels = labels_of(names)
    given = plan.given if plan else request.POST
    context = {
        "place": place,
        "places": places,
        "companies": _by_company(given, departments, plan is not None),
        "plan": plan,
        "instead": instead,
        "events": sorted(((labels.events.get(name, name), name) for name in names), key=lambda pair: pair[0]),
        "kinds": What.choices,
        "ways": Chosen.choices,
        "given": given,
        **planner.context(given),
        **lots.context(given, place, departments),
        "measures": [(one.value, *MEASURES[one]) for one in DECLARED],
        "wrong": wrong,
        **wanted.context(request, place),
    }
    return render(request, "impact/new.html", context, status=422 if wrong else 200)


def _by_company(
    given: Mapping[str, Any], departments: list[Organization], whole: bool
) -> list[tuple[str, list[tuple[Organization, str, bool]], bool]]:
    """(company, its departments with what was typed, whether it is shown unfolded: all of them where `whole`)."""
    found: dict[str, list[tuple[Organization, str, bool]]] = {}
    for one in departments:
        typed = given.get(f"start-{one.slug}", "")
        takes = not given or f"take-{one.slug}" in given
        found.setdefault(one.company.name if one.company else "", []).append((one, typed, takes))
    return [
        (name, rows, whole or len(found) < 3 or any(typed for _one, typed, _takes in rows))
        for name, rows in found.items()
    ]


def _place(request: HttpRequest, places: list[Organization]) -> Organization | None:
    asked = request.GET.get("at", "")
    if not asked:
        return places[0] if places else None
    found = next((one for one in places if one.slug == asked), None)
    if found is None:
        raise Http404("no such place")
    return found


def _register(
    request: HttpRequest, place: Organization, departments: list[Organization], viewer: Viewer
) -> Intervention:
    starts = {
        one.slug: _day(request.POST.get(f"start-{one.slug}", ""))
        for one in departments
        if f"take-{one.slug}" in request.POST
    }
    until = _day(request.POST.get("until", ""))
    if until is None:
        raise refusals.WrongDates
    asked = wanted.asked(request)
    kind, chosen = request.POST.get("kind", ""), request.POST.get("chosen", "")
    return register_intervention(
        organization=place,
        title=request.POST.get("title", ""),
        kind=What(kind) if kind in What.values else What.OTHER,
        chosen=Chosen(chosen) if chosen in Chosen.values else Chosen.MANAGEMENT,
        starts=starts,
        event=request.POST.get("event", ""),
        smallest=_points(request.POST.get("smallest", "")),
        until=until,
        guardrail=request.POST.get("guardrail", ""),
        margin=_points(request.POST.get("margin", "")),
        others=asked.others,
        further=asked.further,
        rails=asked.rails,
        outcome=asked.outcome,
        looks=wanted.looks(request),
        unaffected=request.POST.get("unaffected", ""),
        draw=lots.asked(request),
        by=viewer,
        now=timezone.now(),
    )


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise refusals.WrongDates from None


def _points(typed: str) -> float:
    try:
        return float(typed) / 100 if typed.strip() else 0.0
    except ValueError:
        raise refusals.WrongSize from None


@needs(Deed.SEE_TOTALS)
def one(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """One intervention: a draft with its gate, else its report; POST locks or evaluates."""
    viewer = viewer_for(request)
    found = _found(viewer, intervention_id)
    wrong = ""
    if request.method == "POST":
        now = timezone.now()
        try:
            if request.POST.get("what") == "lock":
                lock(intervention=found, by=viewer, now=now)
                messages.success(request, _("Locked. Nothing of it can change any more."))
            elif request.POST.get("what") == "evaluate":
                from uptake.insight.impact.evaluate import evaluate  # its libraries are loaded where they are needed

                evaluate(intervention=found, by=viewer, now=now)
                messages.success(request, _("Evaluated."))
            else:
                raise Http404("no such deed")
            return redirect("impact:one", found.pk)
        except refusals.Refused as refused:
            wrong = WORDS[type(refused)]()
        except NotAllowed:
            raise NotYours(MANAGING[0]) from None
    today = settings_at(found.organization).date_of(timezone.now())
    latest = found.evaluations.order_by("-made_at", "-pk").first()
    names = {place.slug: place for place in departments_of(found.starts)}
    primary, least = metric_of(found.plan["metrics"][0]), float(found.plan["metrics"][0]["smallest"])
    viewer_manages = any(viewer.may(deed, found.organization) for deed in MANAGING)
    context: dict[str, Any] = {
        "one": found,
        "wrong": wrong,
        "may": viewer_manages,
        "metric": metric_name(primary),
        "smallest": size_of(primary, least),
        "guardrails": [
            (metric_name(metric_of(rail)), size_of(metric_of(rail), rail["margin"]))
            for rail in found.plan["guardrails"]
        ],
        "deciding": [
            (metric_name(metric_of(more)), size_of(metric_of(more), more["smallest"]))
            for more in found.plan["metrics"][1:]
        ],
        "behind": metric_name(metric_of(found.plan["outcome"])) if "outcome" in found.plan else "",
        "unpaid": metric_name(metric_of(found.plan["unaffected"])) if "unaffected" in found.plan else "",
        "looks": [date.fromisoformat(look) for look in found.plan["looks"]],
        "others": [
            (metric_name(metric_of(other)), size_of(metric_of(other), other["smallest"]))
            for other in found.plan.get("others", ())
        ],
        "calendar": calendar(found),
        "starts": _starts(found, names),
        "lot": lots.told_of_lot(found),
        "begun": found.first_start < today,
        "too_late": found.first_start <= today,
        "latest": latest,
    }
    if found.locked_at is None:
        context["gate"] = _gate(answer_for(found, now=timezone.now()).facts(), names, least)
    else:
        context["gate"] = _gate(found.gate, names, least)
        if latest is not None:
            context |= told_of(latest)
            context["currencies"] = CURRENCIES
            context["said_since"] = found.really.filter(made_at__gt=latest.made_at).exists()
    return render(request, "impact/one.html", context, status=422 if wrong else 200)


@needs(Deed.SEE_TOTALS)
def self_test(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """How far the self-test of the latest evaluation is; the page asks again until it is over."""
    found = _found(viewer_for(request), intervention_id)
    latest = found.evaluations.order_by("-made_at", "-pk").first()
    if latest is None:
        raise Http404("no evaluation yet")
    trial = trial_of(latest, metric_of(found.plan["metrics"][0]))
    return render(request, "impact/trial.html", {"one": found, "trial": trial})


@needs(Deed.SEE_TOTALS)
def report(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """The latest evaluation as it is kept: canonical JSON."""
    found = _found(viewer_for(request), intervention_id)
    latest = found.evaluations.order_by("-made_at", "-pk").first()
    if latest is None:
        raise Http404("no evaluation yet")
    name = f'attachment; filename="impact-{found.pk}.json"'
    return HttpResponse(latest.text, content_type="application/json", headers={"Content-Disposition": name})


@needs(Deed.SEE_TOTALS)
def report_pdf(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """The latest evaluation to print: first the answer and all metrics, behind it what it rests on."""
    return pdf_of_report(_latest(request, intervention_id))


@needs(Deed.SEE_TOTALS)
def report_xlsx(request: HttpRequest, intervention_id: int) -> HttpResponseBase:
    """All metrics of the latest evaluation as a sheet."""
    made = _latest(request, intervention_id)
    told = told_of(made)
    table = metrics_section(told["measured"])
    heads = (_("Self-test"), _("How often"), _("In words"))
    beside = (_three(told), _costs(told), _lasting(told), _whom(told), _began(told))
    more = [(one.title, one.heads, one.rows) for one in beside if one is not None]
    sheets = [(_("Metrics"), table.heads, table.rows), *more, (_("Self-test"), heads, trial_rows(told["trial"]))]
    return as_book(f"impact-{made.intervention_id}", sheets)


def _latest(request: HttpRequest, intervention_id: int) -> Evaluation:
    found = _found(viewer_for(request), intervention_id)
    latest = found.evaluations.order_by("-made_at", "-pk").first()
    if latest is None:
        raise Http404("no evaluation yet")
    latest.intervention = found
    return latest


def told_of(made: Evaluation) -> dict[str, Any]:
    """All that is shown of a kept evaluation, in the reader's language: what pages, print and sheets are made of."""
    found = made.intervention
    kept = json.loads(made.text)
    primary = metric_of(kept["metrics"][0])
    told = _report(kept, {place.slug: place for place in departments_of(found.starts)})
    told |= {"trial": trial_of(made, primary), "costs": costs_of(found, kept)}
    told |= {"whom": for_whom(found, kept)}
    told |= {"three": three_of(kept, metric_name(primary)), "calendar": calendar(found)}
    return told | {"lead": lead_of(kept["metrics"][0], told), "unsaid": unsaid_of(kept, told)}


def pdf_of_report(made: Evaluation) -> HttpResponse:
    """A kept evaluation to print."""
    found, told = made.intervention, told_of(made)
    foot = _("Registration %(hash)s · data of %(from)s to %(to)s") % {
        "hash": found.hash[:16],
        "from": numbers.day(told["from"]),
        "to": numbers.day(told["to"]),
    }
    printed = pdf_of(
        found.title, f"{found.organization.name} · {_period(told)}", _sections(told), foot, told["lead"].on_paper()
    )
    name = f'attachment; filename="impact-{found.pk}.pdf"'
    return HttpResponse(printed, content_type="application/pdf", headers={"Content-Disposition": name})


def _period(told: Mapping[str, Any]) -> str:
    return _("%(from)s to %(until)s") % {"from": numbers.day(told["from"]), "until": numbers.day(told["to"])}


def _three(told: Mapping[str, Any]) -> Section | None:
    return three_section(told["three"]) if told["three"] is not None else None


def _costs(told: Mapping[str, Any]) -> Section | None:
    return costs_section(told["costs"]) if told["costs"] is not None else None


def _whom(told: Mapping[str, Any]) -> Section | None:
    return for_whom_section(told["whom"]) if told["whom"] is not None else None


def _lasting(told: Mapping[str, Any]) -> Section | None:
    return lasting_section(told["lasting"]) if told["lasting"] is not None else None


def _began(told: Mapping[str, Any]) -> Section | None:
    return began_section(told["began"]) if told["began"] else None


def _sections(told: Mapping[str, Any]) -> list[Section]:
    """The first page answers; behind it stands what the answer rests on."""
    pictures = [told[name] for name in ("course", "forest", "placebo", "left_out", "places", "calendar")]
    study: parts.Chart | None = told["study"]
    three = _three(told)
    return [
        *([replace(chart_section(study), rows=(), heads=())] if study is not None else []),
        metrics_section(told["measured"]),
        *([three] if three is not None else []),
        lines_section(_("What it says"), [told["headline"], *told["sentences"]]),
        lines_section(_("What this does not show"), told["unsaid"]),
        *(section for section in (_lasting(told), _whom(told), _costs(told), _began(told)) if section is not None),
        *([lots.lot_section(told["drawn"])] if told["drawn"] else []),
        *([lines_section(_("Taken on trust"), told["assumptions"])] if told["assumptions"] else []),
        trial_section(told["trial"]),
        checks_section(told["checks"]),
        *([replace(chart_section(study), picture=None)] if study is not None else []),
        *(chart_section(chart) for chart in pictures if chart is not None),
    ]


def _found(viewer: Viewer, intervention_id: int) -> Intervention:
    rows = Intervention.objects.visible_to(viewer).select_related("organization")
    return get_object_or_404(rows, pk=intervention_id)


def _may_somewhere(viewer: Viewer) -> bool:
    return any(viewer.may(deed) for deed in MANAGING)


def _size(share: Any) -> str:
    return size_of(Metric(), share)


def _starts(found: Intervention, names: Mapping[str, Organization]) -> list[tuple[date | None, list[str]]]:
    """Who begins when: dates in order, those who wait at the end."""
    by_day: dict[str, list[str]] = {}
    company = found.organization.kind == Kind.COMPANY
    for slug, day in found.starts.items():
        place = names.get(slug)
        name = slug if place is None else place.name
        if place is not None and place.company is not None and not company:
            name = f"{place.company.name} · {name}"
        by_day.setdefault(day or "", []).append(name)
    days = [(date.fromisoformat(day), sorted(by_day[day])) for day in sorted(by_day) if day]
    return [*days, *([(None, sorted(by_day[""]))] if "" in by_day else [])]


def _gate(facts: Mapping[str, Any], names: Mapping[str, Organization], smallest: float) -> dict[str, Any]:
    """`misses`: an effect that just matters would be found in fewer than four of five such rollouts."""
    if not facts:
        return {}
    proposal = facts.get("proposal") or {}
    waiting = [names[slug] for slug in proposal.get("waiting", ()) if slug in names]
    return {
        "state": facts["state"],
        "misses": facts["detectable"] is not None and facts["detectable"] > smallest,
        "detectable": None if facts["detectable"] is None else _size(facts["detectable"]),
        "needed": facts["needed"],
        "remedies": [HELPS[code] for code in facts["remedies"]],
        "waiting": [f"{place.company.name} · {place.name}" if place.company else place.name for place in waiting],
        "proposed": _size(proposal["detectable"]) if proposal.get("detectable") is not None else None,
    }


@dataclass(frozen=True)
class Checked:
    """A row of the table of checks."""

    name: str
    code: str
    light: str
    tone: str
    number: str
    reason: str


def _report(told: Mapping[str, Any], names: Mapping[str, Organization]) -> dict[str, Any]:
    primary = told["metrics"][0]
    result, measure = primary["result"], metric_of(primary)
    metric = metric_name(measure)
    sentences = [said(one, metric) for one in primary["sentences"]]
    estimate, relative = result["estimate"], result["relative"]
    told_of_it = estimate is not None and estimate["low"] is not None and result["verdict"] != "description"
    stated = told_of_it and not by_ratio(result)
    return {
        "headline": sentences[0],
        "sentences": sentences[1:],
        "assumptions": [said(one, metric) for one in primary["assumptions"]],
        "word": VERDICTS[result["verdict"]][0],
        "tone": VERDICTS[result["verdict"]][1],
        "result": result,
        "design": DESIGNS[result["design"]],
        "effect": change_of(measure, estimate["value"]) if stated else None,
        "interval": (change_of(measure, estimate["low"]), change_of(measure, estimate["high"])) if stated else None,
        "relative": _relative(relative) if told_of_it and relative else None,
        "lasting": lasting_of(told),
        "began": began_lines(told),
        "drawn": lots.lot_lines(told),
        "unflagged": _unflagged(measure, told.get("without_flagged")) if stated else None,
        "detectable": size_of(measure, result["detectable"]) if result["detectable"] is not None and stated else None,
        "checks": [_checked(one, result["design"]) for one in result["checks"]],
        "fixes": [(reason(code), remedy(code)) for code in primary["against"]],
        "rails": [
            (metric_name(metric_of(rail)), size_of(metric_of(rail), rail["margin"]), *HELD[rail["held"]])
            for rail in told["guardrails"]
        ],
        "measured": measured(told),
        "forest": forest(told),
        "placebo": placebo(primary),
        "left_out": left_out(primary, names),
        "places": side_by_side(told, names),
        "from": date.fromisoformat(told["from"]),
        "to": date.fromisoformat(told["to"]),
        "course": _course(primary["weeks"], result["event_study"]),
        "study": _study(result["event_study"], primary["smallest"]),
    }


def _unflagged(measure: Metric, told: Mapping[str, Any] | None) -> tuple[int, str, str, str] | None:
    """How many days of people were left out for points under review, and the effect without them."""
    if told is None:
        return None
    value, low, high = (change_of(measure, told[name]) for name in ("value", "low", "high"))
    return told["days"], value, low, high


def _relative(relative: Mapping[str, Any]) -> tuple[str, str, str] | None:
    parts_ = [relative[name] for name in ("value", "low", "high")]
    if any(part is None for part in parts_):
        return None
    first, low, high = (f"{numbers.signed(part * 100)}%" for part in parts_)
    return first, low, high


def _checked(told: Mapping[str, Any], design: str) -> Checked:
    light, tone = LIGHTS[told["light"]]
    number = told["number"]
    written = "–" if number is None else numbers.full(number, 0 if float(number).is_integer() else 3)
    words = "" if told["light"] == "pass" else reason(told["code"])
    names = {**CHECKS, **CHECKS_OF_PEOPLE} if design == "people_drawn" else CHECKS
    return Checked(str(names.get(told["code"], told["code"])), told["code"], str(light), tone, written, words)


def _week(since: int) -> str:
    return f"{since:+d}".replace("-", "−") if since else "0"


def _course(weeks: list[Mapping[str, Any]], moments: list[Mapping[str, Any]]) -> parts.Chart | None:
    """With the band in which it would have been: what was seen, less either end of the effect's interval that week."""
    if len(weeks) < 2:
        return None
    ends = {one["since"]: one["estimate"] for one in moments if one["since"] >= 0}

    def without(end: str) -> list[float | None]:
        told = [(one["seen"], ends.get(one["week"], {}).get(end)) for one in weeks]
        return [None if off is None else seen - off for seen, off in told]

    low, high = without("high"), without("low")
    if all(end is None for end in low):
        low = high = []
    start = next((at for at, one in enumerate(weeks) if one["week"] >= 0), 0)
    return parts.Chart(
        id="impact-course",
        label=_("Observed, and what it would have been without it, by week since the start"),
        axis=_("Week since the start"),
        labels=[_week(one["week"]) for one in weeks],
        series=[
            parts.Series(_("As observed"), [one["seen"] for one in weeks], "line", "c1"),
            parts.Series(_("Without it"), [one["without"] for one in weeks], "dash", "c3", low=low, high=high),
        ],
        marks=[parts.Mark(start, _("Start"))],
        format="share",
    )


def _study(moments: list[Mapping[str, Any]], smallest: float) -> parts.Chart | None:
    kept = [one for one in moments if one["estimate"]["value"] is not None]
    if len(kept) < 2:
        return None
    start = next((at for at, one in enumerate(kept) if one["since"] >= 0), 0)

    def points(name: str) -> list[float | None]:
        return [None if one["estimate"][name] is None else one["estimate"][name] * 100 for one in kept]

    return parts.Chart(
        id="impact-study",
        label=_("Effect in percentage points by week since the start, with its 95% interval"),
        axis=_("Week since the start"),
        labels=[_week(one["since"]) for one in kept],
        series=[parts.Series(_("Effect (pp)"), points("value"), "line", "c1", low=points("low"), high=points("high"))],
        marks=[parts.Mark(start, _("Start"))],
        levels=[parts.Level(smallest * 100, _("Smallest that matters"), "c2")],
        format="decimal",
    )
