"""What a proposal was sealed with never changes; votes are fixed when they are counted, and appeals when decided."""

from django.db import migrations

SEALED = (
    "organization_id", "number", "kind", "title", "why", "proposer_id", "draft", "file", "sha256", "report",
    "report_sha256", "base_id", "latest", "secret", "members", "quorum", "majority", "notice_days", "opened_at",
    "closes_at", "seal",
)
OVER = "(SELECT state FROM governance_proposal WHERE id = {row}.proposal_id) <> 'open'"
# (name, table, when, deed, condition, sentence)
GUARDS = (
    ("sealed", "governance_proposal", "BEFORE", f"UPDATE OF {', '.join(SEALED)}", None, "what was put to the vote never changes"),
    ("kept", "governance_proposal", "BEFORE", "DELETE", None, "proposals are withdrawn, not deleted"),
    ("counted", "governance_proposal", "BEFORE", "UPDATE OF yes, no, abstain, closed_at", "OLD.state <> 'open'", "votes are counted once"),
    ("cast_in_time", "governance_vote", "BEFORE", "INSERT", OVER.format(row="NEW"), "the vote is over"),
    ("changed_in_time", "governance_vote", "BEFORE", "UPDATE OF proposal_id, person_id, choice", OVER.format(row="OLD"), "the vote is over"),
    ("kept", "governance_vote", "BEFORE", "DELETE", None, "votes are changed, not deleted"),
    ("named_once", "governance_elector", "BEFORE", "UPDATE OF proposal_id, person_id", None, "who may vote is fixed"),
    ("kept", "governance_elector", "BEFORE", "DELETE", None, "who may vote is fixed"),
    ("decided_once", "governance_appeal", "BEFORE", "UPDATE OF state, points, decided_by_id, decided_at, person_id, company_id",
     "OLD.state <> 'open'", "appeals are decided once"),
    ("kept", "governance_appeal", "BEFORE", "DELETE", None, "appeals are withdrawn, not deleted"),
)  # fmt: skip


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        # PostgreSQL asks no other table in the condition of a trigger, so the function asks it.
        schema_editor.execute(
            """CREATE FUNCTION governance_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
        schema_editor.execute(
            """CREATE FUNCTION governance_vote_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF (SELECT state FROM governance_proposal WHERE id = NEW.proposal_id) <> 'open' THEN
                    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
                END IF;
                RETURN NEW;
            END $$""",
            params=None,
        )
    for name, table, when, deed, condition, sentence in GUARDS:
        trigger = f"{table}_{name}"
        if sqlite:
            only = f"WHEN {condition} " if condition else ""
            schema_editor.execute(
                f"CREATE TRIGGER {trigger} {when} {deed} ON {table} {only}"
                f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            )
        elif condition and "SELECT" in condition:
            schema_editor.execute(
                f"CREATE TRIGGER {trigger} {when} {deed} ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION governance_vote_in_time('{sentence}')"
            )
        else:
            only = f"WHEN ({condition}) " if condition else ""
            schema_editor.execute(
                f"CREATE TRIGGER {trigger} {when} {deed} ON {table} FOR EACH ROW {only}"
                f"EXECUTE FUNCTION governance_refuses('{sentence}')"
            )


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name, table, *_ in GUARDS:
        schema_editor.execute(f"DROP TRIGGER {table}_{name}" + ("" if sqlite else f" ON {table}"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION governance_refuses()")
        schema_editor.execute("DROP FUNCTION governance_vote_in_time()")


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
