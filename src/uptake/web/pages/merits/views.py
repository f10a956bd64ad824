"""Badges and challenges as people meet them: what one has, what one can have, what one can join."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from uptake.directory.models import Organization
from uptake.directory.place import settings_at
from uptake.directory.scope import Deed, NotAllowed, Viewer
from uptake.programme.merits.define_badge import may_keep
from uptake.programme.merits.join_challenge import join_challenge, leave_challenge
from uptake.programme.merits.models import Challenge, ChallengeState, Participant
from uptake.programme.merits.plan_challenge import cancel_challenge, open_challenge
from uptake.programme.merits.refusals import Refusal
from uptake.programme.merits.verify_challenge import prizes_of, verify_challenge
from uptake.web.pages.merits.reading import badges_of, challenges_of, closing_of, lines_of
from uptake.web.pages.merits.words import in_words
from uptake.web.pages.rewards.views import company_of
from uptake.web.viewing import NotYours, login_required, viewer_for

OVER_SHOWN = 12


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The viewer's badges, the challenges that run, and those that are over."""
    viewer = viewer_for(request)
    company = company_of(viewer)
    keeps = viewer.may(Deed.MANAGE_PEOPLE) or viewer.may(Deed.MANAGE_RULES)
    if company is None or viewer.person_id is None:
        return render(request, "merits/nobody.html", {"keeps": keeps})
    now = timezone.now()
    today = settings_at(company).date_of(now)
    rows = Challenge.objects.visible_to(viewer).filter(company=company).exclude(state=ChallengeState.DRAFT)
    running = rows.filter(state=ChallengeState.OPEN).order_by("until_date", "pk")
    over = rows.exclude(state=ChallengeState.OPEN).order_by("-until_date", "-pk")[:OVER_SHOWN]
    badges = badges_of(viewer.person_id, company)
    context = {
        "company": company,
        "keeps": keeps,
        "mine": [one for one in badges if one.given],
        "others": [one for one in badges if not one.given],
        "running": challenges_of(running, viewer, company, today=today, now=now),
        "over": challenges_of(over, viewer, company, today=today, now=now),
    }
    return render(request, "merits/home.html", context)


@login_required
def challenge(request: HttpRequest, challenge_id: int) -> HttpResponseBase:
    """One challenge: how far everybody came; POST joins or leaves it, or moves it on."""
    viewer = viewer_for(request)
    row = get_object_or_404(
        Challenge.objects.visible_to(viewer).select_related("company", "place", "budget"), pk=challenge_id
    )
    now = timezone.now()
    if request.method == "POST":
        _do(request, row, viewer)
        return redirect("merits:challenge", challenge_id=row.pk)
    today = settings_at(row.company).date_of(now)
    keeps = may_keep(viewer, row.company)
    lines = lines_of(row, viewer)
    (told,) = challenges_of([row], viewer, row.company, today=today, now=now)
    took_part = told.mine is not None
    planned = row.made_by_person_id is not None and row.made_by_person_id == viewer.person_id
    planned = planned or row.made_by_id == viewer.user_id
    context: dict[str, Any] = {
        "one": told,
        "row": row,
        "lines": lines,
        "met": sum(line.met for line in lines),
        "closes_at": closing_of(row) if row.state == ChallengeState.OPEN else None,
        "may_join": told.running and not took_part and belongs(viewer, row.place) and not (row.pool and planned),
        "may_leave": told.running and took_part,
        "keeps": keeps,
        "may_open": keeps and row.state == ChallengeState.DRAFT,
        "may_cancel": keeps and row.state in (ChallengeState.DRAFT, ChallengeState.OPEN, ChallengeState.ENDED),
        "ended": row.state == ChallengeState.ENDED,
        "may_verify": keeps and row.state == ChallengeState.ENDED and not planned and not took_part,
        "to_pay": sum(prizes_of(row).values()) if keeps and row.state == ChallengeState.ENDED else None,
        "paid": sum(Participant.objects.filter(challenge=row).values_list("prize", flat=True)),
    }
    return render(request, "merits/challenge.html", context)


def belongs(viewer: Viewer, place: Organization) -> bool:
    """Whether the viewer belongs at or below the place."""
    return any(path.startswith(place.path) for path in viewer.places)


def _do(request: HttpRequest, row: Challenge, viewer: Viewer) -> None:
    now = timezone.now()
    do = request.POST.get("do", "")
    try:
        if do == "join":
            join_challenge(challenge_id=row.pk, by=viewer, now=now)
            messages.success(request, _("You take part."))
        elif do == "leave":
            leave_challenge(challenge_id=row.pk, by=viewer, now=now)
            messages.success(request, _("You take part no more."))
        elif do == "open":
            open_challenge(challenge_id=row.pk, by=viewer, now=now)
            messages.success(request, _("The challenge is open. Its prizes wait in escrow."))
        elif do == "cancel":
            cancel_challenge(challenge_id=row.pk, why=request.POST.get("why", ""), by=viewer, now=now)
            messages.success(request, _("Called off. What was in escrow is back in the budget."))
        elif do == "verify":
            verify_challenge(challenge_id=row.pk, by=viewer, now=now)
            messages.success(request, _("Verified and paid out. What was left is back in the budget."))
        else:
            raise Http404("no such deed")
    except NotAllowed:
        raise NotYours(Deed.MANAGE_RULES) from None
    except Refusal as refused:
        messages.error(request, in_words(refused))
