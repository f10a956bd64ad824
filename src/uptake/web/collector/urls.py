"""Addresses of the collector. They stand in other people's pages and never change."""

from django.urls import path

from uptake.web.collector import views

app_name = "collector"
urlpatterns = [path("v1.js", views.script, name="script")]
