"""Address of the moderators' desk; an area of its own, so that the menu marks it."""

from django.urls import path

from uptake.web.pages.community import desk

app_name = "moderation"
urlpatterns = [path("", desk.home, name="home")]
