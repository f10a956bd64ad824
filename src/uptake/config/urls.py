"""The addresses of the house: each area of pages and the API bring their own."""

from __future__ import annotations

from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path

from uptake.config.health import healthz
from uptake.jobs import board
from uptake.web.areas import AREAS
from uptake.web.errors import not_found as page_not_found
from uptake.web.pages.jobs.board import plug_in

plug_in(board)

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    *[path(area.prefix, include(area.urls)) for area in AREAS],
    # Addresses are kept by whoever manages people; the sign-in library's own pages for them do not exist here.
    path("account/email/", page_not_found, {"exception": Http404()}),
    path("account/confirm-email/", page_not_found, {"exception": Http404()}),
    # So do those for accounts of other systems: `pages/sign_on` has its own.
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
]
handler403 = "uptake.web.errors.forbidden"
handler404 = "uptake.web.errors.not_found"
handler429 = "uptake.web.errors.too_many"
handler500 = "uptake.web.errors.broken"
