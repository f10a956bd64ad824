"""Signing in with another system's login: the way there and the way back."""

from __future__ import annotations

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2LoginView
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods
from requests import RequestException

from uptake.directory.sign_on.let_in import Why
from uptake.directory.sign_on.models import Protocol, SignOn
from uptake.directory.sign_on.proper import CHATS
from uptake.directory.sign_on.set_up import may_set_up
from uptake.web.pages.sign_on import chats, oidc
from uptake.web.pages.sign_on.answers import TRIAL, failed, refused
from uptake.web.pages.sign_on.by_password import ask_for_password
from uptake.web.pages.sign_on.by_saml import to_system
from uptake.web.viewing import viewer_for


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, way: str) -> HttpResponseBase:
    """To the other system, or to a page of ours that asks for its password.

    With `?test=1`, for those who may set it up, nobody is signed in afterwards.
    """
    sign_on = get_object_or_404(SignOn.objects.select_related("organization"), slug=way)
    trial = _trial(request, sign_on)
    setattr(request, TRIAL, trial)
    if trial is None and (sign_on.paused_at is not None or sign_on.organization.closed_at is not None):
        return refused(request, sign_on, Why.PAUSED)
    match sign_on.protocol:
        case Protocol.LDAP:
            return ask_for_password(request, sign_on)
        case Protocol.SAML:
            return to_system(request, sign_on)
        case _:
            return _to_issuer(request, sign_on)


@never_cache
@require_GET
def callback(request: HttpRequest, way: str) -> HttpResponseBase:
    """Back from the other system."""
    ways = SignOn.objects.select_related("organization").filter(protocol__in=(Protocol.OIDC, *CHATS))
    sign_on = get_object_or_404(ways, slug=way)
    issuer = request.GET.get("iss")
    if sign_on.protocol == Protocol.OIDC and issuer is not None and issuer.rstrip("/") != sign_on.address.rstrip("/"):
        return failed(request, sign_on, "another system answered (iss)")
    try:
        answer: HttpResponseBase = oidc.Callback.adapter_view(_adapter(request, sign_on))(request)
    except SocialApp.DoesNotExist as nobody:
        raise Http404 from nobody
    except (OAuth2Error, RequestException, ValueError, KeyError, TypeError) as failure:
        return failed(request, sign_on, f"{type(failure).__name__}: {failure}")
    return answer


def _adapter(request: HttpRequest, sign_on: SignOn) -> Any:
    return chats.adapter(request, sign_on) if sign_on.protocol in CHATS else oidc.Adapter(request, sign_on.slug)


def _to_issuer(request: HttpRequest, sign_on: SignOn) -> HttpResponseBase:
    try:
        answer: HttpResponseBase = OAuth2LoginView.adapter_view(_adapter(request, sign_on))(request)
    except ImmediateHttpResponse as told:
        answer = told.response
    except (OAuth2Error, RequestException, ValueError) as failure:
        return failed(request, sign_on, f"{type(failure).__name__}: {failure}")
    return answer


def _trial(request: HttpRequest, sign_on: SignOn) -> dict[str, int] | None:
    if request.GET.get("test") != "1" or not request.user.is_authenticated:
        return None
    viewer = viewer_for(request)
    return {"user": viewer.user_id or 0} if may_set_up(viewer, sign_on.organization) else None
