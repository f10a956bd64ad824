"""Many at the same door at the same moment: exactly one effect each, and no error but the refusal. PostgreSQL only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from uptake.ledger.grant import MoreThanGranted, grant
from uptake.ledger.models import Entry, Lot, Transfer
from uptake.ledger.post import NotEnoughPoints
from uptake.ledger.tests.world import (
    BEIYUAN,
    HUA,
    LIN,
    QINGHE,
    a_grant,
    assert_ledger_holds,
    at,
    earns,
    holds,
    loses,
    points,
)

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time; the race is PostgreSQL's")


def at_once(deeds: Sequence[Callable[[], Any]], *, threads: int) -> Counter[str]:
    """Do the deeds in that many threads that start together; counts what became of them by name."""
    together = Barrier(threads)

    def work(mine: Sequence[Callable[[], Any]]) -> list[str]:
        together.wait()
        fates = []
        try:
            for deed in mine:
                try:
                    deed()
                    fates.append("done")
                except (NotEnoughPoints, MoreThanGranted) as refusal:
                    fates.append(type(refusal).__name__)
        finally:
            connections.close_all()
        return fates

    with ThreadPoolExecutor(threads) as pool:
        return Counter(fate for fates in pool.map(work, [deeds[n::threads] for n in range(threads)]) for fate in fates)


def test_of_twenty_spends_of_all_points_one_succeeds() -> None:
    earns("a", 100)

    fates = at_once([lambda n=n: holds(f"r{n}", 100) for n in range(20)], threads=20)  # type: ignore[misc]

    assert fates == {"done": 1, "NotEnoughPoints": 19}
    assert points().held == 100
    assert_ledger_holds()


def test_one_new_key_from_fifty_threads_is_one_row() -> None:
    fates = at_once([lambda: earns("a", 10)] * 50, threads=50)

    assert fates == {"done": 50}
    assert Transfer.objects.count() == Entry.objects.count() == Lot.objects.count() == 1
    assert points().available == 10


def test_five_hundred_grants_reversed_twice_are_reversed_once() -> None:
    grant([a_grant(f"a{n}", 3, owner=(LIN, HUA)[n % 2]) for n in range(500)], now=at(0))

    deeds = [lambda n=n, k=k: loses(f"a{n}", 3, key=f"x{n}-{k}") for n in range(500) for k in "ab"]
    fates = at_once(deeds, threads=8)

    assert fates == {"done": 500, "MoreThanGranted": 500}
    assert points() == points(owner=HUA) == type(points())()
    assert_ledger_holds()


def test_batches_over_the_same_people_in_two_books_do_not_lock_each_other_out() -> None:
    def batch(number: int) -> Callable[[], Any]:
        books = (BEIYUAN, QINGHE) if number % 2 else (QINGHE, BEIYUAN)
        grants = [a_grant(f"b{number}-{i}", 1, owner=f"p{(number * 7 + i) % 5}", book=books[i % 2]) for i in range(20)]
        return lambda: grant(grants, now=at(0))

    fates = at_once([batch(number) for number in range(32)], threads=16)

    assert fates == {"done": 32}
    assert Transfer.objects.count() == 640
    assert_ledger_holds()
