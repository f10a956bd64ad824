"""What folds keep, so that the next one need not begin at a person's first event."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "__first__"),
        ("programme", "0006_when_what_ended_happened"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptFold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("places", models.TextField()),
                ("as_of", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="directory.organization",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="directory.person",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("company", "person"), name="kept_fold_once")],
            },
        ),
    ]
