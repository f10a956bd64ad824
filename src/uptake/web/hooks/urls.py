"""Addresses that are typed into other systems. They never change."""

from django.urls import path

from uptake.web.hooks import views

app_name = "hooks"
urlpatterns = [path("<slug:slug>", views.take, name="take")]
