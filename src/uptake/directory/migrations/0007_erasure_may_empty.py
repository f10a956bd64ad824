"""An erasure stays and is closed once; while one is open, texts of audit entries may be emptied, and nothing else."""

from django.db import migrations

OPEN = "EXISTS (SELECT 1 FROM directory_erasure WHERE closed_at IS NULL)"
KEPT = ("id", "at", "actor_id", "deed", "organization_id")
ERASURE = ("id", "person_id", "policy", "organization_id", "by_id", "at")


def changed(columns, differs):
    return " OR ".join(f"NEW.{one} {differs} OLD.{one}" for one in columns)


def refusals(differs, emptied):
    """The condition under which an update of an audit entry is refused."""
    return (
        f"NOT {OPEN} OR {changed(KEPT, differs)} "
        "OR (NEW.actor_name <> OLD.actor_name AND NEW.actor_name <> '') "
        "OR (NEW.subject <> OLD.subject AND NEW.subject <> '') "
        f"OR (NEW.details {differs} OLD.details AND NEW.details <> {emptied}) "
        f"OR (NEW.address {differs} OLD.address AND NEW.address IS NOT NULL)"
    )


SQLITE = [
    "DROP TRIGGER audit_refuses_update",
    f"""CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON directory_auditentry
    WHEN {refusals("IS NOT", "'{}'")}
    BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    """CREATE TRIGGER erasure_refuses_delete BEFORE DELETE ON directory_erasure
    BEGIN SELECT RAISE(ABORT, 'an erasure stays'); END""",
    f"""CREATE TRIGGER erasure_refuses_update BEFORE UPDATE ON directory_erasure
    WHEN OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL OR {changed(ERASURE, "IS NOT")}
    BEGIN SELECT RAISE(ABORT, 'an erasure is closed once and never changed'); END""",
]
SQLITE_BACK = [
    "DROP TRIGGER erasure_refuses_update",
    "DROP TRIGGER erasure_refuses_delete",
    "DROP TRIGGER audit_refuses_update",
    """CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON directory_auditentry
    BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
]
POSTGRESQL = [
    "DROP TRIGGER audit_refuses_change ON directory_auditentry",
    """CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON directory_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_is_insert_only()""",
    f"""CREATE FUNCTION audit_may_be_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {refusals("IS DISTINCT FROM", "'{}'::jsonb")} THEN
            RAISE EXCEPTION 'the audit log is insert-only' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON directory_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_may_be_emptied()""",
    f"""CREATE FUNCTION erasure_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.closed_at IS NULL AND NEW.closed_at IS NOT NULL
            AND NOT ({changed(ERASURE, "IS DISTINCT FROM")}) THEN RETURN NEW; END IF;
        RAISE EXCEPTION 'an erasure stays, is closed once and never changed' USING ERRCODE = 'restrict_violation';
    END $$""",
    """CREATE TRIGGER erasure_stays BEFORE UPDATE OR DELETE ON directory_erasure
    FOR EACH ROW EXECUTE FUNCTION erasure_stays()""",
]
POSTGRESQL_BACK = [
    "DROP TRIGGER erasure_stays ON directory_erasure",
    "DROP FUNCTION erasure_stays()",
    "DROP TRIGGER audit_refuses_update ON directory_auditentry",
    "DROP FUNCTION audit_may_be_emptied()",
    "DROP TRIGGER audit_refuses_delete ON directory_auditentry",
    """CREATE TRIGGER audit_refuses_change BEFORE UPDATE OR DELETE ON directory_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_is_insert_only()""",
]


def guard(apps, schema_editor):
    for statement in SQLITE if schema_editor.connection.vendor == "sqlite" else POSTGRESQL:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    for statement in SQLITE_BACK if schema_editor.connection.vendor == "sqlite" else POSTGRESQL_BACK:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("directory", "0006_erasure"), ("directory", "0002_audit_is_insert_only")]
    operations = [migrations.RunPython(guard, unguard)]
