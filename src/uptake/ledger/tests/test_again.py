"""What loses to another transaction is done again, once; PostgreSQL only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from uptake.ledger.again import TRIES
from uptake.ledger.models import Entry
from uptake.ledger.tests.world import assert_ledger_holds, earns, holds, loses, points, refunds, releases, settles

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


@contextmanager
def losing(times: int, sqlstate: str, table: str = "ledger_transfer") -> Iterator[None]:
    """So many statements that write transfers lose, however often their transaction is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE injected")
        cursor.execute(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('injected') <= {times} THEN RAISE EXCEPTION 'lost' USING ERRCODE = '{sqlstate}'; END IF;"
            " RETURN NULL; END $$"
        )
        cursor.execute(f"CREATE TRIGGER losing AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION lose()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION lose() CASCADE")
            cursor.execute("DROP SEQUENCE injected")


DEEDS: list[tuple[Callable[[], Any], int]] = [
    (lambda: earns("b", 5), 15),
    (lambda: loses("a", 4), 6),
    (lambda: holds("r", 6), 4),
]


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
@pytest.mark.parametrize(("deed", "left"), DEEDS)
def test_what_loses_is_done_again_and_once(deed: Callable[[], Any], left: int, sqlstate: str) -> None:
    earns("a", 10)
    with losing(TRIES - 1, sqlstate):
        deed()

    assert points().available == left
    assert Entry.objects.count() == 2
    assert_ledger_holds()


def test_a_redemption_that_loses_at_every_step_is_done_once() -> None:
    earns("a", 10)
    steps: list[Callable[[], Any]] = [
        lambda: holds("r", 6),
        lambda: settles("r", 4),
        lambda: refunds("r"),
        lambda: holds("s", 1),
    ]
    for step in steps:
        with losing(2, "40001"):
            step()
    with losing(1, "40P01"):
        releases("s")

    assert points().available == 10
    assert_ledger_holds()


def test_what_always_loses_is_told_and_leaves_nothing() -> None:
    with losing(TRIES, "40001"), pytest.raises(OperationalError):
        earns("a", 10)

    assert not Entry.objects.exists()


def test_other_errors_and_inner_transactions_are_not_tried_again() -> None:
    with losing(1, "53100"), pytest.raises(OperationalError):
        earns("a", 10)
    with losing(1, "40001"), pytest.raises(OperationalError), transaction.atomic():
        earns("a", 10)

    assert not Entry.objects.exists()
