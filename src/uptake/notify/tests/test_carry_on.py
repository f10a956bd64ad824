"""Pages go on hearing of messages after a dump was restored into a server that counts its transactions from less."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.cast import NOW
from uptake.directory.models import Person
from uptake.notify.carry_on import carry_on
from uptake.notify.follow import Bookmark, last_bookmark, messages_after
from uptake.notify.tell import Telling, tell


def counted_before(transactions: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION notify_transactions_before() RETURNS bigint LANGUAGE sql STABLE "
            f"AS 'SELECT {transactions:d}::bigint'"
        )


@pytest.mark.django_db(transaction=True)
def test_what_is_told_after_a_restore_comes_after_what_was_told_before() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL counts transactions")
    person = Person.objects.create(name="Lin", created_at=NOW)
    counted_before(10**9)  # what is written now bears the numbers of a server that has counted so many more
    try:
        tell([Telling(person_id=person.pk, key="before", kind="points.granted")], now=NOW)
        heard = last_bookmark()
        counted_before(0)
        assert last_bookmark() == Bookmark()

        assert carry_on()
        assert not carry_on()
        tell([Telling(person_id=person.pk, key="after", kind="points.granted")], now=NOW)

        assert [one.key for one in messages_after(heard).messages] == ["after"]
        assert [one.key for one in messages_after(Bookmark()).messages] == ["before", "after"]
    finally:
        counted_before(0)
