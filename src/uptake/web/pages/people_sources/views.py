"""The sources of people of the companies one manages; whoever manages data there, too, says how they are asked."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import npgettext
from django.views.decorators.http import require_POST

from uptake.connectors.people import change_source
from uptake.connectors.people.ask import ask
from uptake.connectors.people.keep_scim import let_leave
from uptake.connectors.people.look import look
from uptake.connectors.people.models import PeopleSource, SaidPerson, Sort
from uptake.connectors.people.plan import Plan, too_many_leave
from uptake.connectors.people.words import DEEDS, FIELDS, reason, trouble
from uptake.connectors.pull.protocol import Problem
from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.web.pages.people_sources.forms import SourceForm
from uptake.web.viewing import NotYours, needs, viewer_for

SHOWN: Final = 300
RUNS: Final = 15
TONES: Final = {"new": "good", "back": "good", "leaves": "warn", "refused": "bad", "same": "off", "gone": "warn"}


@needs(Deed.MANAGE_PEOPLE)
def home(request: HttpRequest) -> HttpResponseBase:
    """All of them, with their state."""
    viewer = viewer_for(request)
    sources = (
        PeopleSource.objects.visible_to(viewer)
        .select_related("company")
        .annotate(belonging=Count("people", filter=Q(people__belongs=True)))
        .order_by("company__name", "pk")
    )
    context = {
        "rows": [(one, *_state(one)) for one in sources],
        "sorts": Sort.choices if _companies(viewer) else [],
    }
    return render(request, "people_sources/home.html", context)


@needs(Deed.MANAGE_PEOPLE)
def new(request: HttpRequest, sort: str) -> HttpResponseBase:
    """A new source. The key of SCIM is shown on the page that answers, this one time."""
    viewer = viewer_for(request)
    companies = _companies(viewer)
    if sort not in Sort.values:
        raise Http404
    if not companies:
        raise NotYours(Deed.MANAGE_DATA)
    title = Sort(sort).label
    form = SourceForm(request.POST or None, sort=sort, companies=companies, initial={"name": title})
    if request.method == "POST" and form.is_valid():
        settings, secrets = form.given()
        source, key = change_source.add_source(
            company=next(one for one in companies if one.slug == form.cleaned_data["company"]),
            sort=Sort(sort),
            name=form.cleaned_data["name"],
            settings=settings,
            secrets=secrets,
            by=viewer,
            now=timezone.now(),
        )
        if key:
            return _page(request, source, key=key)
        messages.success(request, _("Added. Look at the preview, then switch it on."))
        return redirect("people_sources:one", source.pk)
    context = {"form": form, "title": title, "sort": sort}
    return render(request, "people_sources/form.html", context, status=422 if form.errors else 200)


@needs(Deed.MANAGE_PEOPLE)
def one(request: HttpRequest, source_id: int) -> HttpResponseBase:
    """One source: its state, what it could not do, its last runs."""
    return _page(request, _source(request, source_id))


@needs(Deed.MANAGE_PEOPLE)
def change(request: HttpRequest, source_id: int) -> HttpResponseBase:
    """Another name, address or secret."""
    viewer, source = viewer_for(request), _source(request, source_id)
    if not change_source.may_set_up(viewer, source.company):
        raise NotYours(Deed.MANAGE_DATA)
    initial = {"name": source.name}
    form = SourceForm(request.POST or None, sort=source.sort, companies=[], kept=source.settings, initial=initial)
    if request.method == "POST" and form.is_valid():
        settings, secrets = form.given()
        change_source.change_source(
            source=source,
            name=form.cleaned_data["name"],
            settings=settings,
            secrets=secrets,
            by=viewer,
            now=timezone.now(),
        )
        messages.success(request, _("Saved."))
        return redirect("people_sources:one", source.pk)
    context = {"form": form, "title": source.name, "source": source}
    return render(request, "people_sources/form.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Deed.MANAGE_PEOPLE)
def do(request: HttpRequest, source_id: int) -> HttpResponseBase:
    """Preview, switch on, read now, pause, confirm that many leave, make a new key."""
    viewer, source, now = viewer_for(request), _source(request, source_id), timezone.now()
    deed = request.POST.get("do", "")
    try:
        match deed:
            case "preview" if source.sort != Sort.SCIM:
                try:
                    return _page(request, source, plan=look(source=source, said=ask(source), now=now))
                except Problem as problem:
                    return _page(request, source, wrong=reason(problem.code), detail=problem.detail)
            case "resume":
                change_source.resume(source=source, by=viewer, now=now)
                messages.success(request, _("Switched on. It is read within a minute, and from now on."))
            case "pause":
                change_source.pause(source=source, by=viewer, now=now)
                messages.success(request, _("Paused. Nobody comes or goes through it."))
            case "confirm":
                keys = request.POST.getlist("key")
                change_source.confirm(source=source, keys=keys, by=viewer, now=now)
                if source.sort == Sort.SCIM:
                    let_leave(source=source, now=now)
                messages.success(request, _("Confirmed. They leave now; nobody is deleted."))
            case "key" if source.sort == Sort.SCIM:
                key = change_source.new_key(source=source, by=viewer, now=now)
                return _page(request, source, key=key)
    except NotAllowed:
        raise NotYours(Deed.MANAGE_DATA) from None
    return redirect("people_sources:one", source.pk)


def _page(
    request: HttpRequest,
    source: PeopleSource,
    *,
    key: str = "",
    plan: Plan | None = None,
    wrong: str = "",
    detail: str = "",
) -> HttpResponseBase:
    viewer = viewer_for(request)
    people = SaidPerson.objects.filter(source=source)
    waiting = list(people.filter(active=False, belongs=True).order_by("name")) if source.sort == Sort.SCIM else []
    tone, words = _state(source)
    attention = source.attention or {}
    context: dict[str, Any] = {
        "source": source,
        "tone": tone,
        "state": words,
        "key": key,
        "why": reason(attention["code"]) if attention else "",
        "attention": attention,
        "wrong": wrong,
        "detail": detail,
        "belonging": people.filter(belongs=True).count(),
        "troubles": [(row, trouble(row.trouble)) for row in people.exclude(trouble="").order_by("name")[:SHOWN]],
        "runs": [(run, _outcome(run.outcome), _counts(run.counts), _why(run.problem)) for run in _runs(source)],
        "waiting": waiting,
        "address": request.build_absolute_uri("/scim/v2/") if source.sort == Sort.SCIM else "",
        "may_set_up": change_source.may_set_up(viewer, source.company),
    }
    if plan is not None:
        changed = [line for line in plan.people if line.deed not in ("same", "unknown_inactive")]
        context["plan"] = {
            "counts": _counts({what: n for what, n in plan.counts.items() if not what.startswith("places_")}),
            "stopped": too_many_leave(plan, source.confirmed),
            "leaving": plan.leaving,
            "base": plan.base,
            "people": [_line(line) for line in changed[:SHOWN]],
            "more": max(0, len(changed) - SHOWN),
            "places": [
                (line.name, DEEDS[line.deed], TONES.get(line.deed, "info"), trouble(line.why))
                for line in plan.places
                if line.deed != "same"
            ][:SHOWN],
        }
    return render(request, "people_sources/one.html", context)


def _line(line: Any) -> dict[str, Any]:
    return {
        "name": line.name or line.key,
        "key": line.key,
        "email": line.said.email if line.said else "",
        "deed": DEEDS[line.deed],
        "tone": TONES.get(line.deed, "info"),
        "changes": [FIELDS[what] for what in line.changes],
        "why": trouble(line.why),
    }


def _runs(source: PeopleSource) -> Any:
    return source.runs.order_by("-pk")[:RUNS]


def _counts(counts: dict[str, int]) -> list[tuple[str, int]]:
    """(word, number) of what happened to people; departments under one word."""
    found = [(str(DEEDS[what]), n) for what, n in counts.items() if what in DEEDS and n]
    places = sum(n for what, n in counts.items() if what.startswith("places_"))
    return [*found, (npgettext("after a number", "department", "departments", places), places)] if places else found


def _outcome(outcome: str) -> tuple[str, str]:
    return {
        "done": ("good", _("Taken over")),
        "held": ("warn", _("Stopped: many would leave")),
        "failed": ("bad", _("Failed")),
    }[outcome]


def _why(problem: dict[str, str] | None) -> str:
    return reason(problem["code"]) if problem else ""


def _state(source: PeopleSource) -> tuple[str, str]:
    if source.paused_at is not None:
        return "off", _("Switched off") if source.read_at is None else _("Paused")
    if source.attention is not None:
        return "bad", _("Needs attention")
    if source.failures:
        return "warn", _("Could not be reached")
    if source.read_at is None:
        return "warn", _("Waits for its first people")
    return "good", _("Up to date")


def _companies(viewer: Viewer) -> list[Organization]:
    """Open companies whose sources the viewer may set up."""
    places = Organization.objects.open().filter(
        viewer.within("path", Deed.MANAGE_DATA), viewer.within("path", Deed.MANAGE_PEOPLE), kind=Kind.COMPANY
    )
    return list(places.order_by("name"))


def _source(request: HttpRequest, source_id: int) -> PeopleSource:
    visible = PeopleSource.objects.visible_to(viewer_for(request)).select_related("company")
    found: PeopleSource = get_object_or_404(visible, pk=source_id)
    return found
