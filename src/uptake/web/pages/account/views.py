"""Sign-in, the own account, the switches of language and theme."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.utils import is_mfa_enabled
from axes.decorators import axes_dispatch, axes_form_invalid
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from uptake.directory.prefer import keep_preference
from uptake.directory.sign_on.models import SignOn
from uptake.web.pages.account.demo import demo_logins
from uptake.web.pages.demo_host.views import host_told
from uptake.web.preferences import THEME_COOKIE, THEMES, keep_in_cookie
from uptake.web.viewing import login_required, user_of


@method_decorator(axes_dispatch, name="dispatch")
@method_decorator(axes_form_invalid, name="form_invalid")
class SignIn(LoginView):  # type: ignore[misc]
    """allauth's sign-in with the lock-out of axes around it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_context_data(**kwargs)
        demo = {"demo_logins": demo_logins(), "demo_host": host_told() is not None}
        ways = SignOn.objects.open().filter(listed=True).order_by("organization__path", "pk")
        return {**found, **demo, "ways": ways, "next": self.request.GET.get("next", "")}


@login_required
def home(request: HttpRequest) -> HttpResponseBase:
    """The own account."""
    user = user_of(request)
    context: dict[str, Any] = {"two_factor": is_mfa_enabled(user), "is_told": user.person_id is not None}
    return render(request, "you/account.html", context)


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(target if safe else "/")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep the language on this device and, for those signed in, in the login."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    if request.user.is_authenticated:
        keep_preference(user=user_of(request), language=chosen)
    response = _back(request)
    keep_in_cookie(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme on this device and, for those signed in, in the login."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest()
    if request.user.is_authenticated:
        keep_preference(user=user_of(request), theme=chosen)
    response = _back(request)
    keep_in_cookie(response, THEME_COOKIE, chosen)
    return response
