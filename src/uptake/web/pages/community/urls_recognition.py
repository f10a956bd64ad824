"""Address of recognition; an area of its own, so that the menu marks it."""

from django.urls import path

from uptake.web.pages.community import recognition

app_name = "recognition"
urlpatterns = [path("", recognition.home, name="home")]
