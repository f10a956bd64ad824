"""Addresses of segments."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.segments import make, views

app_name = "segments"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/", make.new, name="new"),
    path("<int:segment_id>/", views.segment, name="segment"),
    path("<int:segment_id>/export.<str:kind>", views.export, name="export"),
    path("<int:segment_id>/edit/", make.edit, name="edit"),
    path("<int:segment_id>/freeze", make.freeze, name="freeze"),
    path("<int:segment_id>/delete", make.delete, name="delete"),
]
