"""What a decision took from what counts, or gave back to it, is insert-only."""

from django.db import migrations

TABLE = "programme_standingchange"
SENTENCE = "what was decided stays"


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION programme_standing_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
    for deed in ("update", "delete"):
        end = f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END" if sqlite else f"EXECUTE FUNCTION programme_standing_refuses('{SENTENCE}')"
        schema_editor.execute(
            f"CREATE TRIGGER {TABLE}_refuses_{deed} BEFORE {deed.upper()} ON {TABLE} FOR EACH ROW {end}", params=None
        )


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for deed in ("update", "delete"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_refuses_{deed}{'' if sqlite else f' ON {TABLE}'}", params=None)
    if not sqlite:
        schema_editor.execute("DROP FUNCTION programme_standing_refuses()", params=None)


class Migration(migrations.Migration):
    dependencies = [("programme", "0009_what_decisions_took")]
    operations = [migrations.RunPython(guard, unguard)]
