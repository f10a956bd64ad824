"""Addresses of the sources of people."""

from django.urls import path

from uptake.web.pages.people_sources import views

app_name = "people_sources"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/<slug:sort>/", views.new, name="new"),
    path("<int:source_id>/", views.one, name="one"),
    path("<int:source_id>/change/", views.change, name="change"),
    path("<int:source_id>/do", views.do, name="do"),
]
