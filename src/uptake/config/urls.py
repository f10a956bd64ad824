"""The addresses of the house: each area of pages and the API bring their own."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from uptake.web.areas import AREAS

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.urls")),
    *[path(area.prefix, include(area.urls)) for area in AREAS],
]
