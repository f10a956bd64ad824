"""Addresses of the feedback box."""

from django.urls import path

from uptake.web.pages.adoption import feedback

app_name = "feedback"
urlpatterns = [
    path("", feedback.home, name="home"),
    path("<int:feedback_id>/", feedback.one, name="one"),
]
