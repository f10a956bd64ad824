"""Addresses of the own account; our sign-in stands before allauth's at the same address."""

from django.urls import path

from uptake.web.pages.account import tokens, told, views

app_name = "account"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("language", views.language, name="language"),
    path("messages/", told.home, name="told"),
    path("mails/stop/<str:token>", told.stop_mail, name="stop_mail"),
    path("theme", views.theme, name="theme"),
    path("tokens/", tokens.home, name="tokens"),
    path("tokens/<int:token_id>/revoke", tokens.revoke, name="token_revoke"),
]
