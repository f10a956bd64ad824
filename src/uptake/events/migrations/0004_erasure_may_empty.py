"""While their person is being erased, events may be emptied (and put into a withdrawn batch), and nothing else."""

from django.db import migrations

KEPT = (
    "id", "txid", "source", "revision", "name", "identity_id", "company_id", "happened_at", "received_at",
    "business_date", "tzdb", "history_only",
)  # fmt: skip


def erasing(policy=""):
    """Whether the person of the event is being erased."""
    return (
        "EXISTS (SELECT 1 FROM directory_erasure e JOIN directory_identity i ON i.person_id = e.person_id "
        f"WHERE e.closed_at IS NULL AND i.id = OLD.identity_id{policy})"
    )


def refusals(differs, emptied):
    """The condition under which an update of an event is refused."""
    changed = " OR ".join(f"NEW.{one} {differs} OLD.{one}" for one in KEPT)
    withdrawn = (
        "EXISTS (SELECT 1 FROM events_correction c WHERE c.kind = 'withdrawn' AND c.batch_id = NEW.batch_id "
        "AND c.person_id_was = (SELECT person_id FROM directory_identity WHERE id = OLD.identity_id))"
    )
    drops = erasing(" AND e.policy = 'drop'")
    return (
        f"NOT {erasing()} OR {changed} "
        f"OR NEW.object <> '' OR NEW.fingerprint <> '' OR NEW.facts <> {emptied} "
        "OR (NEW.key <> OLD.key AND NEW.key NOT LIKE 'erased/%') "
        f"OR (NEW.batch_id {differs} OLD.batch_id AND NOT ({drops} AND {withdrawn}))"
    )


SQLITE = [
    "DROP TRIGGER events_event_refuses_update",
    f"""CREATE TRIGGER events_event_refuses_update BEFORE UPDATE ON events_event
    WHEN {refusals("IS NOT", "'{}'")}
    BEGIN SELECT RAISE(ABORT, 'events are insert-only'); END""",
]
SQLITE_BACK = [
    "DROP TRIGGER events_event_refuses_update",
    """CREATE TRIGGER events_event_refuses_update BEFORE UPDATE ON events_event
    BEGIN SELECT RAISE(ABORT, 'events are insert-only'); END""",
]
POSTGRESQL = [
    "DROP TRIGGER events_event_refuses_update ON events_event",
    f"""CREATE FUNCTION event_may_be_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {refusals("IS DISTINCT FROM", "'{}'::jsonb")} THEN
            RAISE EXCEPTION 'events are insert-only' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER events_event_refuses_update BEFORE UPDATE ON events_event
    FOR EACH ROW EXECUTE FUNCTION event_may_be_emptied()""",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER events_event_refuses_update ON events_event",
    "DROP FUNCTION event_may_be_emptied()",
    """CREATE TRIGGER events_event_refuses_update BEFORE UPDATE ON events_event
    FOR EACH ROW EXECUTE FUNCTION events_refuses('events are insert-only')""",
]


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("events", "0003_connection_page_events"), ("directory", "0006_erasure")]
    operations = [migrations.RunPython(guard, unguard)]
