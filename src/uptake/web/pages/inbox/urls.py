"""Addresses of the messages."""

from django.urls import path

from uptake.web.pages.inbox import views

app_name = "inbox"
urlpatterns = [
    path("", views.home, name="home"),
    path("read", views.read_all, name="read_all"),
    path("<int:message_id>/open", views.open_one, name="open"),
]
