"""Signing in with the name and password of a directory (LDAP), on a page of this house."""

from __future__ import annotations

import logging

from allauth.core.internal import ratelimit
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from uptake.directory.sign_on.claims import read_claims
from uptake.directory.sign_on.models import SignOn
from uptake.directory.sign_on.set_up import SecretLost, secret_of
from uptake.web.pages.account.lockout import NAME_TRIED, locked_out
from uptake.web.pages.sign_on.answers import TRIAL, failed
from uptake.web.pages.sign_on.come_in import come_in, safe_page
from uptake.web.pages.sign_on.ldap import LONGEST_NAME, LONGEST_PASSWORD, NotAsked, NotProved, account_of, claimed

LOG = logging.getLogger(__name__)


class NameAndPassword(forms.Form):
    """Those of the directory."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        label=gettext_lazy("User name"),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        max_length=LONGEST_PASSWORD,
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def ask_for_password(request: HttpRequest, sign_on: SignOn) -> HttpResponse:
    """The page with the two boxes, and what becomes of what was typed. Wrong names and wrong passwords read alike."""
    form = NameAndPassword(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, sign_on, form)
    name, trial = form.cleaned_data["name"], getattr(request, TRIAL, None)
    # Counted by the way in and the name: what another directory proves resets no count of this one, or of passwords.
    counted = f"{sign_on.slug}/{name.strip().casefold()}"[:255]
    setattr(request, NAME_TRIED, counted)
    credentials = {"username": counted}
    if not AxesProxyHandler.is_allowed(request, credentials):
        return locked_out(request, credentials=credentials)
    app = "allauth.account"
    allowed = ratelimit.consume(request, app=app, action="login")
    used = ratelimit.consume(request, app=app, action="login_failed", key=counted) if allowed else None
    if not used:
        form.add_error(None, _("Too many tries. Wait a few minutes, then try again."))
        return _page(request, sign_on, form, status=429)
    try:
        subject, said = account_of(
            sign_on, secret=secret_of(sign_on), name=name, password=form.cleaned_data["password"]
        )
    except (NotAsked, SecretLost) as failure:
        used.rollback()
        return failed(request, sign_on, f"{failure}" or "its secret is lost: give it anew")
    except NotProved as wrong:
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
        if trial:
            return failed(request, sign_on, str(wrong))
        LOG.info("sign-in with %s refused: %s", sign_on.slug, wrong)
        form.add_error(None, _("The user name or the password is wrong."))
        return _page(request, sign_on, form, status=401)
    used.rollback()
    claims = read_claims(
        claimed(sign_on, said),
        subject=subject,
        email_claim=sign_on.email_claim,
        number_claim=sign_on.number_claim,
        domains=sign_on.domains,
        # Whoever runs the directory writes its addresses, and vouches for them by setting it up.
        email_verified=True,
    )
    shown = {key: ", ".join(values) for key, values in said.items() if values and key != "objectGUID"}
    return come_in(request, sign_on, claims, shown, trial=trial, next_page=request.GET.get("next", ""))


def _page(request: HttpRequest, sign_on: SignOn, form: NameAndPassword, *, status: int = 200) -> HttpResponse:
    context = {
        "way": sign_on,
        "form": form,
        "trial": getattr(request, TRIAL, None),
        "next": safe_page(request, request.GET.get("next", "")),
    }
    return render(request, "sign_on/password.html", context, status=status)
