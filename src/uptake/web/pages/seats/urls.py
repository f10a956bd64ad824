"""Addresses of Seats."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.seats import lists, products, views

app_name = "seats"
urlpatterns = [
    path("", views.home, name="home"),
    path("import/", lists.home, name="import"),
    path("products/", products.home, name="products"),
    path("<int:seat_id>/invite", views.invite, name="invite"),
    path("<int:seat_id>/revoke", views.revoke, name="revoke"),
]
