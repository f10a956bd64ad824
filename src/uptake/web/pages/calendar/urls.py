"""Addresses of the working calendar."""

from django.urls import path

from uptake.web.pages.calendar import leave, views

app_name = "calendar"
urlpatterns = [
    path("", views.home, name="home"),
    path("leave/", leave.imported, name="leave"),
    path("<slug:slug>/fill", views.fill_year, name="fill"),
    path("<slug:slug>/<str:day>", views.day, name="day"),
]
