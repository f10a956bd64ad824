"""Addresses of the demo's ERP."""

from django.urls import path

from uptake.web.pages.demo_host import views

app_name = "demo_host"
urlpatterns = [
    path("", views.home, name="home"),
    path("token", views.token, name="token"),
    path("receipts", views.post_receipt, name="post"),
]
