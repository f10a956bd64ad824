"""A book may be closed: its head says since when, and why."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_lots_that_live_on")]

    operations = [
        migrations.AddField("chainhead", "closed_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("chainhead", "closed_why", models.CharField(blank=True, max_length=300, null=True)),
    ]
