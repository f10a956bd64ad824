"""What was earned before there were boards waits for them like what is earned now."""

from django.db import migrations

WAITING = """
INSERT INTO programme_meritchange (company_id, person_id, date, points, latest_at, changed_at)
SELECT company_id, person_id, date, SUM(points), MAX(happened_at), MAX(considered_at)
FROM programme_award
WHERE points > 0 AND NOT EXISTS (SELECT 1 FROM merits_score) AND NOT EXISTS (SELECT 1 FROM programme_meritchange)
GROUP BY company_id, person_id, date
"""


class Migration(migrations.Migration):
    dependencies = [("merits", "0002_people_by_bands"), ("programme", "0006_when_what_ended_happened")]
    operations = [migrations.RunSQL(WAITING, migrations.RunSQL.noop)]
