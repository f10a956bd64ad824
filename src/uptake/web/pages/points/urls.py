"""Addresses of the points."""

from django.urls import path

from uptake.web.pages.points import views

app_name = "points"
urlpatterns = [
    path("", views.home, name="home"),
    path("next/", views.next_best, name="next"),
    path("proof/", views.proof, name="proof"),
    path("proof-key/", views.proof_key, name="proof-key"),
    path("<int:person_id>/", views.person, name="person"),
]
