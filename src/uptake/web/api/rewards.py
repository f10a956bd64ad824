"""Rewards over HTTP, by an access token: what one can redeem, what one asked for, and extra leave for the HR system."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from uptake.directory.models import Kind, Organization
from uptake.directory.scope import Deed, Viewer, viewer_of
from uptake.directory.tokens import opened_by
from uptake.programme.rewards.export_leave import export_leave
from uptake.programme.rewards.models import Redemption
from uptake.programme.rewards.shelf import shelf
from uptake.web.api.bucket import Buckets
from uptake.web.api.intake import JSON
from uptake.web.api.limits import QUESTIONS_AT_ONCE, QUESTIONS_PER_SECOND
from uptake.web.api.refusal import Refused
from uptake.web.pages.rewards.views import company_of

LINES = 500
_buckets = Buckets(QUESTIONS_PER_SECOND, QUESTIONS_AT_ONCE)
_counting = threading.Lock()


def answer_rewards(request: HttpRequest) -> HttpResponse:
    """What the person of the token can ask for, the cheapest first."""
    return answered(request, _rewards)


def answer_redemptions(request: HttpRequest) -> HttpResponse:
    """What the person of the token asked for, newest first."""
    return answered(request, _redemptions)


def answer_leave(request: HttpRequest) -> HttpResponse:
    """Extra leave of a company whose reward desk the person of the token keeps; what is told counts as told to HR."""
    return answered(request, _leave)


def _rewards(_request: HttpRequest, who: Viewer) -> dict[str, Any]:
    company = company_of(who)
    if company is None or who.person_id is None:
        return {"available": 0, "rewards": []}
    found = shelf(company, who.person_id, now=timezone.now())
    rows = [
        {
            "id": one.reward.pk,
            "kind": one.reward.kind,
            "name_en": one.reward.name_in("en"),
            "name_zh": one.reward.name_in("zh"),
            "price": one.reward.price,
            "left": one.reward.left,
            "missing": one.missing,
            "refused": one.why_not,
        }
        for one in found.items
    ]
    return {"available": found.points.available, "rewards": rows}


def _redemptions(_request: HttpRequest, who: Viewer) -> dict[str, Any]:
    now = timezone.now()
    rows = Redemption.objects.visible_to(who).filter(person_id=who.person_id or 0).order_by("-requested_at", "-pk")
    told = [
        {
            "id": row.pk,
            "reward": row.reward_id,
            "price": row.price,
            "redeemed": row.points,
            "state": str(row.state_at(now)),
            "requested_at": row.requested_at,
            "times_out_at": row.times_out_at,
            "resolved_at": row.resolved_at,
        }
        for row in rows[:LINES]
    ]
    return {"redemptions": told}


def _leave(request: HttpRequest, who: Viewer) -> dict[str, Any]:
    allowed = Organization.objects.filter(who.within("path", Deed.MANAGE_RULES), kind=Kind.COMPANY)
    company = allowed.filter(slug=request.GET.get("company", "")).first()
    if company is None:
        raise Refused(403, "no_such_company", "Name a company whose reward desk you keep: ?company=<slug>.")
    since = None
    if text := request.GET.get("since", ""):
        try:
            since = parse_datetime(text)
        except ValueError:
            since = None
        if since is None or since.tzinfo is None:
            raise Refused(400, "bad_since", "since is an instant with its offset, such as 2026-05-13T00:00:00Z.")
    found = export_leave(company=company, now=timezone.now(), since=since)
    return {
        "leave": [
            {
                "id": one.id,
                "person": one.person,
                "staff_number": one.staff_number,
                "email": one.email,
                "days": float(one.days),
                "from_date": one.from_date,
                "state": str(one.state),
                "requested_at": one.requested_at,
                "resolved_at": one.resolved_at,
            }
            for one in found
        ]
    }


def answered(request: HttpRequest, read: Callable[[HttpRequest, Viewer], dict[str, Any]]) -> HttpResponse:
    """What is read for the person of the access token, or why it is not."""
    try:
        body, status, headers = orjson.dumps(read(request, _who(request))), 200, {}
    except Refused as refusal:
        body = orjson.dumps({"error": refusal.error, "detail": refusal.detail, **refusal.more})
        status, headers = refusal.status, dict(refusal.headers)
    response = HttpResponse(body, status=status)
    for name, value in {**JSON, **headers, "Cache-Control": "no-store"}.items():
        response[name] = value
    return response


def _who(request: HttpRequest) -> Viewer:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    user = opened_by(secret=secret.strip(), now=datetime.now(UTC)) if scheme.lower() == "bearer" else None
    if user is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="rewards"'}
        raise Refused(401, "no_token", "Send an access token: Authorization: Bearer upt_….", {}, challenge)
    with _counting:
        wait = _buckets.take(user.pk, 1, time.monotonic())
    if wait:
        seconds = str(math.ceil(wait))
        raise Refused(429, "too_fast", "This token asks too fast.", {}, {"Retry-After": seconds})
    return viewer_of(user, today=timezone.localdate())
