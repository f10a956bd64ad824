"""Addresses of points under review."""

from django.urls import path

from uptake.web.pages.gaming import views

app_name = "gaming"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:finding_id>/", views.one, name="one"),
]
