"""Addresses of announcements."""

from django.urls import path

from uptake.web.pages.adoption import news

app_name = "announcements"
urlpatterns = [
    path("", news.home, name="home"),
    path("new/", news.new, name="new"),
    path("<int:announcement_id>/", news.one, name="one"),
    path("<int:announcement_id>/change/", news.change, name="change"),
]
