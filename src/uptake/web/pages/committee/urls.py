"""Addresses of the committee."""

from django.urls import path

from uptake.web.pages.committee import make, views

app_name = "committee"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/", make.new, name="new"),
    path("lower/", make.lower, name="lower"),
    path("settings/", make.terms, name="settings"),
    path("<int:proposal_id>/", views.proposal, name="proposal"),
]
