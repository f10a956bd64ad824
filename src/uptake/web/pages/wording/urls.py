"""Addresses of the words of messages."""

from django.urls import path

from uptake.web.pages.wording import views

app_name = "wording"
urlpatterns = [
    path("", views.home, name="home"),
    path("<slug:slug>/<str:kind>/", views.one, name="one"),
]
