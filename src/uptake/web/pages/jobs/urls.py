"""Addresses of the page of jobs."""

from django.urls import path

from uptake.web.pages.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.home, name="home"),
    path("<slug:name>/run", views.run_now, name="run_now"),
]
