"""Addresses of Overview."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.overview import views

app_name = "overview"
urlpatterns = [path("", views.home, name="home")]
