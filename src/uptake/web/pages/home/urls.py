"""Addresses of the front door."""

from django.urls import path

from uptake.web.pages.home import views

app_name = "home"
urlpatterns = [path("", views.home, name="home")]
