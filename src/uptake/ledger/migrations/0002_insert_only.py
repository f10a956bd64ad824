"""What is record is insert-only, what a lot promised stays, and no transfer touches two books: kept by the database."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

RECORDS = ("ledger_transfer", "ledger_entry", "ledger_hold", "ledger_resolution", "ledger_refund")
KEPT = ("ledger_account", "ledger_lot", "ledger_chainhead")
FIXED = {
    "ledger_account": ("id", "book", "code"),
    "ledger_lot": (
        *("id", "book", "key", "owner", "happened_at", "source", "event_key", "rule_order"),
        *("available_from", "last_date", "expires_at", "renews_id"),
    ),
}
KEYS = {
    "ledger_account": {"code": 200},
    "ledger_lot": {"key": 255, "owner": 100},
    "ledger_entry": {"key": 255, "owner": 100},
    "ledger_transfer": {"key": 255},
    "ledger_hold": {"key": 255, "owner": 100},
    "ledger_resolution": {"key": 255},
    "ledger_refund": {"key": 255},
}
# (column, other columns of the same row) → (table, columns there)
REFERENCES = {
    "ledger_transfer": {
        "transfer_source_in_its_book": ("source_id, book", "ledger_account", "id, book"),
        "transfer_target_in_its_book": ("target_id, book", "ledger_account", "id, book"),
        "transfer_lot_in_its_book": ("lot_id, book", "ledger_lot", "id, book"),
        "transfer_new_lot_in_its_book": ("new_lot_id, book", "ledger_lot", "id, book"),
        "transfer_has_its_entry": ("book, key", "ledger_entry", "book, key"),
    },
    "ledger_entry": {"entry_lot_in_its_book": ("lot_id, book", "ledger_lot", "id, book")},
}


def promise(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in _postgresql() if schema_editor.connection.vendor == "postgresql" else _sqlite():
        schema_editor.execute(statement, params=None)


def release(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table, name in _triggers():
        on = f" ON {table}" if postgresql else ""
        schema_editor.execute(f"DROP TRIGGER {name}{on}", params=None)
    for table in REFERENCES:
        if postgresql:
            for deed in ("insert", "update"):
                schema_editor.execute(f"DROP TRIGGER {table}_refers_on_{deed} ON {table}", params=None)
            schema_editor.execute(f"DROP FUNCTION {table}_refers()", params=None)
        else:
            schema_editor.execute(f"DROP TRIGGER {table}_refers_on_insert", params=None)
    if postgresql:
        schema_editor.execute("DROP FUNCTION ledger_refuse()", params=None)


def _triggers() -> list[tuple[str, str]]:
    made = [(table, f"{table}_{deed}") for table in RECORDS for deed in ("no_update", "no_delete")]
    made += [(table, f"{table}_no_delete") for table in KEPT]
    return made + [(table, f"{table}_stays") for table in FIXED]


def _postgresql() -> list[str]:
    # Keys are compared byte by byte, never as the words of a language.
    statements = [
        f'ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length}) COLLATE "C"'
        for table, columns in KEYS.items()
        for column, length in columns.items()
    ]
    statements += [
        """
        CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% of % is refused: the ledger is insert-only', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    ]
    for table, name in _triggers():
        if name.endswith("_stays"):
            deed = f"UPDATE OF {', '.join(FIXED[table])}"
            # The bulk update of counts names none of these columns, so it pays nothing for this trigger.
        else:
            deed = "UPDATE" if name.endswith("_no_update") else "DELETE"
        statements.append(
            f"CREATE TRIGGER {name} BEFORE {deed} ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        )
    for table, references in REFERENCES.items():
        # Asked once a statement, not once a row and reference as a foreign key would be. What is referred to can
        # neither be deleted nor get another id, book or key, so asking when it is written is all a foreign key does.
        missing = {name: _missing(*reference) for name, reference in references.items()}
        anything = " OR ".join(_anything_missing(references, missing))
        whats = "".join(
            f"IF EXISTS (SELECT FROM fresh n WHERE {one}) THEN RAISE EXCEPTION '{name}' "
            f"USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{name}'; END IF; "
            for name, one in missing.items()
        )
        # Which of the references is missing is asked only if one is.
        statements.append(
            f"CREATE FUNCTION {table}_refers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan TO off AS $$ "
            f"BEGIN IF {anything} THEN {whats} END IF; RETURN NULL; END $$"
        )
        statements += [
            f"CREATE TRIGGER {table}_refers_on_{deed.lower()} AFTER {deed} ON {table} "
            f"REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {table}_refers()"
            for deed in ("INSERT", "UPDATE")
        ]
    return statements


def _anything_missing(references: dict[str, tuple[str, str, str]], missing: dict[str, str]) -> list[str]:
    """Each account is asked once, as many rows name the same; all other references in one pass over the rows."""
    asked = [
        f"EXISTS (SELECT FROM (SELECT DISTINCT {columns} FROM fresh) n WHERE {missing[name]})"
        for name, (columns, other, _) in references.items()
        if other == "ledger_account"
    ]
    others = [f"({missing[name]})" for name, (_, other, _) in references.items() if other != "ledger_account"]
    return [*asked, f"EXISTS (SELECT FROM fresh n WHERE {' OR '.join(others)})"]


def _missing(columns: str, other: str, other_columns: str) -> str:
    here, there = columns.split(", "), other_columns.split(", ")
    # Scalar subqueries are always looked up by an index, however many rows there were when this was planned; what has
    # an id by its id and nothing else.
    if there == ["id", "book"]:
        missing = f"(SELECT o.book FROM {other} o WHERE o.id = n.{here[0]}) IS DISTINCT FROM n.{here[1]}"
    else:
        same = " AND ".join(f"o.{b} = n.{a}" for a, b in zip(here, there, strict=True))
        missing = f"(SELECT 1 FROM {other} o WHERE {same}) IS NULL"
    return f"n.{here[0]} IS NOT NULL AND {missing}"


def _sqlite() -> list[str]:
    statements = []
    for table, name in _triggers():
        if name.endswith("_stays"):
            deed = f"UPDATE OF {', '.join(FIXED[table])}"
        else:
            deed = "UPDATE" if name.endswith("_no_update") else "DELETE"
        statements.append(
            f"CREATE TRIGGER {name} BEFORE {deed} ON {table} FOR EACH ROW BEGIN "
            f"SELECT RAISE(ABORT, '{deed.split()[0]} of {table} is refused: the ledger is insert-only'); END"
        )
    for table, references in REFERENCES.items():
        # One trigger for all references of a row: starting one costs more than the lookup it does.
        checks = " ".join(_refusal(name, *reference) for name, reference in references.items())
        statements.append(
            f"CREATE TRIGGER {table}_refers_on_insert AFTER INSERT ON {table} FOR EACH ROW "
            f"BEGIN SELECT CASE {checks} END; END"
        )
    return statements


def _refusal(name: str, columns: str, other: str, other_columns: str) -> str:
    here, there = columns.split(", "), other_columns.split(", ")
    if there == ["id", "book"]:
        missing = f"(SELECT o.book FROM {other} o WHERE o.id = NEW.{here[0]}) IS NOT NEW.{here[1]}"
    else:
        same = " AND ".join(f"o.{b} = NEW.{a}" for a, b in zip(here, there, strict=True))
        missing = f"NOT EXISTS (SELECT 1 FROM {other} o WHERE {same})"
    return f"WHEN NEW.{here[0]} IS NOT NULL AND {missing} THEN RAISE(ABORT, '{name}')"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunPython(promise, release)]
