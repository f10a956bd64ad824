from django.apps import AppConfig


class MeritsConfig(AppConfig):
    name = "uptake.programme.merits"
    label = "merits"
    default_auto_field = "django.db.models.BigAutoField"
