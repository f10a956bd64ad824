"""A redemption names what it was turned down for, where that was not the desk's own wish.

SQLite makes the table anew for it and loses its trigger with that: it is put back.
"""

from django.db import migrations, models

TRIGGER = """CREATE TRIGGER IF NOT EXISTS rewards_redemption_refuses_delete BEFORE DELETE ON rewards_redemption
FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'redemptions are cancelled, not deleted'); END"""


def put_back(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(TRIGGER, params=None)


class Migration(migrations.Migration):
    dependencies = [("rewards", "0003_seen_when_the_turn_is_over")]
    operations = [
        migrations.AddField(
            model_name="redemption",
            name="cause",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.RunPython(put_back, put_back),
    ]
