"""Events with a second revision are few: whoever asks which ones stand looks among those only."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0006_event_by_name")]
    operations = [
        migrations.AddIndex(
            "event",
            models.Index(fields=["source", "key"], condition=models.Q(revision__gt=1), name="event_revised"),
        ),
    ]
