"""What was locked never changes and stays; evaluations never change and stay."""

from django.db import migrations

WHOLE = "impact_intervention"
LOCKED = "OLD.locked_at IS NOT NULL"
GUARDS = (
    ("kept", WHOLE, "UPDATE", LOCKED, "what was locked never changes"),
    ("stays", WHOLE, "DELETE", LOCKED, "what was locked stays"),
    ("kept", "impact_evaluation", "UPDATE", "", "evaluations never change"),
    ("stays", "impact_evaluation", "DELETE", "", "evaluations stay"),
)


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION impact_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
    for name, table, deed, when, sentence in GUARDS:
        condition = "" if not when else f"WHEN {when}" if sqlite else f"WHEN ({when})"
        then = (
            f"{condition} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            if sqlite
            else f"FOR EACH ROW {condition} EXECUTE FUNCTION impact_refuses('{sentence}')"
        )
        schema_editor.execute(f"CREATE TRIGGER {table}_{name} BEFORE {deed} ON {table} {then}")


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, table, *_ in GUARDS:
        schema_editor.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION impact_refuses()")


class Migration(migrations.Migration):
    dependencies = [("impact", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
