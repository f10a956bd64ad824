"""Addresses of the own account; our sign-in stands before allauth's at the same address."""

from django.urls import path

from uptake.web.pages.account import views

app_name = "account"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("language", views.language, name="language"),
    path("theme", views.theme, name="theme"),
]
