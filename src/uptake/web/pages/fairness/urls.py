"""Addresses of fairness."""

from django.urls import path

from uptake.web.pages.fairness import views

app_name = "fairness"
urlpatterns = [path("", views.home, name="home")]
