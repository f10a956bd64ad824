"""A published rulebook cannot be changed or deleted, and an award cannot be deleted."""

from django.db import migrations

REFUSED = (
    ("programme_rulebookversion", "update", "published rulebooks never change"),
    ("programme_rulebookversion", "delete", "published rulebooks never change"),
    ("programme_award", "delete", "awards are taken back, not deleted"),
)


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        for table, deed, sentence in REFUSED:
            schema_editor.execute(
                f"CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            )
        return
    schema_editor.execute(
        """CREATE FUNCTION programme_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
        params=None,
    )
    for table, deed, sentence in REFUSED:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed.upper()} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION programme_refuses('{sentence}')"
        )


def unguard(apps, schema_editor):
    on = "" if schema_editor.connection.vendor == "sqlite" else " ON {}"
    for table, deed, _ in REFUSED:
        schema_editor.execute(f"DROP TRIGGER {table}_refuses_{deed}{on.format(table)}")
    if schema_editor.connection.vendor != "sqlite":
        schema_editor.execute("DROP FUNCTION programme_refuses()")


class Migration(migrations.Migration):
    dependencies = [("programme", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
