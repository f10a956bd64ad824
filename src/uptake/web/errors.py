"""The pages of what went wrong: what happened, what is safe, what to do, who can help."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from uptake.directory.scope import Deed
from uptake.web.preferences import THEME_COOKIE, THEMES
from uptake.web.viewing import NotYours

log = logging.getLogger(__name__)

NEEDED: dict[Deed, str | Promise] = {
    Deed.SEE_TOTALS: _("see the totals of a company"),
    Deed.SEE_PEOPLE: _("see single people"),
    Deed.SEE_EVENTS: _("see the events of a company"),
    Deed.MANAGE_PEOPLE: _("manage people"),
    Deed.GIVE_ROLES: _("give roles"),
    Deed.MANAGE_DATA: _("manage data and connections"),
    Deed.MANAGE_RULES: _("manage rules"),
    Deed.SEE_AUDIT: _("read the audit log"),
    Deed.SEE_LEDGER: _("read the ledger"),
    Deed.RUN_TRAININGS: _("run trainings"),
    Deed.ANSWER_FEEDBACK: _("answer feedback"),
    Deed.RUN_PLATFORM: _("run the platform"),
}
HELPERS: dict[Deed, str | Promise] = {
    Deed.RUN_PLATFORM: _("A platform administrator can give you a role that has it."),
    Deed.MANAGE_RULES: _("Your company manager or the park operator can give you a role that has it."),
}
"""Who gives the right; where nothing stands: the park operator."""


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: which right is missing and who gives it."""
    deed = exception.deed if isinstance(exception, NotYours) else None
    context = {"needed": NEEDED.get(deed) if deed else None, "helper": HELPERS.get(deed) if deed else None}
    return render(request, "errors/403.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404; the same for what does not exist and for what the viewer must not know of."""
    return render(request, "errors/404.html", status=404)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """429 of the rate limits."""
    response = render(request, "errors/429.html", status=429)
    response["Retry-After"] = "60"
    return response


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form that was sent from elsewhere or lay open too long."""
    return render(request, "errors/csrf.html", status=403)


class _Still:
    """A frame that asks nothing of the database, for the page of what broke."""

    user = None
    tabs = menu = places = ()
    place = None

    def __init__(self, request: HttpRequest) -> None:
        self.language = "zh-Hans" if (get_language() or "").startswith("zh") else "en"
        theme = request.COOKIES.get(THEME_COOKIE, "")
        self.theme = theme if theme in THEMES else "light"


def broken(request: HttpRequest) -> HttpResponse:
    """500: with a code that also stands in the log."""
    code = secrets.token_hex(3)
    log.error("page error %s at %s", code, request.path)
    context: dict[str, Any] = {"shell": _Still(request), "code": code, "request": request}
    return HttpResponse(render_to_string("errors/500.html", context), status=500)
