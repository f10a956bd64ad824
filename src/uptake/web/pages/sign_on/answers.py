"""The pages at the end of a sign-in that did not let somebody in, and of a test."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from uptake.directory.models import User
from uptake.directory.sign_on.claims import Claims
from uptake.directory.sign_on.let_in import Refused, Why, person_of
from uptake.directory.sign_on.models import SignOn
from uptake.directory.sign_on.set_up import keep_trial, may_set_up
from uptake.web.viewing import viewer_for

LOG = logging.getLogger(__name__)
TRIAL = "sign_on_trial"
"""Where the session keeps what a test told, for the one who tested."""
REASONS: Mapping[Why, str | Promise] = {
    Why.PAUSED: _("Signing in with it is paused."),
    Why.UNKNOWN: _("Nobody of this place has the e-mail or staff number that it told us."),
    Why.UNVERIFIED: _("It told us an e-mail address that it has not verified. Verify it there, then sign in again."),
    Why.FOREIGN_DOMAIN: _("Your e-mail address there is not of a domain that it may speak of here."),
    Why.DOUBTFUL: _(
        "Several people fit what it told us. Whoever manages people can put their e-mails and staff numbers right."
    ),
    Why.LEFT: _("You do not belong to this place today."),
    Why.CLOSED: _("Your login is closed."),
    Why.BEYOND: _("You also belong, or have a role, where it has no say. Sign in with your password."),
    Why.TAKEN: _("Your login belongs to another account there. Whoever set this up can unlink it."),
}


def refused(request: HttpRequest, sign_on: SignOn, why: Why) -> HttpResponse:
    """403 with the reason: who gets here has proved to the other system who they are."""
    return render(request, "sign_on/refused.html", {"way": sign_on, "reason": REASONS[why]}, status=403)


def failed(request: HttpRequest, sign_on: SignOn, told: str, *, cancelled: bool = False) -> HttpResponse:
    """The other system did not prove who somebody is. What exactly went wrong sees only the one who tests."""
    told = " ".join(told.split())[:300]
    if not cancelled:
        LOG.warning("sign-in with %s failed: %s", sign_on.slug, told)
    trial = getattr(request, TRIAL, None)
    if trial and trial.get("user") == request.user.pk and may_set_up(viewer_for(request), sign_on.organization):
        kept = {"sign_on": sign_on.pk, "failure": told or "cancelled", "said": {}, "why": "", "person": ""}
        request.session[TRIAL] = kept
        return HttpResponseRedirect(f"{reverse('sign_on:one', args=[sign_on.pk])}#test")
    return render(request, "sign_on/failed.html", {"way": sign_on, "cancelled": cancelled}, status=401)


def tried(
    request: HttpRequest,
    sign_on: SignOn,
    claims: Claims,
    said: Mapping[str, Any],
    trial: Mapping[str, Any],
    now: datetime,
) -> HttpResponse:
    """Keeps what came for the one who tests, in their session only; nobody is signed in or linked."""
    if not isinstance(request.user, User) or trial.get("user") != request.user.pk:
        return refused(request, sign_on, Why.UNKNOWN)
    viewer = viewer_for(request)
    if not may_set_up(viewer, sign_on.organization):
        return refused(request, sign_on, Why.UNKNOWN)
    why, name = "", ""
    try:
        person = person_of(sign_on=sign_on, claims=claims, now=now)
        name = person.name if person else claims.name or claims.email
        keep_trial(sign_on=sign_on, by=viewer, now=now)
    except Refused as refusal:
        why = refusal.why.value
    shown = {str(key)[:60]: str(value)[:200] for key, value in sorted(said.items())[:60]}
    request.session[TRIAL] = {"sign_on": sign_on.pk, "failure": "", "said": shown, "why": why, "person": name}
    return HttpResponseRedirect(f"{reverse('sign_on:one', args=[sign_on.pk])}#test")
