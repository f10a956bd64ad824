"""Addresses of badges and challenges: for people, and of the desk."""

from __future__ import annotations

from django.urls import path

from uptake.web.pages.merits import desk, views

app_name = "merits"
urlpatterns = [
    path("", views.home, name="home"),
    path("challenges/<int:challenge_id>/", views.challenge, name="challenge"),
    path("desk/", desk.badges, name="desk"),
    path("desk/given/<int:given_id>/", desk.take_back, name="take_back"),
    path("desk/challenges/", desk.challenges, name="challenges"),
    path("desk/prizes/", desk.prizes, name="prizes"),
]
