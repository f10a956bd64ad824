"""Addresses of the audit log."""

from django.urls import path

from uptake.web.pages.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.home, name="home"),
    path("export.<str:kind>", views.export, name="export"),
]
