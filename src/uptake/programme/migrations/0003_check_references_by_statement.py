"""PostgreSQL asks once a statement, not once an award and reference, whether what an award refers to is there.

Events and rulebooks are never deleted (their triggers see to it). People and companies that have awards are kept by a
trigger of their own, and while a transaction that adds awards is open by the same row lock a foreign key takes.
"""

from django.db import migrations

KEPT = {"person_id": "directory_person", "company_id": "directory_organization"}
RECORD = {"event_id": "events_event", "rulebook_id": "programme_rulebookversion"}


def by_statement(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    award = apps.get_model("programme", "Award")
    for column in (*RECORD, *KEPT):
        (name,) = schema_editor._constraint_names(award, [column], foreign_key=True)
        schema_editor.execute(f"ALTER TABLE programme_award DROP CONSTRAINT {schema_editor.quote_name(name)}")
    locks = "".join(
        f"PERFORM FROM (SELECT DISTINCT {column} AS id FROM fresh ORDER BY 1) n, "
        f"LATERAL (SELECT FROM {table} o WHERE o.id = n.id FOR KEY SHARE) kept; "
        for column, table in KEPT.items()
    )
    # A scalar subquery is always looked up by the index, however many rows there were when this was planned. Of what
    # many rows name, each is asked once; which is missing is asked only if one is.
    missing = {
        column: f"(SELECT 1 FROM {table} o WHERE o.id = n.{column}) IS NULL"
        for column, table in (RECORD | KEPT).items()
    }
    whats = "".join(
        f"IF EXISTS (SELECT FROM fresh n WHERE {one}) THEN RAISE EXCEPTION 'award_of_known_{column}' "
        f"USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'award_of_known_{column}'; END IF; "
        for column, one in missing.items()
    )
    anything = " OR ".join(
        f"EXISTS (SELECT FROM (SELECT {'' if column == 'event_id' else 'DISTINCT '}{column} FROM fresh) n WHERE {one})"
        for column, one in missing.items()
    )
    checks = f"IF {anything} THEN {whats} END IF;"
    schema_editor.execute(
        "CREATE FUNCTION programme_award_refers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan TO off AS $$ "
        f"BEGIN {locks} {checks} RETURN NULL; END $$",
        params=None,
    )
    for deed in ("INSERT", "UPDATE"):
        schema_editor.execute(
            f"CREATE TRIGGER programme_award_refers_on_{deed.lower()} AFTER {deed} ON programme_award "
            "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION programme_award_refers()",
            params=None,
        )
    for column, table in KEPT.items():
        schema_editor.execute(
            f"CREATE FUNCTION programme_keeps_{column}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF EXISTS (SELECT FROM programme_award WHERE {column} = OLD.id) THEN "
            "RAISE EXCEPTION 'there are awards of %', OLD.id USING ERRCODE = 'foreign_key_violation'; END IF; "
            "RETURN NULL; END $$",
            params=None,
        )
        schema_editor.execute(
            f"CREATE TRIGGER programme_keeps_{column} AFTER DELETE OR UPDATE OF id ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION programme_keeps_{column}()",
            params=None,
        )


def by_row(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for column, table in KEPT.items():
        schema_editor.execute(f"DROP TRIGGER programme_keeps_{column} ON {table}")
        schema_editor.execute(f"DROP FUNCTION programme_keeps_{column}()")
    for deed in ("insert", "update"):
        schema_editor.execute(f"DROP TRIGGER programme_award_refers_on_{deed} ON programme_award")
    schema_editor.execute("DROP FUNCTION programme_award_refers()")
    for column, table in (RECORD | KEPT).items():
        schema_editor.execute(
            f"ALTER TABLE programme_award ADD CONSTRAINT award_{column}_fk FOREIGN KEY ({column}) "
            f"REFERENCES {table} (id) DEFERRABLE INITIALLY DEFERRED"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("programme", "0002_published_rulebooks_never_change"),
        ("directory", "0001_initial"),
        ("events", "0001_initial"),
    ]
    operations = [migrations.RunPython(by_statement, by_row)]
