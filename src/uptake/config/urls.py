"""The addresses of the house: each area of pages and the API bring their own."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from uptake.config.health import healthz
from uptake.jobs import board
from uptake.web.areas import AREAS
from uptake.web.pages.jobs.board import plug_in

plug_in(board)

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz, name="healthz"),
    *[path(area.prefix, include(area.urls)) for area in AREAS],
    path("account/", include("allauth.urls")),
]
handler403 = "uptake.web.errors.forbidden"
handler404 = "uptake.web.errors.not_found"
handler429 = "uptake.web.errors.too_many"
handler500 = "uptake.web.errors.broken"
