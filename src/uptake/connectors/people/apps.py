from django.apps import AppConfig


class PeopleSourcesConfig(AppConfig):
    name = "uptake.connectors.people"
    label = "people_sources"
    default_auto_field = "django.db.models.BigAutoField"
