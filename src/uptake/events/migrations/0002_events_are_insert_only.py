"""Events and corrections can be added to and read, nothing else; what waits and what conflicts cannot be deleted.

On PostgreSQL readers go by (txid, id), so an index serves that order; SQLite has one writer and reads by id.
"""

from django.db import migrations

REFUSED = (
    ("events_event", "update", "events are insert-only"),
    ("events_event", "delete", "events are insert-only"),
    ("events_correction", "update", "corrections are insert-only"),
    ("events_correction", "delete", "corrections are insert-only"),
    ("events_quarantine", "delete", "quarantine is decided, not deleted"),
    ("events_conflict", "delete", "conflicts are kept"),
)
FOLLOWED = ("events_event", "events_correction")


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table, deed, sentence in REFUSED:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            )
        return
    schema_editor.execute(
        """CREATE FUNCTION events_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
        params=None,  # no placeholders: the % is PL/pgSQL's
    )
    for table, deed, sentence in REFUSED:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed.upper()} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION events_refuses('{sentence}')"
        )
    for table in FOLLOWED:
        schema_editor.execute(f"CREATE INDEX {table}_in_order ON {table} (txid, id)")


def unguard(apps, schema_editor):
    on = "" if schema_editor.connection.vendor == "sqlite" else " ON {}"
    for table, deed, _ in REFUSED:
        schema_editor.execute(f"DROP TRIGGER {table}_refuses_{deed}{on.format(table)}")
    if schema_editor.connection.vendor != "sqlite":
        schema_editor.execute("DROP FUNCTION events_refuses()")
        for table in FOLLOWED:
            schema_editor.execute(f"DROP INDEX {table}_in_order")


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
