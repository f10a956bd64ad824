"""The deadlines of open holds stand apart, so that nobody reads past holds to find those that time out."""

import django.db.models.deletion
from django.db import migrations, models

OPEN = (
    "INSERT INTO ledger_deadline (hold_id, book, owner, at) SELECT h.id, h.book, h.owner, h.times_out_at "
    "FROM ledger_hold h WHERE h.times_out_at IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM ledger_resolution r WHERE r.hold_id = h.id)"
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_event_keys_may_be_emptied")]

    operations = [
        migrations.CreateModel(
            name="Deadline",
            fields=[
                (
                    "hold",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="deadline",
                        serialize=False,
                        to="ledger.hold",
                    ),
                ),
                ("book", models.BigIntegerField()),
                ("owner", models.CharField(max_length=100)),
                ("at", models.DateTimeField(db_index=True)),
            ],
            options={"indexes": [models.Index(fields=["book", "owner"], name="deadline_of_person")]},
        ),
        migrations.RunSQL(OPEN, migrations.RunSQL.noop),
    ]
