"""Addresses of the community."""

from django.urls import path

from uptake.web.pages.community import views

app_name = "community"
urlpatterns = [
    path("", views.home, name="home"),
    path("<int:post_id>/", views.post, name="post"),
]
