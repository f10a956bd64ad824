"""Lots that expire by inactivity: their last date may become later, and nothing else of a lot may change as before."""

from django.db import migrations, models

FIXED = (
    "id", "book", "key", "owner", "happened_at", "source", "event_key", "rule_order", "available_from", "renews_id",
    "inactive_days", "last_date", "expires_at",
)  # fmt: skip
BEFORE = tuple(one for one in FIXED if one != "inactive_days")
DATES = ("last_date", "expires_at")


def changes(names, differs, *, live_on):
    """The condition that more changes than the event key to nothing, or a last date that is postponed."""
    kept = [f"NEW.{one} {differs} OLD.{one}" for one in names if one != "event_key" and not (live_on and one in DATES)]
    if live_on:
        moved = " OR ".join(f"NEW.{one} {differs} OLD.{one}" for one in DATES)
        later = " AND ".join(f"NEW.{one} >= OLD.{one}" for one in DATES)
        kept.append(f"(({moved}) AND (OLD.inactive_days IS NULL OR NEW.last_date IS NULL OR NOT ({later})))")
    return f"{' OR '.join(kept)} OR (NEW.event_key <> OLD.event_key AND NEW.event_key <> '')"


SENTENCE = "UPDATE of ledger_lot is refused: the ledger is insert-only"


def guarding(vendor, names, *, live_on):
    """The statements that put the guard in the place of the one there is."""
    begin = f"CREATE TRIGGER ledger_lot_stays BEFORE UPDATE OF {', '.join(names)} ON ledger_lot FOR EACH ROW WHEN "
    if vendor == "sqlite":
        condition = changes(names, "IS NOT", live_on=live_on)
        return [
            "DROP TRIGGER ledger_lot_stays",
            f"{begin} {condition} BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END",
        ]
    condition = changes(names, "IS DISTINCT FROM", live_on=live_on)
    return [
        "DROP TRIGGER ledger_lot_stays ON ledger_lot",
        f"{begin} ({condition}) EXECUTE FUNCTION ledger_refuse()",
    ]


def guard(apps, schema_editor):
    for statement in guarding(schema_editor.connection.vendor, FIXED, live_on=True):
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in guarding(schema_editor.connection.vendor, BEFORE, live_on=False):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_how_one_person_stands")]
    operations = [
        migrations.AddField("lot", "inactive_days", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddIndex(
            "lot",
            models.Index(
                fields=["book", "owner", "last_date"],
                condition=models.Q(inactive_days__isnull=False),
                name="lot_postponed",
            ),
        ),
        migrations.RunPython(guard, unguard),
    ]
