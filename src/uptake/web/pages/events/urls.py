"""Addresses of the events area."""

from django.urls import path

from uptake.web.pages.events import catalogue, views

app_name = "events"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:event_id>", views.event, name="event"),
    path("export.<str:kind>", views.export, name="export"),
    path("catalogue/", catalogue.home, name="catalogue"),
    path("catalogue/describe", catalogue.describe_type, name="describe"),
]
