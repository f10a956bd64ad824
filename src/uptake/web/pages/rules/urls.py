"""Addresses of the area."""

from django.urls import path

from uptake.web.pages.rules import publish, views

app_name = "rules"
urlpatterns = [
    path("", views.home, name="home"),
    path("publish/", publish.home, name="publish"),
]
