"""Points under review: the queue with each detector's record, and one finding with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, Sum
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.events.models import Event
from uptake.insight.gaming.decide import give_opinion
from uptake.insight.gaming.models import DECIDING, Finding, Outcome, Verdict
from uptake.insight.gaming.record_of import records
from uptake.insight.gaming.refusals import Refused
from uptake.programme.models import StandingChange
from uptake.programme.rewards.models import Redemption
from uptake.web import numbers
from uptake.web.catalogue import labels_of
from uptake.web.pages.gaming.evidence import said_by
from uptake.web.pages.gaming.follows import FOLLOWS, would_follow
from uptake.web.pages.gaming.words import LINES, NAMES, REFUSALS, RULES, TONES
from uptake.web.viewing import NotYours, needs, place_for, viewer_for

A_PAGE = 25
SHOWN_EVENTS = 40


@dataclass(frozen=True)
class Listed:
    """A finding as lists show it."""

    finding: Finding
    name: str | Promise
    line: str
    word: str
    tone: str


@needs(Deed.SEE_EVENTS)
def home(request: HttpRequest) -> HttpResponseBase:
    """What waits, what was decided (`?show=decided`), and how often each detector was right."""
    viewer = viewer_for(request)
    rows = Finding.objects.visible_to(viewer)
    if request.GET.get("at"):
        rows = rows.filter(company__path__startswith=place_for(request, Deed.SEE_EVENTS).path)
    decided = request.GET.get("show") == "decided"
    waiting = rows.open().count()
    rows = rows.filter(outcome__isnull=not decided).select_related("company", "person", "outcome")
    page = Paginator(rows.order_by("-found_at", "-pk"), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_listed(one) for one in page.object_list],
        "decided": decided,
        "waiting": waiting,
        "records": [
            (NAMES[one.detector], RULES[one.detector], one, numbers.share(one.precision, 0)) for one in records()
        ],
    }
    return render(request, "gaming/home.html", context)


@needs(Deed.SEE_EVENTS)
def one(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    """One finding with its events; a POST gives an opinion."""
    viewer = viewer_for(request)
    rows = Finding.objects.visible_to(viewer).select_related("company", "person", "outcome")
    found = get_object_or_404(rows, pk=finding_id)
    wrong = ""
    if request.method == "POST":
        wrong = _say(request, found, viewer)
        if not wrong:
            return redirect("gaming:one", found.pk)
    opinions = list(found.opinions.select_related("by__person").order_by("at", "pk"))
    may = all(viewer.may(deed, found.company) for deed in DECIDING)
    events = list(
        Event.objects.visible_to(viewer).filter(pk__in=found.events[-SHOWN_EVENTS:]).order_by("happened_at", "pk")
    )
    labels = labels_of(sorted({event.name for event in events})).events
    said_of = said_by(events, viewer)
    said = any(opinion.by_id == viewer.user_id for opinion in opinions)
    would = would_follow(found, timezone.now()) if may and _outcome(found) is None else None
    context: dict[str, Any] = {
        "one": found,
        "listed": _listed(found),
        "rule": RULES[found.detector],
        "chance": numbers.full(max(float(found.numbers["p"]), 0.0001), 4) if "p" in found.numbers else "",
        "opinions": [(opinion, TONES[opinion.verdict]) for opinion in opinions],
        "may": may and not said and _outcome(found) is None,
        "waits": may and said and _outcome(found) is None,
        "second": any(opinion.verdict == Verdict.REAL for opinion in opinions),
        "verdicts": Verdict.choices,
        "events": [(event, labels.get(event.name, event.name), said_of.get(event.pk, "")) for event in events],
        "more": len(found.events) - len(events),
        "would": would,
        "waiting": _named(would.redemptions) if would else [],
        "voided": _named(_voided(found)) if may else [],
        "changes": _changes(found),
        "wrong": wrong,
        "typed": request.POST,
    }
    with timezone.override(settings_at(found.company).at(timezone.now()).zone):
        return render(request, "gaming/one.html", context, status=422 if wrong else 200)


def _say(request: HttpRequest, found: Finding, viewer: Viewer) -> str:
    verdict = request.POST.get("verdict", "")
    if verdict not in Verdict.values:
        raise Http404("no such verdict")
    try:
        ended = give_opinion(
            finding=found,
            verdict=Verdict(verdict),
            reason=request.POST.get("reason", ""),
            by=viewer,
            follows=FOLLOWS,
            now=timezone.now(),
        )
    except Refused as refused:
        return REFUSALS[type(refused)]()
    except NotAllowed:
        raise NotYours(Deed.MANAGE_RULES) from None
    messages.success(request, _("Decided.") if ended else _("Noted. A second person has to say the same."))
    return ""


def _voided(found: Finding) -> Iterable[Redemption]:
    return Redemption.objects.filter(company=found.company, cause=found.hold).select_related("reward").order_by("pk")


def _named(rows: Iterable[Redemption]) -> list[tuple[Redemption, str]]:
    language = get_language() or "en"
    return [(row, row.reward.name_in(language)) for row in rows]


def _changes(found: Finding) -> tuple[int, int]:
    """Points that no longer count for level and boards because of it, and those that count again after an appeal."""
    rows = StandingChange.objects.filter(company=found.company, about=found.hold)
    sums = rows.aggregate(
        taken=Sum("points", filter=Q(falls=True), default=0), back=Sum("points", filter=Q(falls=False), default=0)
    )
    return -sums["taken"], sums["back"]


def _outcome(found: Finding) -> Outcome | None:
    return getattr(found, "outcome", None)


def _listed(found: Finding) -> Listed:
    ended = _outcome(found)
    word, tone = (ended.get_verdict_display(), TONES[ended.verdict]) if ended else (_("Waits for people"), "info")
    return Listed(found, NAMES[found.detector], LINES[found.detector](found.numbers), word, tone)
