"""Rare events are found by their name, newest first, without looking at all the others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0005_transactions_are_counted_on")]
    operations = [
        migrations.AddIndex("event", models.Index(fields=["name", "id"], name="event_by_name")),
    ]
