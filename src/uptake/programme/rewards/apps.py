from django.apps import AppConfig


class RewardsConfig(AppConfig):
    name = "uptake.programme.rewards"
    label = "rewards"
    default_auto_field = "django.db.models.BigAutoField"
