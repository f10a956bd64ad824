"""Address of the starter guide."""

from django.urls import path

from uptake.web.pages.adoption import guide

app_name = "guide"
urlpatterns = [
    path("", guide.home, name="home"),
    path("steps/", guide.steps, name="steps"),
]
