"""Addresses of the monthly report."""

from django.urls import path

from uptake.web.pages.transparency import views

app_name = "transparency"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:year>-<int:month>.pdf", views.pdf, name="pdf"),
]
