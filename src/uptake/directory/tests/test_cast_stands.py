"""The cast can be built, and its paths, companies and logins are what the stories rely on."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.cast import NOW, Cast
from uptake.directory.audit import note
from uptake.directory.models import AuditEntry


def test_everybody_has_a_place_a_login_and_a_viewer(cast: Cast) -> None:
    for name, person in cast.people().items():
        viewer = cast.viewer(person)
        assert viewer.person_id == person.pk, name
        assert viewer.places


@pytest.mark.parametrize(
    "statement", ["UPDATE directory_auditentry SET deed = 'x'", "DELETE FROM directory_auditentry"]
)
def test_nobody_changes_the_audit_log(cast: Cast, statement: str) -> None:
    note(deed="role.given", actor=cast.viewer(cast.ren), organization=cast.beiyuan, subject="Lin Fang", now=NOW)

    with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    entry = AuditEntry.objects.get()
    assert (entry.deed, entry.actor_name) == ("role.given", "Ren Hao")


def test_nobody_puts_another_entry_in_the_place_of_one(cast: Cast) -> None:
    note(deed="role.given", actor=cast.viewer(cast.ren), organization=cast.beiyuan, subject="Lin Fang", now=NOW)
    replace = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"{replace} INTO directory_auditentry (id, at, actor_name, deed, subject, details)"
            " SELECT id, at, 'Nobody', deed, subject, details FROM directory_auditentry"
        )

    assert AuditEntry.objects.get().actor_name == "Ren Hao"
