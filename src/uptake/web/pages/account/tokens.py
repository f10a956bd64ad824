"""Access tokens of the own login: made and shown once, listed, revoked."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from uptake.directory.models import AccessToken
from uptake.directory.scope import Deed
from uptake.directory.tokens import TooMany, make_token, revoke_token
from uptake.web.viewing import login_required, user_of, viewer_for

DAYS = (30, 90, 365)


class TokenForm(forms.Form):
    """A new access token."""

    label = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("What it is for"),
        help_text=gettext_lazy("Such as: notebook, weekly report"),
    )
    days = forms.TypedChoiceField(
        coerce=int,
        choices=[(days, days) for days in DAYS],
        initial=90,
        label=gettext_lazy("Ends after days"),
    )


@login_required
@never_cache
def home(request: HttpRequest) -> HttpResponseBase:
    """The tokens of the own login; by POST a new one, shown this one time."""
    viewer = viewer_for(request)
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            _token, secret = make_token(by=viewer, days=given["days"], label=given["label"], now=timezone.now())
            form = TokenForm()
        except TooMany:
            form.add_error(None, _("You have as many valid tokens as you may have: revoke one first."))
    now = timezone.now()
    tokens = AccessToken.objects.filter(user=user_of(request)).order_by("-pk")[:50]
    context = {
        "form": form,
        "secret": secret,
        "rows": [(token, token.expires_at <= now) for token in tokens],
        "may_ask": viewer.may(Deed.SEE_TOTALS),
        "address": request.build_absolute_uri("/api/v1/ask"),
    }
    return render(request, "you/tokens.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, token_id: int) -> HttpResponseBase:
    """Revokes one's own token at once."""
    viewer = viewer_for(request)
    token = get_object_or_404(AccessToken.objects.visible_to(viewer), pk=token_id)
    revoke_token(token=token, by=viewer, now=timezone.now())
    messages.success(request, _("Token %(token)s revoked.") % {"token": token})
    return redirect("account:tokens")
