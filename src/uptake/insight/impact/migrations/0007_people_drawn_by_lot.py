import django.db.models.deletion
from django.db import migrations, models

GUARDS = (
    ("UPDATE", "kept", "who was drawn never changes"),
    ("DELETE", "stays", "who was drawn stays"),
)
LATE = "nobody is added to a drawing that was locked"
LOCKED = "(SELECT locked_at FROM impact_intervention WHERE id = NEW.intervention_id) IS NOT NULL"


def guard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for deed, name, sentence in GUARDS:
        then = (
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            if sqlite
            else f"FOR EACH ROW EXECUTE FUNCTION impact_refuses('{sentence}')"
        )
        schema_editor.execute(f"CREATE TRIGGER impact_drawn_{name} BEFORE {deed} ON impact_drawnperson {then}")
    if sqlite:
        schema_editor.execute(
            "CREATE TRIGGER impact_drawn_late BEFORE INSERT ON impact_drawnperson "
            f"WHEN {LOCKED} BEGIN SELECT RAISE(ABORT, '{LATE}'); END"
        )
        return
    schema_editor.execute(
        "CREATE FUNCTION impact_drawn_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {LOCKED} THEN RAISE EXCEPTION '{LATE}'; END IF; RETURN NEW; END $$"
    )
    schema_editor.execute(
        "CREATE TRIGGER impact_drawn_late BEFORE INSERT ON impact_drawnperson "
        "FOR EACH ROW EXECUTE FUNCTION impact_drawn_late()"
    )


def unguard(apps, schema_editor):
    sqlite = schema_editor.connection.vendor == "sqlite"
    for name in ("kept", "stays", "late"):
        schema_editor.execute(f"DROP TRIGGER impact_drawn_{name}" + ("" if sqlite else " ON impact_drawnperson"))
    if not sqlite:
        schema_editor.execute("DROP FUNCTION impact_drawn_late()")


class Migration(migrations.Migration):

    dependencies = [
        ('directory', '0008_leave'),
        ('impact', '0006_really_began'),
    ]

    operations = [
        migrations.CreateModel(
            name='DrawnPerson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('begins', models.BooleanField()),
                ('department', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.organization')),
                ('intervention', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='drawn_people', to='impact.intervention')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='directory.person')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('intervention', 'person'), name='drawn_once')],
            },
        ),
        migrations.RunPython(guard, unguard),
    ]
