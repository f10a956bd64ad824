"""A message can be added and marked as read, once; PostgreSQL notes the transaction that added it."""

from django.db import migrations

SQLITE = [
    """CREATE TRIGGER message_refuses_delete BEFORE DELETE ON notify_message
    BEGIN SELECT RAISE(ABORT, 'messages are insert-only'); END""",
    """CREATE TRIGGER message_refuses_update BEFORE UPDATE ON notify_message
    WHEN OLD.read_at IS NOT NULL OR NEW.read_at IS NULL
      OR (OLD.id, OLD.txid, OLD.person_id, OLD.key, OLD.kind, OLD.content, OLD.created_at)
      IS NOT (NEW.id, NEW.txid, NEW.person_id, NEW.key, NEW.kind, NEW.content, NEW.created_at)
    BEGIN SELECT RAISE(ABORT, 'messages are insert-only, but for the time they were read'); END""",
]
SQLITE_BACK = ["DROP TRIGGER message_refuses_delete", "DROP TRIGGER message_refuses_update"]
POSTGRESQL = [
    """CREATE FUNCTION message_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'messages are insert-only, but for the time they were read'
        USING ERRCODE = 'restrict_violation'; END $$""",
    """CREATE FUNCTION message_notes_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.txid := pg_current_xact_id()::text::bigint; RETURN NEW; END $$""",
    """CREATE TRIGGER message_refuses_delete BEFORE DELETE ON notify_message
    FOR EACH ROW EXECUTE FUNCTION message_refuses()""",
    """CREATE TRIGGER message_refuses_update BEFORE UPDATE ON notify_message FOR EACH ROW
    WHEN (OLD.read_at IS NOT NULL OR NEW.read_at IS NULL
      OR (OLD.id, OLD.txid, OLD.person_id, OLD.key, OLD.kind, OLD.content, OLD.created_at)
      IS DISTINCT FROM (NEW.id, NEW.txid, NEW.person_id, NEW.key, NEW.kind, NEW.content, NEW.created_at))
    EXECUTE FUNCTION message_refuses()""",
    """CREATE TRIGGER message_notes_transaction BEFORE INSERT ON notify_message
    FOR EACH ROW EXECUTE FUNCTION message_notes_transaction()""",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER message_notes_transaction ON notify_message",
    "DROP TRIGGER message_refuses_update ON notify_message",
    "DROP TRIGGER message_refuses_delete ON notify_message",
    "DROP FUNCTION message_notes_transaction()",
    "DROP FUNCTION message_refuses()",
]


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("notify", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
