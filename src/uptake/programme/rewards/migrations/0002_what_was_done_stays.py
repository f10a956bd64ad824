"""Steps and changes of budgets are insert-only, redemptions stay, and a code never goes from one to another."""

from django.db import migrations

REFUSED = (
    ("rewards_step", "update", "", "what was done to a redemption stays"),
    ("rewards_step", "delete", "", "what was done to a redemption stays"),
    ("rewards_redemption", "delete", "", "redemptions are cancelled, not deleted"),
    ("rewards_budgetchange", "update", "", "a budget is changed by another change"),
    ("rewards_budgetchange", "delete", "", "a budget is changed by another change"),
    ("rewards_code", "delete", "OLD.redemption_id IS NOT NULL", "a code that was given stays given"),
    (
        "rewards_code",
        "update",
        "OLD.redemption_id IS NOT NULL AND (NEW.redemption_id IS NULL OR NEW.redemption_id <> OLD.redemption_id "
        "OR NEW.sealed <> OLD.sealed)",
        "a code that was given stays given",
    ),
)


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            """CREATE FUNCTION rewards_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
    for table, deed, when, sentence in REFUSED:
        begin = f"CREATE TRIGGER {table}_refuses_{deed} BEFORE {deed.upper()} ON {table} FOR EACH ROW "
        condition = f"WHEN ({when}) " if when else ""
        end = f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END" if sqlite else f"EXECUTE FUNCTION rewards_refuses('{sentence}')"
        schema_editor.execute(begin + condition + end, params=None)


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for table, deed, _, _ in REFUSED:
        schema_editor.execute(f"DROP TRIGGER {table}_refuses_{deed}{'' if sqlite else f' ON {table}'}", params=None)
    if not sqlite:
        schema_editor.execute("DROP FUNCTION rewards_refuses()", params=None)


class Migration(migrations.Migration):
    dependencies = [("rewards", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
