"""Addresses of where ways to sign in are set up."""

from django.urls import path

from uptake.web.pages.sign_on import views

app_name = "sign_on"
urlpatterns = [
    path("", views.home, name="home"),
    path("new/<str:protocol>", views.new, name="new"),
    path("<int:sign_on_id>", views.one, name="one"),
    path("<int:sign_on_id>/change", views.change_it, name="change"),
    path("<int:sign_on_id>/steer", views.steer, name="steer"),
    path("<int:sign_on_id>/links/<int:link_id>/unlink", views.unlink_it, name="unlink"),
]
