"""What was said of costs never changes and stays."""

from django.db import migrations

TABLE = "report_cost"
SENTENCE = "what was said of costs stays as it is"


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, deed in (("kept", "UPDATE"), ("stays", "DELETE")):
        then = (
            f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
            if sqlite
            else f"FOR EACH ROW EXECUTE FUNCTION report_refuses('{SENTENCE}')"
        )
        schema_editor.execute(f"CREATE TRIGGER {TABLE}_{name} BEFORE {deed} ON {TABLE} {then}")


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name in ("kept", "stays"):
        schema_editor.execute(f"DROP TRIGGER {TABLE}_{name}" + ("" if sqlite else f" ON {TABLE}"))


class Migration(migrations.Migration):
    dependencies = [("report", "0003_shared_and_costs")]
    operations = [migrations.RunPython(guard, unguard)]
