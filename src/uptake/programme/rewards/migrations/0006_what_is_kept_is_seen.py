"""What tells how things stand after a turn also tells what is kept for those who wait in line, and whose days are over."""

from importlib import import_module

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

BEFORE = import_module("uptake.programme.rewards.migrations.0003_seen_when_the_turn_is_over")
GLANCE = (
    BEFORE.GLANCE.replace(
        "from_date date, until_date date, known boolean",
        "from_date date, until_date date, kept integer, has_line boolean, known boolean",
    )
    .replace("r.from_date, r.until_date,", "r.from_date, r.until_date, r.kept, r.has_line,")
    .replace(
        "AND m.state IN ('requested', 'approved')),",
        "AND m.state IN ('requested', 'approved'))\n    OR (r.kept > 0 AND EXISTS (SELECT FROM rewards_wait w"
        " WHERE w.reward_id = r.id AND w.standing = 'kept' AND w.kept_until <= at_instant)),",
    )
)


def widen(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BEFORE.TAKEN_AWAY, params=None)
        schema_editor.execute(GLANCE, params=None)


def narrow(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BEFORE.TAKEN_AWAY, params=None)
        schema_editor.execute(BEFORE.GLANCE, params=None)


class Migration(migrations.Migration):
    dependencies = [("rewards", "0005_who_waits_in_line")]
    operations = [migrations.RunPython(widen, narrow)]
