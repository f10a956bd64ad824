"""Addresses of Activity."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.activity import views

app_name = "activity"
urlpatterns = [
    path("", views.home, name="home"),
    path("people/<int:person_id>/", views.person, name="person"),
    path("<slug:slug>/", views.place, name="place"),
    path("<slug:slug>/export.<str:kind>", views.export, name="export"),
]
