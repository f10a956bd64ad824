"""Readers go on where they were after a dump was restored into a server that counts its transactions from less."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection as database

from tests.cast import NOW, build_cast
from uptake.events.carry_on import carry_on
from uptake.events.models import Event
from uptake.events.read import START, Position, corrections_after, events_after, move_bookmark, positions_of, waiting
from uptake.events.record import record
from uptake.events.tests.world import connection_of, said


def counted_before(transactions: int) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION events_transactions_before() RETURNS bigint LANGUAGE sql STABLE "
            f"AS 'SELECT {transactions:d}::bigint'"
        )


@pytest.fixture
def other_server() -> Iterator[int]:
    """The id that a server counting a thousand million transactions more would give out next.

    What is written meanwhile bears its numbers, as in a dump of it. On SQLite there is nothing to count.
    """
    if database.vendor == "sqlite":
        yield 0
        return
    counted_before(10**9)
    try:
        yield 10**9
    finally:
        counted_before(0)


def keys_after(position: Position) -> list[str]:
    return [one.key for one in events_after(position, limit=100)]


@pytest.mark.django_db(transaction=True)
def test_after_a_restore_nothing_is_skipped_and_nothing_is_read_twice(other_server: int) -> None:
    erp = connection_of(build_cast().beiyuan)
    record([said("read before")], connection=erp, now=NOW)
    first = Event.objects.get()
    move_bookmark("programme", events=Position(first.txid, first.pk), now=NOW)
    record([said("not read yet"), said("late", at=NOW.replace(year=2027))], connection=erp, now=NOW)
    if other_server:
        counted_before(0)  # as a fresh server has it
        assert not keys_after(positions_of("programme")[0])

    assert carry_on() == bool(other_server)
    record([said("written here")], connection=erp, now=NOW)

    assert keys_after(positions_of("programme")[0]) == ["late", "not read yet", "written here"]
    assert keys_after(START) == ["read before", "late", "not read yet", "written here"]
    assert waiting("programme") == 3
    assert not corrections_after(START, limit=10)


@pytest.mark.django_db(transaction=True)
def test_where_numbers_rise_anyway_nothing_is_done() -> None:
    record([said("one")], connection=connection_of(build_cast().beiyuan), now=NOW)
    assert not carry_on()
    assert keys_after(START) == ["one"]


@pytest.mark.django_db(transaction=True)
def test_a_second_restore_counts_on_from_the_first(other_server: int) -> None:
    erp = connection_of(build_cast().beiyuan)
    record([said("1")], connection=erp, now=NOW)
    for key in ("2", "3"):
        if other_server:
            counted_before(0)
        assert carry_on() == bool(other_server)
        assert not carry_on()
        record([said(key)], connection=erp, now=NOW)

    assert keys_after(START) == ["1", "2", "3"]
