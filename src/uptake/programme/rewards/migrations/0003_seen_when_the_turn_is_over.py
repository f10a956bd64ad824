"""On PostgreSQL a function waits for a person's turn to be over and then tells how things stand, in one statement."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Empty: the turn is taken, and lasts to the end of the transaction. What is read after the wait is read as it is then.
GLANCE = """CREATE FUNCTION rewards_glance(
  turn integer, place integer, of_reward bigint, of_person text, of_key text, at_instant timestamptz, waiting boolean
) RETURNS TABLE (
  price integer, stock integer, taken integer, hidden boolean, level text, per_person integer,
  from_date date, until_date date, known boolean, due boolean,
  late boolean, available bigint, pending bigint, held bigint, debt bigint
) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF waiting THEN
    IF pg_try_advisory_xact_lock(turn, place) THEN
      RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(turn, place);
  END IF;
  RETURN QUERY SELECT
    r.price, r.stock, r.taken, r.hidden, r.level::text, r.per_person, r.from_date, r.until_date,
    EXISTS (SELECT FROM rewards_redemption m WHERE m.company_id = r.company_id AND m.key = of_key),
    EXISTS (SELECT FROM rewards_redemption m WHERE m.reward_id = r.id AND m.times_out_at <= at_instant
            AND m.state IN ('requested', 'approved')),
    s.late, s.available, s.pending, s.held, s.debt
  FROM rewards_reward r, ledger_standing(r.company_id, of_person, at_instant) s WHERE r.id = of_reward;
END $$"""
TAKEN_AWAY = "DROP FUNCTION rewards_glance(integer, integer, bigint, text, text, timestamptz, boolean)"


def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(GLANCE, params=None)


def take_away(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TAKEN_AWAY, params=None)


class Migration(migrations.Migration):
    dependencies = [("rewards", "0002_what_was_done_stays"), ("ledger", "0005_how_one_person_stands")]
    operations = [migrations.RunPython(add, take_away)]
