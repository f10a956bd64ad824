"""Addresses of the appeals."""

from django.urls import path

from uptake.web.pages.appeals import views

app_name = "appeals"
urlpatterns = [
    path("", views.home, name="home"),
    path("desk/", views.desk, name="desk"),
    path("new/", views.new, name="new"),
    path("<int:appeal_id>/", views.appeal, name="appeal"),
]
