"""Addresses of the page of jobs."""

from django.urls import path

from uptake.web.pages.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.home, name="home"),
    path("<slug:name>/run", views.run_now, name="run_now"),
    path("still/<int:company_id>/again", views.try_again, name="try_again"),
    path("still/<int:company_id>/open", views.open_book, name="open_book"),
]
