"""Places may refuse rulebooks whose streaks pay without a bound."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("governance", "0003_debts_may_be_written_off")]
    operations = [migrations.AddField("committee", "bounded_streaks", models.BooleanField(default=False))]
