"""Addresses of the live stream."""

from django.urls import path

from uptake.web.live import views

app_name = "live"
urlpatterns = [path("live", views.live, name="stream"), path("live/since", views.since, name="since")]
