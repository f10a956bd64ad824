"""Address of the newcomers and how far they are; an area of its own, so that the menu marks it."""

from django.urls import path

from uptake.web.pages.adoption import guide

app_name = "newcomers"
urlpatterns = [path("", guide.newcomers, name="home")]
