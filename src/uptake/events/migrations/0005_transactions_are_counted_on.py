"""On PostgreSQL a transaction's number is its id there and what was counted elsewhere before the database was moved."""

from django.db import migrations

COUNTED_BEFORE = """CREATE FUNCTION events_transactions_before() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT 0::bigint $$"""
NUMBER = "ALTER TABLE {} ALTER COLUMN txid SET DEFAULT pg_current_xact_id()::text::bigint{}"
FOLLOWED = ("events_event", "events_correction")


def count_on(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(COUNTED_BEFORE, params=None)
        for table in FOLLOWED:
            schema_editor.execute(NUMBER.format(table, " + events_transactions_before()"), params=None)


def stop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in FOLLOWED:
            schema_editor.execute(NUMBER.format(table, ""), params=None)
        schema_editor.execute("DROP FUNCTION events_transactions_before()", params=None)


class Migration(migrations.Migration):
    dependencies = [("events", "0004_erasure_may_empty")]
    operations = [migrations.RunPython(count_on, stop)]
