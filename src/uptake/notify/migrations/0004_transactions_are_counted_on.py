"""On PostgreSQL a transaction's number is its id there and what was counted elsewhere before the database was moved."""

from django.db import migrations

COUNTED_BEFORE = """CREATE FUNCTION notify_transactions_before() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT 0::bigint $$"""
NUMBER = """CREATE OR REPLACE FUNCTION message_notes_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.txid := pg_current_xact_id()::text::bigint{}; RETURN NEW; END $$"""


def count_on(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(COUNTED_BEFORE, params=None)
        schema_editor.execute(NUMBER.format(" + notify_transactions_before()"), params=None)


def stop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(NUMBER.format(""), params=None)
        schema_editor.execute("DROP FUNCTION notify_transactions_before()", params=None)


class Migration(migrations.Migration):
    dependencies = [("notify", "0003_erasure_may_delete")]
    operations = [migrations.RunPython(count_on, stop)]
