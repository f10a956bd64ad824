"""The lines of a run, and what a run is about, never change; runs are withdrawn, not deleted."""

from django.db import migrations

FIXED = (
    "organization_id", "version_id", "from_date", "until_date", "names", "corrects_id", "lines_sha256", "points",
    "people", "asked_by_person_id", "asked_at",
)  # fmt: skip
GUARDS = (
    ("kept", "retroactive_retroactiveline", "UPDATE OF run_id, event_id, person_id, rule, date, before, after, points",
     "lines of runs never change"),
    ("stays", "retroactive_retroactiveline", "DELETE", "lines of runs never change"),
    ("kept", "retroactive_retroactiverun", f"UPDATE OF {', '.join(FIXED)}", "what was planned never changes"),
    ("stays", "retroactive_retroactiverun", "DELETE", "runs are withdrawn, not deleted"),
)  # fmt: skip


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION retroactive_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
    for name, table, deed, sentence in GUARDS:
        then = (
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            if sqlite
            else f"FOR EACH ROW EXECUTE FUNCTION retroactive_refuses('{sentence}')"
        )
        schema_editor.execute(f"CREATE TRIGGER {table}_{name} BEFORE {deed} ON {table} {then}")


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, table, *_ in GUARDS:
        schema_editor.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION retroactive_refuses()")


class Migration(migrations.Migration):
    dependencies = [("retroactive", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
