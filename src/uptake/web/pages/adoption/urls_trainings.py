"""Addresses of trainings."""

from django.urls import path

from uptake.web.pages.adoption import trainings

app_name = "trainings"
urlpatterns = [
    path("", trainings.home, name="home"),
    path("new/", trainings.new, name="new"),
    path("<int:training_id>/", trainings.one, name="one"),
    path("<int:training_id>/change/", trainings.change, name="change"),
]
