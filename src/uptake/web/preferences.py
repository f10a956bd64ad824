"""Language and theme: kept in cookies, and in the login for the next device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

from uptake.directory.models import User

THEMES: Final = ("light", "dark")
THEME_COOKIE: Final = "uptake_theme"
YEAR_SECONDS: Final = 365 * 24 * 3600


def theme_of(request: HttpRequest) -> str:
    """light or dark: what the cookie says, else the login, else light."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    if chosen not in THEMES and request.COOKIES.get(settings.SESSION_COOKIE_NAME) and isinstance(request.user, User):
        chosen = request.user.theme
    return chosen if chosen in THEMES else "light"


def keep_in_cookie(response: HttpResponseBase, name: str, value: str) -> None:
    """Remember a choice on this device for a year."""
    response.set_cookie(
        name, value, max_age=YEAR_SECONDS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


class Preferences:
    """Middleware: a login's language goes before that of the browser where this device has no choice of its own.

    It stands last and is not async on purpose: Django then runs the whole chain in one thread per request instead of
    hopping between threads at each middleware. A streaming view is not slowed by it.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        known = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES
        if not known and signed_in and isinstance(request.user, User) and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
