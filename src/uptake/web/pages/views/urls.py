"""Addresses of saved views."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.views import views

app_name = "views"
urlpatterns = [
    path("", views.home, name="home"),
    path("save", views.save, name="save"),
    path("<int:view_id>/", views.open_view, name="open"),
    path("<int:view_id>/change", views.change, name="change"),
    path("<int:view_id>/delete", views.delete, name="delete"),
]
