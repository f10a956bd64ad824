"""A self-test that is done never changes and stays."""

from django.db import migrations

TABLE = "report_selftest"


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION report_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
    sentence = "a self-test that is done stays as it is"
    for name, deed in (("kept", "UPDATE"), ("stays", "DELETE")):
        then = (
            f"WHEN OLD.ended_at IS NOT NULL BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            if sqlite
            else f"FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION report_refuses('{sentence}')"
        )
        schema_editor.execute(f"CREATE TRIGGER {TABLE}_{name} BEFORE {deed} ON {TABLE} {then}")


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name in ("kept", "stays"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_{name}" + ("" if sqlite else f" ON {TABLE}"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION report_refuses()")


class Migration(migrations.Migration):
    dependencies = [("report", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
