"""Addresses of Activation."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.activation import views

app_name = "activation"
urlpatterns = [
    path("", views.home, name="home"),
    path("export.<str:format>", views.export, name="export"),
]
