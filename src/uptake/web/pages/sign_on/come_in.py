"""Signs in whom a protocol of ours (not of allauth's) has proved: their second step is asked as after a password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from uptake.directory.sign_on.claims import Claims
from uptake.directory.sign_on.let_in import Refused, let_in
from uptake.directory.sign_on.models import SignOn
from uptake.web.pages.sign_on.answers import refused, tried

PROVED = "sign_on"
"""The word by which the account's adapter knows that no password let somebody in."""


def come_in(
    request: HttpRequest,
    sign_on: SignOn,
    claims: Claims,
    said: Mapping[str, Any],
    *,
    trial: Mapping[str, Any] | None,
    next_page: str,
) -> HttpResponse:
    """In, or the page that says why not; a test signs nobody in."""
    now = timezone.now()
    if trial:
        return tried(request, sign_on, claims, said, trial, now)
    try:
        user = let_in(sign_on=sign_on, claims=claims, now=now)
    except Refused as refusal:
        return refused(request, sign_on, refusal.why)
    record_authentication(request, user, method="socialaccount", provider=sign_on.slug, uid=claims.subject)
    login = Login(user=user, redirect_url=safe_page(request, next_page) or None, signal_kwargs={PROVED: sign_on.slug})
    answer: HttpResponse = perform_login(request, login)
    return answer


def safe_page(request: HttpRequest, target: str) -> str:
    """A page of this house, else nothing."""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if target and safe else ""
