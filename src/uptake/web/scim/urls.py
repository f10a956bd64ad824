"""Addresses that are typed into identity providers. They never change."""

from django.urls import path

from uptake.web.scim import views

app_name = "scim"
urlpatterns = [
    path("ServiceProviderConfig", views.service_provider_config, name="config"),
    path("ResourceTypes", views.resource_types, name="resource_types"),
    path("ResourceTypes/<str:name>", views.resource_types, name="resource_type"),
    path("Schemas", views.schemas, name="schemas"),
    path("Schemas/<str:name>", views.schemas, name="schema"),
    path("Users", views.users, name="users"),
    path("Users/.search", views.users, {"search": "yes"}, name="search_users"),
    path("Users/<str:key>", views.user, name="user"),
    path("Groups", views.groups, name="groups"),
    path("Groups/.search", views.groups, {"search": "yes"}, name="search_groups"),
    path("Groups/<str:key>", views.group, name="group"),
    path(".search", views.search, name="search"),
    path("<path:rest>", views.nothing, name="nothing"),
]
