from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0002_audit_is_insert_only"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["organization", "from_date", "until_date"], name="membership_by_place"),
        ),
        migrations.AddIndex(
            model_name="membership",
            index=models.Index(fields=["person", "from_date", "until_date"], name="membership_by_person"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["kind"], name="person_by_kind"),
        ),
    ]
