"""Companies whose events wait beside the bookmark because considering them failed."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directory", "0008_leave"), ("programme", "0010_what_decisions_took_stays")]

    operations = [
        migrations.CreateModel(
            name="PutAside",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="directory.organization",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("event_txid", models.BigIntegerField()),
                ("event_id", models.BigIntegerField()),
                ("correction_txid", models.BigIntegerField()),
                ("correction_id", models.BigIntegerField()),
                ("what", models.CharField(blank=True, max_length=300)),
                ("failed_at", models.DateTimeField(blank=True, null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField()),
            ],
        ),
    ]
