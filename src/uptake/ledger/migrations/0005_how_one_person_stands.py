"""On PostgreSQL a function tells how one person stands: its statements are planned once and not with every page."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

LATE = """EXISTS (
    SELECT FROM ledger_lot t
    WHERE t.pending > 0 AND t.available_from <= at_instant AND t.book = of_book AND t.owner = of_owner
  ) OR EXISTS (
    SELECT FROM ledger_lot t
    WHERE t.available > 0 AND t.expires_at <= at_instant AND t.book = of_book AND t.owner = of_owner
  ) OR EXISTS (
    SELECT FROM ledger_deadline t WHERE t.at <= at_instant AND t.book = of_book AND t.owner = of_owner
  )"""
PARTS = ("available", "pending", "held", "debt")
SUMS = ", ".join(f"coalesce(sum(a.balance) FILTER (WHERE a.code = own || '{part}'), 0)" for part in PARTS)
# All its indexes begin with book and owner, so one plan is good for everybody.
STANDING = f"""CREATE FUNCTION ledger_standing(
  of_book bigint, of_owner text, at_instant timestamptz,
  OUT late boolean, {", ".join(f"OUT {part} bigint" for part in PARTS)}
) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE own text := 'person/' || of_owner || '/';
BEGIN
  late := {LATE};
  SELECT {SUMS} INTO {", ".join(PARTS)} FROM ledger_account a
  WHERE a.book = of_book AND a.code IN ({", ".join(f"own || '{part}'" for part in PARTS)});
END $$"""


# SQLite finds what is due by its instant, and would pay for this index with every grant.
INDEX = "CREATE INDEX lot_pending ON ledger_lot (book, owner) WHERE pending > 0"


def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(INDEX, params=None)
        schema_editor.execute(STANDING, params=None)


def take_away(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION ledger_standing(bigint, text, timestamptz)", params=None)
        schema_editor.execute("DROP INDEX lot_pending", params=None)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_deadlines_of_open_holds")]
    operations = [migrations.RunPython(add, take_away)]
