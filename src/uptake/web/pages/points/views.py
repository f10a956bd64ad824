"""My points, and a person's points for those who read the ledger of the person's company."""

from __future__ import annotations

import json
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from uptake.directory.models import Membership, Person
from uptake.directory.scope import Deed, Viewer
from uptake.ledger.proof import proof_of, public_key_of
from uptake.programme.adoption.finish_guides import look_at_points
from uptake.programme.in_force import RulebooksInForce
from uptake.programme.next_step import next_step
from uptake.programme.sentences import rule_sentence
from uptake.web.catalogue import labels_of
from uptake.web.pages.adoption.guide import card_of
from uptake.web.pages.adoption.news import unread_for
from uptake.web.pages.points.beside import level_of, merits_of, offers_of, open_redemptions, ranking_of
from uptake.web.pages.points.entries import SHOWN, listed_days
from uptake.web.pages.points.read import home_of, summary_of
from uptake.web.pages.rewards.views import waits_of
from uptake.web.standing_still import standing_still
from uptake.web.viewing import login_required, user_of, viewer_for

STEP_RULES: Final = 2


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The own points."""
    viewer = viewer_for(request)
    if viewer.person_id is None:
        return render(request, "points/nobody.html")
    return _page(request, viewer, user_of(request).person or Person.objects.get(pk=viewer.person_id))


@login_required
def person(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Somebody's points, to read only: for those who may see the ledger where the person belongs."""
    viewer = viewer_for(request)
    if person_id != viewer.person_id:
        places = Membership.objects.filter(viewer.within("organization__path", Deed.SEE_LEDGER), person_id=person_id)
        if not places.exists():
            raise Http404("no such person")
    return _page(request, viewer, get_object_or_404(Person.objects.visible_to(viewer), pk=person_id))


@login_required
def proof(request: HttpRequest) -> HttpResponseBase:
    """One's own points as a signed file that can be checked without us."""
    viewer = viewer_for(request)
    who = get_object_or_404(Person, pk=viewer.person_id or 0)
    now = timezone.now()
    where = home_of(who, now)
    if where is None:
        raise Http404("no points")
    about = {"person": who.name, "company": where.company.name, "public_key_at": reverse("points:proof-key")}
    made = proof_of(book=where.company.pk, owner=str(who.pk), now=now, key=settings.PROOF_KEY, about=about)
    answer = HttpResponse(json.dumps(made, ensure_ascii=False, indent=1), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="points-{where.today.isoformat()}.json"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@login_required
def next_best(request: HttpRequest) -> HttpResponseBase:
    """The one deed that pays most for the viewer now: asked for by the page once it is there."""
    viewer = viewer_for(request)
    who = get_object_or_404(Person, pk=viewer.person_id or 0)
    now = timezone.now()
    where = home_of(who, now)
    step = next_step(who.pk, where.company, now=now) if where is not None else None
    context: dict[str, Any] = {"step": step}
    if step is not None:
        labels = labels_of([step.event])
        context |= {
            "event": labels.event(step.event),
            "sentences": [rule_sentence(rule, labels) for rule in step.rules[:STEP_RULES]],
        }
    return render(request, "points/next.html", context)


def proof_key(request: HttpRequest) -> HttpResponseBase:
    """The public key of this installation, for anybody who checks a proof."""
    return HttpResponse(public_key_of(settings.PROOF_KEY) + "\n", content_type="text/plain; charset=utf-8")


def _page(request: HttpRequest, viewer: Viewer, who: Person) -> HttpResponseBase:
    now = timezone.now()
    own = who.pk == viewer.person_id
    where = home_of(who, now)
    context: dict[str, Any] = {"who": who, "own": own, "home": where}
    if where is None:
        return render(request, "points/empty.html", context)
    with timezone.override(where.zone):
        show = request.GET.get("show", "all")
        show = show if show in SHOWN else "all"
        rule = request.GET.get("rule", "")
        page, days = listed_days(viewer, who, where, show=show, rule=rule, number=request.GET.get("page"))
        context |= {"page": page, "days": days, "show": show, "rule": rule, "today": where.today}
        if request.headers.get("HX-Target") != "list":
            books = RulebooksInForce([where.company.pk])
            context["summary"] = summary = summary_of(who, where, now)
            context["level"] = level = level_of(who, where, books, now)
            context["redemptions"] = open_redemptions(who, viewer, now)
            if own:
                context["ranking"] = ranking_of(where, viewer, now)
                belongs = any(place.startswith(where.company.path) for place in viewer.places)
                context["offers"] = offers_of(where, summary.points, level, books, now) if belongs else None
                context["waits"] = waits_of(viewer, now)
                context["still"] = standing_still(viewer, where.company)
                context["news"] = unread_for(viewer)
                context["guide"] = card_of(who, where.company, viewer) if belongs else None
                if belongs and (context["guide"] or "guide" in request.GET):
                    # That one looked here is a step of the starter guide.
                    look_at_points(company=where.company, by=viewer, now=now)
                context["merits"] = merits_of(where, viewer, now) if belongs else None
        return render(request, "points/home.html", context)
