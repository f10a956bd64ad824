"""Findings, opinions and outcomes never change and stay; the reason of an opinion may be emptied."""

from django.db import migrations

SAME = " AND ".join(f"NEW.{one} = OLD.{one}" for one in ("id", "finding_id", "verdict", "by_id", "at"))
EMPTIED = f"NOT (NEW.reason = '' AND {SAME})"
GUARDS = (
    ("kept", "gaming_finding", "UPDATE", "", "findings never change"),
    ("stays", "gaming_finding", "DELETE", "", "findings stay"),
    ("kept", "gaming_opinion", "UPDATE", EMPTIED, "opinions never change"),
    ("stays", "gaming_opinion", "DELETE", "", "opinions stay"),
    ("kept", "gaming_outcome", "UPDATE", "", "outcomes never change"),
    ("stays", "gaming_outcome", "DELETE", "", "outcomes stay"),
)


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION gaming_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
    for name, table, deed, when, sentence in GUARDS:
        condition = "" if not when else f"WHEN {when}" if sqlite else f"WHEN ({when})"
        then = (
            f"{condition} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            if sqlite
            else f"FOR EACH ROW {condition} EXECUTE FUNCTION gaming_refuses('{sentence}')"
        )
        schema_editor.execute(f"CREATE TRIGGER {table}_{name} BEFORE {deed} ON {table} {then}")


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, table, *_ in GUARDS:
        schema_editor.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION gaming_refuses()")


class Migration(migrations.Migration):
    dependencies = [("gaming", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
