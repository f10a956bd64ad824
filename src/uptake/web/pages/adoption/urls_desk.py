"""Address of the queue of feedback; an area of its own, so that the menu marks it."""

from django.urls import path

from uptake.web.pages.adoption import feedback

app_name = "feedback_desk"
urlpatterns = [path("", feedback.desk, name="home")]
