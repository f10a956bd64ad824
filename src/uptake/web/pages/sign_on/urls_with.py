"""Addresses of signing in with another system's login; it is told of the second ones, so they never change."""

from django.urls import path

from uptake.web.pages.sign_on import by_saml, go

app_name = "sign_on_with"
urlpatterns = [
    path("<slug:way>/", go.begin, name="begin"),
    path("<slug:way>/callback/", go.callback, name="callback"),
    path("<slug:way>/metadata/", by_saml.metadata, name="metadata"),
    path("<slug:way>/consume/", by_saml.consume, name="consume"),
    path("<slug:way>/finish/", by_saml.finish, name="finish"),
]
