"""Addresses of the pages of questions."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.explore import views

app_name = "explore"
urlpatterns = [
    path("", views.home, name="home"),
    path("<slug:kind>/", views.page, name="page"),
    path("<slug:kind>/people/", views.people, name="people"),
    path("<slug:kind>/people/export.<str:format>", views.export_people, name="export_people"),
    path("<slug:kind>/export.<str:format>", views.export, name="export"),
]
