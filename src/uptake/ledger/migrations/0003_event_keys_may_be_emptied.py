"""The sender's key of the event behind a lot may be emptied, as it may name somebody; all else a lot promised stays."""

from django.db import migrations

FIXED = (
    "id", "book", "key", "owner", "happened_at", "source", "event_key", "rule_order", "available_from", "last_date",
    "expires_at", "renews_id",
)  # fmt: skip
COLUMNS = ", ".join(FIXED)


def changes(differs):
    """The condition that more changes than the event key to nothing."""
    kept = " OR ".join(f"NEW.{one} {differs} OLD.{one}" for one in FIXED if one != "event_key")
    return f"{kept} OR (NEW.event_key <> OLD.event_key AND NEW.event_key <> '')"


SENTENCE = "UPDATE of ledger_lot is refused: the ledger is insert-only"
SQLITE_BACK = [
    "DROP TRIGGER ledger_lot_stays",
    f"CREATE TRIGGER ledger_lot_stays BEFORE UPDATE OF {COLUMNS} ON ledger_lot FOR EACH ROW BEGIN "
    f"SELECT RAISE(ABORT, '{SENTENCE}'); END",
]
SQLITE = [
    "DROP TRIGGER ledger_lot_stays",
    f"CREATE TRIGGER ledger_lot_stays BEFORE UPDATE OF {COLUMNS} ON ledger_lot FOR EACH ROW "
    f"WHEN {changes('IS NOT')} BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER ledger_lot_stays ON ledger_lot",
    f"CREATE TRIGGER ledger_lot_stays BEFORE UPDATE OF {COLUMNS} ON ledger_lot "
    "FOR EACH ROW EXECUTE FUNCTION ledger_refuse()",
]
POSTGRESQL = [
    "DROP TRIGGER ledger_lot_stays ON ledger_lot",
    f"CREATE TRIGGER ledger_lot_stays BEFORE UPDATE OF {COLUMNS} ON ledger_lot "
    f"FOR EACH ROW WHEN ({changes('IS DISTINCT FROM')}) EXECUTE FUNCTION ledger_refuse()",
]


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_insert_only")]
    operations = [migrations.RunPython(guard, unguard)]
