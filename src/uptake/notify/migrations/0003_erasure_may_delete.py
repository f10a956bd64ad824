"""Messages to a person who is being erased may be deleted."""

from django.db import migrations

ERASING = "EXISTS (SELECT 1 FROM directory_erasure e WHERE e.closed_at IS NULL AND e.person_id = OLD.person_id)"
SQLITE = [
    "DROP TRIGGER message_refuses_delete",
    f"""CREATE TRIGGER message_refuses_delete BEFORE DELETE ON notify_message WHEN NOT {ERASING}
    BEGIN SELECT RAISE(ABORT, 'messages are insert-only'); END""",
]
SQLITE_BACK = [
    "DROP TRIGGER message_refuses_delete",
    """CREATE TRIGGER message_refuses_delete BEFORE DELETE ON notify_message
    BEGIN SELECT RAISE(ABORT, 'messages are insert-only'); END""",
]
POSTGRESQL = [
    "DROP TRIGGER message_refuses_delete ON notify_message",
    f"""CREATE FUNCTION message_may_be_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT {ERASING} THEN
            RAISE EXCEPTION 'messages are insert-only' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END $$""",
    """CREATE TRIGGER message_refuses_delete BEFORE DELETE ON notify_message
    FOR EACH ROW EXECUTE FUNCTION message_may_be_deleted()""",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER message_refuses_delete ON notify_message",
    "DROP FUNCTION message_may_be_deleted()",
    """CREATE TRIGGER message_refuses_delete BEFORE DELETE ON notify_message
    FOR EACH ROW EXECUTE FUNCTION message_refuses()""",
]


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("notify", "0002_messages_are_insert_only"), ("directory", "0006_erasure")]
    operations = [migrations.RunPython(guard, unguard)]
