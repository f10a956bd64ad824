"""An award is of an event, a rulebook, a person and a company that are there, and those stay while it stands."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from tests.cast import Cast
from uptake.programme.models import Award
from uptake.programme.tests.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("column", ["event_id", "rulebook_id", "person_id", "company_id"])
@pytest.mark.parametrize("deed", ["added", "changed"])
def test_an_award_refers_to_what_is_there(cast: Cast, column: str, deed: str) -> None:
    award = Award.objects.get(event=Desk(cast).processed("A", lines=12))
    setattr(award, column, 999_999)
    if deed == "added":
        award.pk, award.rule = None, "another"

    with pytest.raises(IntegrityError), transaction.atomic():
        award.save()

    assert Award.objects.count() == 1


@pytest.mark.parametrize("table", ["directory_person", "directory_organization"])
def test_who_has_awards_is_not_deleted(cast: Cast, table: str) -> None:
    award = Award.objects.get(event=Desk(cast).processed("A", lines=12))
    row = award.person_id if table == "directory_person" else award.company_id
    # On PostgreSQL foreign keys are asked at commit, so it is the award that speaks first.
    told = "there are awards of" if connection.vendor == "postgresql" else "FOREIGN KEY"

    with pytest.raises(DatabaseError, match=told), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id = %s", [row])

    award.refresh_from_db()
