"""From which instant on what was lowered at once applies on its first date."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("programme", "0007_what_folds_keep")]

    operations = [
        migrations.AddField("rulebookversion", "in_force_at", models.DateTimeField(blank=True, null=True)),
    ]
