from django.apps import AppConfig


class RetroactiveConfig(AppConfig):
    name = "uptake.programme.retroactive"
    label = "retroactive"
    default_auto_field = "django.db.models.BigAutoField"
