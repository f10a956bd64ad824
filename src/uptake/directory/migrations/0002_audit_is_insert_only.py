"""The audit log can be added to and read, nothing else: triggers on both databases refuse the rest."""

from django.db import migrations

SQLITE = [
    f"""CREATE TRIGGER audit_refuses_{deed} BEFORE {deed.upper()} ON directory_auditentry
    BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END"""
    for deed in ("update", "delete")
]
POSTGRESQL = [
    """CREATE FUNCTION audit_is_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is insert-only' USING ERRCODE = 'restrict_violation'; END $$""",
    """CREATE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE ON directory_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_is_insert_only()""",
]
SQLITE_BACK = [f"DROP TRIGGER audit_refuses_{deed}" for deed in ("update", "delete")]
POSTGRESQL_BACK = ["DROP TRIGGER audit_refuses_change ON directory_auditentry", "DROP FUNCTION audit_is_insert_only()"]


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement)


def unguard(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
