"""What someone sees after too many wrong passwords, and under which name failures are counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

NAME_TRIED = "name_tried"
"""Where a request says by itself under which name it is counted; what is posted has no say then."""


def name_tried(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The name as typed, in one spelling, so that capitals do not give new tries."""
    own: str = getattr(request, NAME_TRIED, "")
    if own:
        return own
    typed = request.POST.get("login", "") if request is not None else ""
    if not typed and credentials:
        typed = str(credentials.get("username") or credentials.get("email") or "")
    return typed.strip().casefold()[:255]


def locked_out(
    request: HttpRequest, original: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """429 with the time from which one may try again."""
    wait = get_cool_off(request)
    last: datetime | None = (
        AccessAttempt.objects.filter(username=name_tried(request, credentials))
        .order_by("-attempt_time")
        .values_list("attempt_time", flat=True)
        .first()
    )
    now = timezone.now()
    again_at = (last or now) + wait
    response = render(request, "account/locked_out.html", {"again_at": again_at}, status=429)
    response["Retry-After"] = str(max(1, int((again_at - now).total_seconds()) + 1))
    return response
