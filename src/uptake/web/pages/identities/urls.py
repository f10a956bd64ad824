"""Addresses of the unmapped people."""

from django.urls import path

from uptake.web.pages.identities import views

app_name = "identities"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:identity_id>/suggestions", views.suggestions, name="suggestions"),
    path("<int:identity_id>/map", views.map_to, name="map"),
    path("<int:identity_id>/new", views.new_person, name="new"),
    path("<int:identity_id>/machine", views.machine, name="machine"),
    path("<int:identity_id>/free", views.free, name="free"),
]
