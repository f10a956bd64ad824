"""A save and a sealed report cannot be changed; a report cannot be deleted either."""

from django.db import migrations

REFUSED = (
    ("drafting_save", "update", "saves of drafts never change"),
    ("drafting_report", "update", "sealed reports never change"),
    ("drafting_report", "delete", "sealed reports never change"),
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
        """CREATE FUNCTION drafting_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
        params=None,
    )
    for table, deed, sentence in REFUSED:
        schema_editor.execute(
            f"CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed.upper()} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION drafting_refuses('{sentence}')"
        )


def unguard(apps, schema_editor):
    on = "" if schema_editor.connection.vendor == "sqlite" else " ON {}"
    for table, deed, _ in REFUSED:
        schema_editor.execute(f"DROP TRIGGER {table}_refuses_{deed}{on.format(table)}")
    if schema_editor.connection.vendor != "sqlite":
        schema_editor.execute("DROP FUNCTION drafting_refuses()")


class Migration(migrations.Migration):
    dependencies = [("drafting", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
