"""Addresses of retroactive runs."""

from django.urls import path

from uptake.web.pages.retroactive import views

app_name = "retroactive"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:run_id>/", views.run, name="run"),
]
