"""Addresses of the boards."""

from django.urls import path

from uptake.web.pages.boards import views

app_name = "boards"
urlpatterns = [path("", views.home, name="home"), path("name/", views.name, name="name")]
